//! Events that are not for this client, because it has published them so: nobody waits for them.

use std::{collections::HashSet, ops::Range};

use crate::hub::Position;

/// So many are remembered of a channel.
const MOST: usize = 1_024;

/// Offsets of one history: in another they are those of other events.
#[derive(Debug, Default)]
pub(super) struct Skips {
    epoch: u64,
    offsets: HashSet<u64>,
}

impl Skips {
    /// Remembers one. Of those that are forgotten for it the server is asked, as of any that are missing.
    pub(super) fn add(&mut self, position: Position) {
        if self.epoch != position.epoch || self.offsets.len() >= MOST {
            self.offsets.clear();
        }
        self.epoch = position.epoch;
        self.offsets.insert(position.offset);
    }

    /// Whether all events between two are among them.
    pub(super) fn have(&self, epoch: u64, mut between: Range<u64>) -> bool {
        let count = between.end.saturating_sub(between.start);
        let may_be = count == 0 || epoch == self.epoch && count <= MOST as u64;
        may_be && between.all(|offset| self.offsets.contains(&offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_skipped_in_one_history_is_not_in_the_next() {
        let at = |epoch, offset| Position { epoch, offset };
        let mut skips = Skips::default();
        assert!(skips.have(1, 6..6) && !skips.have(1, 6..7));
        skips.add(at(1, 6));
        skips.add(at(1, 7));
        assert!(skips.have(1, 6..8) && !skips.have(1, 6..9));
        assert!(skips.have(2, 6..6) && !skips.have(2, 6..7));
        skips.add(at(2, 9));
        assert!(skips.have(2, 9..10) && !skips.have(2, 6..7));
    }

    #[test]
    fn the_latest_is_remembered_however_many_there_were() {
        let mut skips = Skips::default();
        for offset in 1..=3 * MOST as u64 {
            skips.add(Position { epoch: 1, offset });
            assert!(skips.have(1, offset..offset + 1));
            assert!(skips.offsets.len() <= MOST);
        }
    }
}
