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
}

impl MessageCheck {
    /// Of events.
    pub(crate) fn of_events<M: Contract>() -> Self {
        Self::with::<M>(RequestPlan::of_events::<M>())
    }

    /// Of what clients want presence to say of them.
    pub(crate) fn of_presence<M: Contract>() -> Self {
        Self::with::<M>(RequestPlan::of_presence::<M>())
    }

    fn with<M: Contract>(plan: RequestPlan) -> Self {
        Self {
            plan,
            check: |plan, body| read_request::<M>(plan, body).map(drop),
        }
    }

    /// Looks into what a client sends, on another thread where that takes long: one after the other of a session then, so that whatever
    /// its client sends, and gives up, takes the memory and the time of one.
    ///
    /// # Errors
    ///
    /// INVALID_ARGUMENT when it does not decode, with the field's path, which counts as a fault of the client; and when it breaks
    /// rules, with the violations as details. RESOURCE_EXHAUSTED when it would take too much memory.
    pub(crate) async fn check(self, session: &Arc<Session>, body: &Bytes) -> Result<(), Status> {
        let limits = &session.endpoint.limits;
        let cost = self.plan.weigh(body, limits.decode_bytes)?;
        if cost.elements <= limits.inline_elements {
            return self.read(session, body.clone());
        }
        let alone = session.make_channels().reads_alone().await;
        // No part of the request, which is over where its caller gives up.
        let (session, body) = (session.clone(), Bytes::copy_from_slice(body));
        let read = spawn_blocking(move || {
            let read = self.read(&session, body);
            drop(alone);
            read
        });
        read.await.map_err(Status::internal_from)?
    }

    fn read(self, session: &Session, body: Bytes) -> Result<(), Status> {
        (self.check)(self.plan, body).map_err(|unreadable| match unreadable {
            Unreadable::Fault(status) => {
                session.fault();
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

    /// Looks into the body of what a client publishes or sends. What is not allowed, or too long, is refused where that is done.
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
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    use futures_util::future::poll_immediate;
    use tokio::runtime::Builder;

    use super::*;
    use crate::{
        ConnectInfo, Endpoint, ServerLimits,
        server::{Routes, Shared},
        services::hub::PublishRequest,
    };

    /// How often something was read.
    static READ: AtomicUsize = AtomicUsize::new(0);

    #[test]
    fn a_session_has_one_large_event_looked_into_at_a_time_whatever_it_gives_up() {
        let check = MessageCheck {
            check: |_, _| {
                READ.fetch_add(1, Ordering::Relaxed);
                Ok(())
            },
            ..MessageCheck::of_events::<PublishRequest>()
        };
        // Of so many elements that it is not read on a connection's own turn.
        let body = Bytes::from([10, 0].repeat(20_000));
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(1)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            // The one thread for blocking work is busy.
            let (go_on, waiting) = mpsc::channel::<()>();
            let busy = spawn_blocking(move || waiting.recv());
            let routes = Routes::build(vec![("/rpc".to_owned(), Endpoint::new())]);
            let shared = Shared::new(routes.expect("routes"), ServerLimits::default());
            let session = || Session::new(ConnectInfo::new(), shared.routes.main().clone(), shared.clone());
            let (one, other) = (session(), session());
            for _ in 0..50 {
                let given_up = poll_immediate(check.check(&one, &body)).await;
                assert!(given_up.is_none(), "was read on this thread");
            }
            assert!(poll_immediate(check.check(&other, &body)).await.is_none());
            go_on.send(()).expect("waits");
            busy.await.expect("ends").expect("was told");
            // That which was begun for each, and this.
            check.check(&one, &body).await.expect("is right");
            check.check(&other, &body).await.expect("is right");
            assert_eq!(READ.load(Ordering::Relaxed), 4);
        });
    }
}
