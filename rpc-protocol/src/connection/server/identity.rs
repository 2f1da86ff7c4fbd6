//! Who the client is: what it sends to prove it, and what it is told.

use std::time::Instant;

use super::{ServerConnection, ServerEvent};
use crate::connection::ConnectionError;
use crate::frame::{Authenticate, AuthenticationPurpose, Identity, Status};
use crate::{Code, Output};

impl ServerConnection {
    /// An authentication has come. Its form is looked at here; a fault of it is counted, and kills neither the connection
    /// nor who the client is already.
    pub(super) fn on_authenticate(
        &mut self,
        authenticate: Box<Authenticate>,
        now: Instant,
    ) -> Result<ServerEvent, ConnectionError> {
        let status = if AuthenticationPurpose::from_i32(authenticate.purpose).is_none() {
            Status::new(
                Code::InvalidArgument,
                "the purpose of the authentication is not known",
            )
        } else if !self.limits.allow(&authenticate.metadata) {
            Status::new(Code::ResourceExhausted, "the metadata is over the limit")
        } else {
            return Ok(ServerEvent::Authenticate(authenticate));
        };
        self.fault(now)?;
        Ok(ServerEvent::AuthenticateRefused {
            request_id: authenticate.request_id,
            status,
        })
    }

    /// Says whether the client has to prove who it is before it is served. Meanwhile a request that comes in parts is answered
    /// UNAUTHENTICATED at its first, so that nothing is kept for a client that nobody knows; requests that are whole are given
    /// to the application as ever, for it to refuse.
    pub fn await_authentication(&mut self, awaits: bool) {
        self.awaits_authentication = awaits;
    }

    /// Tells the client who it is from now on: as the answer to a [`ServerEvent::Authenticate`], with its request id, or, with
    /// request id 0, on the server's own account, such as that the identity ends soon. Also where a status says why an
    /// authentication was refused, the rest of it is who the client is.
    pub fn identity(&mut self, identity: &Identity, out: &mut impl Output) {
        identity.encode(0, out);
    }
}
