//! Authentications and pings: what both applications do of them, and what they see.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use rpc_protocol::frame::{Authenticate, Identity};

use crate::World;

/// Authentications that are not over.
#[derive(Default)]
pub(crate) struct Authentications {
    /// Those that the server has not seen, with the number of calls before each.
    underway: BTreeMap<u64, u64>,
    /// Those that the server has seen and not answered.
    asked: Vec<u64>,
    /// Those that it has answered, until the client sees it.
    answered: Vec<u64>,
    sent: u64,
}

impl Authentications {
    pub(crate) fn are_over(&self) -> bool {
        self.underway.is_empty() && self.asked.is_empty() && self.answered.is_empty()
    }
}

impl World {
    pub(crate) fn authenticate(&mut self) {
        let authenticate = Authenticate {
            scheme: "bearer".to_owned(),
            credential: Bytes::from(vec![7; self.random.below(3_000)]),
            purpose: i32::from(self.random.one_in(2)),
            ..Authenticate::default()
        };
        let id = self
            .client
            .authenticate(authenticate, &mut self.from_client)
            .expect("fits");
        self.authentications.sent += 1;
        assert_eq!(id, self.authentications.sent, "ids count up by one");
        self.authentications.underway.insert(id, self.calls.len() as u64);
    }

    /// The server's application sees an authentication of the client's.
    pub(crate) fn asked(&mut self, authenticate: &Authenticate) {
        let id = authenticate.request_id;
        let (first, calls_before) = self.authentications.underway.pop_first().expect("one was sent");
        assert_eq!(id, first, "authentications come in their order");
        let last_call = self.seen.last().copied().unwrap_or(0);
        assert!(
            last_call <= calls_before,
            "call {last_call} was sent behind authentication {id}"
        );
        self.authentications.asked.push(id);
    }

    /// The server's application answers one, or speaks on its own.
    pub(crate) fn answer_authentication(&mut self) {
        let asked = self.authentications.asked.clone();
        let request_id = self.random.pick(&asked).unwrap_or(0);
        if request_id != 0 {
            self.authentications.asked.retain(|id| *id != request_id);
            self.authentications.answered.push(request_id);
        } else if !self.random.one_in(8) {
            return;
        }
        let identity = Identity {
            request_id,
            user_id: format!("user {request_id}"),
            ..Identity::default()
        };
        self.server.identity(&identity, &mut self.from_server);
    }

    /// The client's application sees who it is.
    pub(crate) fn told(&mut self, identity: Identity) {
        let id = identity.request_id;
        assert_eq!(identity.user_id, format!("user {id}"));
        if id == 0 {
            return;
        }
        let answered = &mut self.authentications.answered;
        let before = answered.len();
        answered.retain(|answered| *answered != id);
        assert_eq!(answered.len() + 1, before, "authentication {id} is answered once");
        self.seen_of.authentications += 1;
    }

    /// Either side wants to know how far the other is.
    pub(crate) fn ping(&mut self) {
        let (now, sent) = (self.now, self.random.one_in(2));
        if sent {
            self.server.ping(now, &mut self.from_server);
        } else {
            self.client.ping(now, &mut self.from_client);
        }
        for time in [self.server.round_trip_time(), self.client.round_trip_time()] {
            let Some(time) = time else { continue };
            self.seen_of.round_trips += 1;
            // The longest delay, there and back.
            assert!(time <= Duration::from_millis(160), "{time:?}");
        }
    }
}
