//! Who this client is: what it sends to prove it, and what it is told.

use super::{ClientConnection, ClientEvent};
use crate::Output;
use crate::connection::{ConnectionError, TooLarge};
use crate::frame::{Authenticate, Identity};
use crate::limits::UNAUTHENTICATED_MESSAGE_BYTES;

impl ClientConnection {
    /// Proves who this client is, or signs out. Gives the request id, which is filled in, and with which the answer comes as
    /// [`ClientEvent::Identity`]. What was sent before is handled before, what is sent after it after it.
    ///
    /// # Errors
    ///
    /// The frame is longer than the server accepts, as far as it has said so, and nothing was sent. A server that requires
    /// authentication may accept less before it.
    pub fn authenticate(
        &mut self,
        mut authenticate: Authenticate,
        out: &mut impl Output,
    ) -> Result<u64, TooLarge> {
        authenticate.request_id = self.last_authentication + 1;
        let (len, limit) = (authenticate.message_len(0), self.full_message_bytes);
        if len > limit {
            return Err(TooLarge { len, limit });
        }
        self.last_authentication = authenticate.request_id;
        self.settle_length();
        authenticate.encode(0, out);
        Ok(authenticate.request_id)
    }

    pub(super) fn on_identity(&mut self, identity: Box<Identity>) -> Result<ClientEvent, ConnectionError> {
        if identity.request_id > self.last_authentication {
            return Err(ConnectionError::UnexpectedFrame {
                stream_id: 0,
                kind: "identity",
            });
        }
        self.answered_authentication = self.answered_authentication.max(identity.request_id);
        self.is_unknown &= identity.user_id.is_empty();
        self.settle_length();
        Ok(ClientEvent::Identity(identity))
    }

    /// Keeps messages short while the server has to know who this client is, and nothing is under way by which it would: it
    /// closes a connection for a long one. What is longer leaves in parts, to the first of which it answers UNAUTHENTICATED.
    pub(super) fn settle_length(&mut self) {
        let is_shown = self.last_authentication > self.answered_authentication;
        self.peer.max_message_bytes = match self.is_unknown && !is_shown {
            true => self.full_message_bytes.min(UNAUTHENTICATED_MESSAGE_BYTES),
            false => self.full_message_bytes,
        };
        self.whole_body = self.peer.whole_body();
    }
}
