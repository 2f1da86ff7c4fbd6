//! Accounts: what each user, and each client that nobody knows, takes of the broker's memory by its events and its members, so that none
//! takes that of all others.

use std::collections::hash_map::Entry;

use super::super::Origin;
use crate::sharded::Sharded;

/// The accounts of those who have something in a history, or are in a channel. The program itself has none.
#[derive(Debug, Default)]
pub(super) struct Ledger(Sharded<Origin, Taken>);

/// What is on an account, or may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Channels whose history it has begun.
    pub(super) channels: usize,
    /// What its events and members, and those channels, count for.
    pub(super) bytes: usize,
}

impl Ledger {
    /// Writes more on an account, unless that is more than it may have.
    pub(super) fn take(&self, origin: &Origin, more: Taken, most: Taken) -> bool {
        if *origin == Origin::Server {
            return true;
        }
        let mut shard = self.0.of(origin);
        let before = shard.get(origin).copied().unwrap_or_default();
        let after = Taken {
            channels: before.channels + more.channels,
            bytes: before.bytes + more.bytes,
        };
        // What is begun already may go on where no channel is added.
        let fits = (more.channels == 0 || after.channels <= most.channels) && after.bytes <= most.bytes;
        if fits {
            shard.insert(origin.clone(), after);
        }
        fits
    }

    /// Takes something off an account.
    pub(super) fn give_back(&self, origin: &Origin, less: Taken) {
        if *origin == Origin::Server {
            return;
        }
        if let Entry::Occupied(mut account) = self.0.of(origin).entry(origin.clone()) {
            let taken = account.get_mut();
            taken.channels -= less.channels;
            taken.bytes -= less.bytes;
            if *taken == Taken::default() {
                account.remove();
            }
        }
    }

    /// How many accounts there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
