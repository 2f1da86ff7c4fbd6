//! The events that are allowed somewhere, and what is asked of one that comes from a client: it decodes, in bounded memory, and keeps
//! the rules of its fields.
//!
//! What the server itself publishes is believed, as its responses are.

use std::{collections::BTreeMap, fmt, sync::Arc};

use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::{Events, LONGEST_EVENT, event::EventFacts, names_of};
use crate::{
    Session, Status,
    contract::RequestPlan,
    session::Held,
    streaming::{Feedback, Unreadable},
};

/// The events of a namespace, or of a way to send, by their full names.
#[derive(Debug, Default)]
pub(crate) struct AllowedEvents(BTreeMap<&'static str, Option<EventCheck>>);

/// How events of one type are read and checked.
#[derive(Clone, Copy)]
struct EventCheck {
    plan: RequestPlan,
    check: fn(RequestPlan, Bytes) -> Result<(), Unreadable>,
}

impl EventCheck {
    fn of(facts: &EventFacts) -> Self {
        Self {
            plan: (facts.plan)(),
            check: facts.check,
        }
    }

    fn run(self, body: Bytes) -> Result<(), Unreadable> {
        (self.check)(self.plan, body)
    }
}

impl AllowedEvents {
    /// Allows every event of a set.
    pub(crate) fn add<E: Events>(&mut self) {
        for &name in names_of::<E>() {
            let facts = E::EVENTS.iter().find(|facts| facts.name == name);
            self.0.insert(name, facts.map(EventCheck::of));
        }
    }

    pub(crate) fn contains(&self, type_name: &str) -> bool {
        self.0.contains_key(type_name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Looks into what a client publishes or sends, on another thread where that takes long. What is not allowed, or too long, is not
    /// looked into.
    ///
    /// # Errors
    ///
    /// INVALID_ARGUMENT when it does not decode, with the field's path, which counts as a fault of the client; and when it breaks
    /// rules, with the violations as details. RESOURCE_EXHAUSTED when it would take too much memory.
    pub(crate) async fn check(
        &self,
        session: &Arc<Session>,
        type_name: &str,
        body: &Bytes,
    ) -> Result<(), Status> {
        let Some(&Some(event)) = self.0.get(type_name) else {
            return Ok(());
        };
        if body.len() > LONGEST_EVENT {
            return Ok(());
        }
        let limits = &session.endpoint.limits;
        let cost = event.plan.weigh(body, limits.decode_bytes)?;
        let body = body.clone();
        let checked = if cost.elements > limits.inline_elements {
            let mut held = Held::new(session.clone(), limits.running_bytes as u64);
            if !held.allows(cost.bytes) && !held.allows(event.plan.measure(&body).bytes) {
                return Err(Status::resource_exhausted(
                    "what this connection has under way takes too much memory; try again",
                ));
            }
            // It is held as long as it is read, also where nobody waits for it any more.
            let checked = spawn_blocking(move || {
                let checked = event.run(body);
                drop(held);
                checked
            });
            checked.await.map_err(Status::internal_from)?
        } else {
            event.run(body)
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

impl fmt::Debug for EventCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)
    }
}
