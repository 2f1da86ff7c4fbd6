//! What may interrupt a subscription of the server's besides its connection: that it is told again, and that it crosses with an end.

use std::ops::RangeInclusive;

use tokio::time::Instant;

/// A subscription that the server has made, as its program was told of it.
pub struct Made<'a> {
    /// When the server was told to make one, each time.
    pub granted: &'a [Instant],
    /// When its program has given the channel up, each time.
    pub left: &'a [Instant],
    /// What was made in this time may have been told on the connection before, and is told again on this one of the same session.
    pub again: Option<RangeInclusive<Instant>>,
    /// Of an end in this time the server may not have known.
    pub crosses: RangeInclusive<Instant>,
}

impl Made<'_> {
    /// How often it may have been interrupted. What came behind one that is told again is gone with the connection before; one that the
    /// server has made while the client's end of the channel was on its way ends with that, and is asked for again.
    pub fn interruptions(&self) -> u64 {
        let again = self.again.as_ref();
        let is_again = again.is_some_and(|again| self.granted.iter().any(|at| again.contains(at)));
        let is_crossed = self.left.iter().any(|at| self.crosses.contains(at));
        u64::from(is_again) + u64::from(is_crossed)
    }
}
