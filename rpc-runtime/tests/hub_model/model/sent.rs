//! What was sent to a client directly: once, in order, and in a session that goes on all of it.

use std::collections::HashMap;

/// What was sent to a program.
#[derive(Debug, Default)]
pub struct Sent {
    /// In order.
    pub numbers: Vec<u64>,
    /// How many more came at once than wait for it, by its sessions.
    pub missed: HashMap<String, u64>,
}

impl Sent {
    /// Everything came once, and in order.
    pub fn check_order(&self) {
        assert!(
            self.numbers.is_sorted_by(|a, b| a < b),
            "what is sent comes once, and in order: {:?}",
            self.numbers
        );
    }

    /// Holds it against what was to be sent to a session that goes on. Gives how much of that came.
    pub fn check_session(&self, session: &str, owed: impl Iterator<Item = u64>) -> u64 {
        let (has, never): (Vec<u64>, Vec<u64>) = owed.partition(|number| self.numbers.contains(number));
        let missed = self.missed.get(session).copied().unwrap_or_default();
        assert!(
            never.len() as u64 <= missed,
            "{never:?} never came to {session}, which was told of {missed}"
        );
        has.len() as u64
    }
}
