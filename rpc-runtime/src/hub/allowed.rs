//! The messages that are allowed somewhere, and what is asked of one that comes from a client: it decodes, in bounded memory, and keeps
//! the rules of its fields.
//!
//! What the server itself publishes is believed, as its responses are.

use std::{collections::BTreeMap, fmt, sync::Arc};

use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::{Events, LONGEST_EVENT, names_of};
use crate::{
    Contract, Session, Status,
    contract::RequestPlan,
    session::Held,
    streaming::{Feedback, Unreadable, read_request},
};

/// The events of a namespace, or of a way to send, by their full names.
#[derive(Debug, Default)]
pub(crate) struct AllowedEvents(BTreeMap<&'static str, Option<MessageCheck>>);

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

    /// Looks into what a client sends, on another thread where that takes long.
    ///
    /// # Errors
    ///
    /// INVALID_ARGUMENT when it does not decode, with the field's path, which counts as a fault of the client; and when it breaks
    /// rules, with the violations as details. RESOURCE_EXHAUSTED when it would take too much memory.
    pub(crate) async fn check(self, session: &Arc<Session>, body: &Bytes) -> Result<(), Status> {
        let limits = &session.endpoint.limits;
        let cost = self.plan.weigh(body, limits.decode_bytes)?;
        let body = body.clone();
        let checked = if cost.elements > limits.inline_elements {
            let mut held = Held::new(session.clone(), limits.running_bytes as u64);
            if !held.allows(cost.bytes) && !held.allows(self.plan.measure(&body).bytes) {
                return Err(Status::resource_exhausted(
                    "what this connection has under way takes too much memory; try again",
                ));
            }
            // It is held as long as it is read, also where nobody waits for it any more.
            let checked = spawn_blocking(move || {
                let checked = (self.check)(self.plan, body);
                drop(held);
                checked
            });
            checked.await.map_err(Status::internal_from)?
        } else {
            (self.check)(self.plan, body)
        };
        checked.map_err(|unreadable| match unreadable {
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
        for &name in names_of::<E>() {
            let facts = E::EVENTS.iter().find(|facts| facts.name == name);
            self.0.insert(name, facts.map(|facts| (facts.check)()));
        }
    }

    pub(crate) fn contains(&self, type_name: &str) -> bool {
        self.0.contains_key(type_name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Looks into what a client publishes or sends. What is not allowed, or too long, is not looked into.
    ///
    /// # Errors
    ///
    /// As [`MessageCheck::check`].
    pub(crate) async fn check(
        &self,
        session: &Arc<Session>,
        type_name: &str,
        body: &Bytes,
    ) -> Result<(), Status> {
        match self.0.get(type_name) {
            Some(Some(event)) if body.len() <= LONGEST_EVENT => event.check(session, body).await,
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for MessageCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)
    }
}
