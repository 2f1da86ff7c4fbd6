//! Turns of presence: what is told a broker of who is in one channel is told one after the other.

use std::hash::{BuildHasher, RandomState};

use tokio::sync::{Mutex, MutexGuard};

use super::ChannelName;

/// Channels share this many turns.
const TURNS: usize = 64;

/// Turns by the channels' names. They outlive what the node knows of a channel.
#[derive(Debug)]
pub(crate) struct PresenceTurns {
    hasher: RandomState,
    turns: Vec<Mutex<()>>,
}

impl Default for PresenceTurns {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            turns: (0..TURNS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl PresenceTurns {
    /// Waits for a channel's turn, which lasts as long as the result.
    pub(crate) async fn of(&self, name: &ChannelName) -> MutexGuard<'_, ()> {
        // Fewer than 2^32 of it matter: there are 64.
        let turn = self.hasher.hash_one(name) as usize % TURNS;
        self.turns[turn].lock().await
    }
}
