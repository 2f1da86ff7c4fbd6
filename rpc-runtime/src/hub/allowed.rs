//! The messages that are allowed somewhere, and what is asked of one that comes from a client: it decodes, in bounded memory, and keeps
//! the rules of its fields.
//!
//! What the server itself publishes is believed, as its responses are.

use std::{collections::BTreeMap, fmt, sync::Arc};

use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::{Events, LONGEST_EVENT, facts_of};
use crate::{
    Contract, Session, Status,
    contract::RequestPlan,
    dispatch::Task,
    streaming::{Feedback, Unreadable, read_request},
};

/// The events of a namespace, or of a way to send, by their full names.
#[derive(Debug, Default)]
pub(crate) struct AllowedEvents(BTreeMap<&'static str, MessageCheck>);

/// How messages of one type that clients send are read and checked.
#[derive(Clone, Copy)]
pub(crate) struct MessageCheck {
    plan: RequestPlan,
    check: fn(RequestPlan, Bytes) -> Result<(), Unreadable>,
    /// Whether one that does not decode is a fault of the client. What one call says in many channels is not many.
    counts: bool,
}

impl MessageCheck {
    /// Of events.
    pub(crate) fn of_events<M: Contract>() -> Self {
        Self::with::<M>(RequestPlan::of_events::<M>(), true)
    }

    /// Of what clients want presence to say of them.
    pub(crate) fn of_presence<M: Contract>() -> Self {
        Self::with::<M>(RequestPlan::of_presence::<M>(), false)
    }

    fn with<M: Contract>(plan: RequestPlan, counts: bool) -> Self {
        Self {
            plan,
            check: |plan, body| read_request::<M>(plan, body).map(drop),
            counts,
        }
    }

    /// Validates what a client sends: decodes it, and checks its rules. Where that takes long it is done on another thread, one after
    /// the other of a session, so that whatever its client sends, and gives up, takes the memory and the time of one.
    ///
    /// # Errors
    ///
    /// INVALID_ARGUMENT when it does not decode, with the field's path, which counts as a fault of the client in an event; and when it
    /// breaks rules, with the violations as details. RESOURCE_EXHAUSTED when it would take too much memory.
    pub(crate) async fn check(self, session: &Arc<Session>, body: &Bytes) -> Result<(), Status> {
        let limits = &session.endpoint.limits;
        let cost = self.plan.weigh(body, limits.decode_bytes)?;
        if cost.elements <= limits.inline_elements {
            return self.read(session, body.clone());
        }
        let alone = session.make_channels().reads_alone().await;
        // No part of the request, which is over where its caller gives up.
        let (session, body) = (session.clone(), Bytes::copy_from_slice(body));
        let mut read = Task(spawn_blocking(move || {
            let read = self.read(&session, body);
            drop(alone);
            read
        }));
        (&mut read.0).await.map_err(Status::internal_from)?
    }

    fn read(self, session: &Session, body: Bytes) -> Result<(), Status> {
        (self.check)(self.plan, body).map_err(|unreadable| match unreadable {
            Unreadable::Fault(status) => {
                if self.counts {
                    session.fault();
                }
                status
            }
            Unreadable::Refused(status) => status,
        })
    }
}

impl AllowedEvents {
    /// Allows every event of a set.
    pub(crate) fn add<E: Events>(&mut self) {
        let checks = facts_of::<E>().iter().map(|facts| (facts.name, (facts.check)()));
        self.0.extend(checks);
    }

    pub(crate) fn contains(&self, type_name: &str) -> bool {
        self.0.contains_key(type_name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Validates the body of what a client publishes or sends. What is not allowed, or too long, is refused where that is done.
    ///
    /// # Errors
    ///
    /// As [`MessageCheck::check`].
    pub(crate) async fn check_body(
        &self,
        session: &Arc<Session>,
        type_name: &str,
        body: &Bytes,
    ) -> Result<(), Status> {
        match self.0.get(type_name) {
            Some(event) if body.len() <= LONGEST_EVENT => event.check(session, body).await,
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for MessageCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        thread,
        time::Duration,
    };

    use futures_util::future::{self, poll_immediate};
    use tokio::runtime::{Builder, Runtime};

    use super::*;
    use crate::{
        ConnectInfo, Endpoint, ServerLimits,
        server::{Routes, Shared},
        services::hub::PublishRequest,
    };

    /// So many elements that they are not read on a connection's own turn.
    fn large() -> Bytes {
        Bytes::from([10, 0].repeat(20_000))
    }

    fn with(check: fn(RequestPlan, Bytes) -> Result<(), Unreadable>) -> MessageCheck {
        MessageCheck {
            check,
            ..MessageCheck::of_events::<PublishRequest>()
        }
    }

    fn sessions() -> [Arc<Session>; 2] {
        let routes = Routes::build(vec![("/rpc".to_owned(), Endpoint::new())]).expect("routes");
        let shared = Shared::new(routes, ServerLimits::default());
        [(); 2].map(|()| Session::new(ConnectInfo::new(), shared.routes.main().clone(), shared.clone()))
    }

    fn runtime(blocking: usize) -> Runtime {
        let mut builder = Builder::new_current_thread();
        builder.max_blocking_threads(blocking).build().expect("a runtime")
    }

    #[test]
    fn a_session_has_one_large_event_validated_at_a_time() {
        static NOW: AtomicUsize = AtomicUsize::new(0);
        static READ: AtomicUsize = AtomicUsize::new(0);
        let check = with(|_, _| {
            assert_eq!(NOW.fetch_add(1, Ordering::SeqCst), 0, "two at once");
            thread::sleep(Duration::from_millis(2));
            NOW.fetch_sub(1, Ordering::SeqCst);
            READ.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        runtime(8).block_on(async {
            let [session, _] = sessions();
            let body = large();
            let all = (0..20).map(|_| check.check(&session, &body));
            for checked in future::join_all(all).await {
                checked.expect("is right");
            }
            assert_eq!(READ.load(Ordering::SeqCst), 20);
        });
    }

    #[test]
    fn what_is_given_up_is_not_validated_and_holds_nobody_up() {
        static READ: AtomicUsize = AtomicUsize::new(0);
        let check = with(|_, _| {
            READ.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        runtime(1).block_on(async {
            // The one thread for blocking work is busy.
            let (go_on, waiting) = mpsc::channel::<()>();
            let busy = spawn_blocking(move || waiting.recv());
            let [one, other] = sessions();
            let body = large();
            for _ in 0..50 {
                let given_up = poll_immediate(check.check(&one, &body)).await;
                assert!(given_up.is_none(), "was read on this thread");
            }
            let of_other = check.check(&other, &body);
            go_on.send(()).expect("waits");
            busy.await.expect("ends").expect("was told");
            of_other.await.expect("is right");
            check.check(&one, &body).await.expect("is right");
            assert_eq!(READ.load(Ordering::SeqCst), 2);
        });
    }
}
