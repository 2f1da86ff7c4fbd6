//! How a client comes back to its session: what it counts for that, and how its calls go on.

use std::time::Instant;

use super::ClientConnection;
use crate::Output;
use crate::connection::liveness::Liveness;
use crate::connection::receipts::Receipts;
use crate::frame::Greeting;

impl ClientConnection {
    /// The server greets. Where it has a token for a resume, what comes is counted from now on: on from what this client has
    /// said to have received, where that session goes on. Frames of calls are counted where both sides have said that they keep
    /// theirs.
    pub(super) fn count_from(&mut self, greeting: &Greeting) {
        if greeting.resume_token.is_empty() {
            return;
        }
        let received = match greeting.resumed {
            true => self.came_back_with,
            false => 0,
        };
        let replay_bytes = match self.keeps_calls {
            true => usize::try_from(greeting.replay_bytes).unwrap_or(usize::MAX),
            false => 0,
        };
        self.receipts = Some(Box::new(Receipts::new(replay_bytes, received)));
    }

    /// Whether what the server sends of calls is counted: both sides have said that they keep theirs, and so calls may go on over a
    /// resume.
    #[must_use]
    pub fn counts_received(&self) -> bool {
        self.receipts
            .as_ref()
            .is_some_and(|receipts| receipts.counts_calls())
    }

    /// How many sequenced frames have come in the session: what to tell the server when this client comes back. 0 where the
    /// server keeps no sessions.
    #[must_use]
    pub fn received_frames(&self) -> u64 {
        self.receipts.as_ref().map_or(0, |receipts| receipts.received())
    }

    /// Tells the server that the resume token of its last greeting or identity is stored, so that the one before is good no more.
    pub fn acknowledge_token(&mut self, out: &mut impl Output) {
        if let Some(receipts) = &mut self.receipts {
            receipts.tell(true, out);
        }
    }

    /// Prepares the connection over which the client comes back, in place of this one, which was lost: one on which nothing was
    /// sent yet. Once the server has greeted there, it is used if the calls do not go on, and given to
    /// [`resume`](Self::resume) if they do. Stream ids go on either way: what still knows a call of before by its id names no
    /// other.
    #[must_use]
    pub fn successor(&self, now: Instant) -> Self {
        let mut successor = Self::new(self.limits.clone(), now);
        // Answers to authentications are told apart over both.
        successor.last_authentication = self.last_authentication;
        successor.answered_authentication = self.last_authentication;
        successor.last_stream_id = self.last_stream_id;
        successor
    }

    /// Goes on where the connection was lost, because the server has greeted its [`successor`](Self::successor) with
    /// `streams_resumed`. Calls, windows and queues stay as they were; what was written before is for
    /// [`Replay`](crate::Replay) to send again.
    pub fn resume(&mut self, successor: &Self, now: Instant) {
        self.greeted = true;
        self.last_authentication = successor.last_authentication;
        self.answered_authentication = successor.answered_authentication;
        self.settle_length();
        self.liveness = Liveness::new(now);
        if let Some(receipts) = &mut self.receipts {
            receipts.are_told();
        }
    }
}
