//! What the messages of streams take in memory, over all streams of one connection.
//!
//! A handler may keep the message that it has read last for as long as it likes. So each stream is charged with its
//! largest message until it is over.

use std::sync::{Arc, atomic::Ordering};

use super::Session;

/// What one stream is charged with.
pub(crate) struct Held {
    session: Arc<Session>,
    bytes: u64,
    /// What all streams of the connection may be charged with together.
    most: u64,
}

impl Held {
    pub(crate) fn new(session: Arc<Session>, most: u64) -> Self {
        Self {
            session,
            bytes: 0,
            most,
        }
    }

    /// Whether a message of so many bytes may be made, which is charged then.
    pub(crate) fn allows(&mut self, bytes: u64) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        if more == 0 {
            return true;
        }
        let before = self.session.held.fetch_add(more, Ordering::Relaxed);
        if before.saturating_add(more) > self.most {
            self.session.held.fetch_sub(more, Ordering::Relaxed);
            return false;
        }
        self.bytes = bytes;
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.session.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
