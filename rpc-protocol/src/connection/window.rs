//! The arithmetic of windows, one type for each direction.
//!
//! A window is what one side lets the other send without waiting, in bytes. It belongs to a stream or to the
//! connection. Both ends count the same numbers: what the sender has left once it has read all credit is what the
//! receiver believes it to have.

/// What a data frame counts for on top of its body.
///
/// Without it a window would not bound the number of messages: empty ones would be free, and a message of one byte
/// takes some fifty of memory until the application reads it.
pub const DATA_FRAME_COST: usize = 32;

/// Windows end here, so that sums of a few of them do not overflow.
const LARGEST: i64 = 1 << 60;

/// A size as a window counts it.
#[inline]
pub(crate) fn bytes(size: usize) -> i64 {
    i64::try_from(size).map_or(LARGEST, |size| size.min(LARGEST))
}

/// What a frame takes of a window. No frame is longer than memory is, which an `i64` holds.
#[inline]
#[expect(clippy::cast_possible_wrap, reason = "no slice is longer than isize::MAX")]
fn taken(cost: usize) -> i64 {
    cost as i64
}

/// What this side may still send.
///
/// ```text
///          take: one frame, whatever its length
///   open ────────────────────────────────────────▶ shut (0 or less)
///     ▲                                              │
///     └───────────────── add: a credit ──────────────┘
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct SendWindow(i64);

impl SendWindow {
    pub(crate) fn new(size: usize) -> Self {
        Self(bytes(size))
    }

    /// Whether a frame may be sent.
    #[inline]
    pub(crate) fn is_open(self) -> bool {
        self.0 > 0
    }

    /// A frame is sent; it may be longer than what was left.
    #[inline]
    pub(crate) fn take(&mut self, cost: usize) {
        self.0 -= taken(cost);
    }

    /// A credit came. More than a window can hold is as good as what it can hold.
    pub(crate) fn add(&mut self, credit: u64) {
        let credit = i64::try_from(credit).unwrap_or(LARGEST);
        self.0 = self.0.saturating_add(credit).min(LARGEST);
    }
}

/// What the peer may still send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReceiveWindow {
    /// What the peer has left once it has read every credit that was sent.
    left: i64,
    /// What the window begins with.
    size: i64,
}

/// The peer sent although its window was shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violated;

impl ReceiveWindow {
    pub(crate) fn new(size: usize) -> Self {
        let size = bytes(size);
        Self { left: size, size }
    }

    #[inline]
    pub(crate) fn size(self) -> i64 {
        self.size
    }

    /// The window is announced to be so much larger.
    pub(crate) fn grow(&mut self, by: i64) {
        self.left += by;
        self.size += by;
    }

    /// A frame has come.
    #[inline]
    pub(crate) fn take(&mut self, cost: usize) -> Result<(), Violated> {
        if self.left <= 0 {
            return Err(Violated);
        }
        self.left -= taken(cost);
        Ok(())
    }

    /// The credit that brings what the peer has left to `target`, where it is worth a frame: half of the window.
    /// Counts it as sent.
    #[inline]
    pub(crate) fn credit_to(&mut self, target: i64) -> Option<u64> {
        let credit = target - self.left;
        // Halved by a shift: sizes are positive, and this is done for every call.
        if credit < self.size >> 1 {
            return None;
        }
        self.left = target;
        u64::try_from(credit).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_one_frame_more_than_it_holds_and_then_none() {
        let mut send = SendWindow::new(100);
        let mut receive = ReceiveWindow::new(100);
        for cost in [99, 500] {
            assert!(send.is_open());
            send.take(cost);
            assert_eq!(receive.take(cost), Ok(()));
        }
        assert!(!send.is_open());
        assert_eq!(receive.take(0), Err(Violated));
        send.add(499);
        assert!(!send.is_open(), "exactly nothing is left");
        send.add(1);
        assert!(send.is_open());
    }

    #[test]
    fn credit_is_sent_from_half_of_the_window_on() {
        let mut receive = ReceiveWindow::new(100);
        receive.take(49).unwrap();
        assert_eq!(receive.credit_to(100), None);
        receive.take(1).unwrap();
        assert_eq!(receive.credit_to(99), None);
        assert_eq!(receive.credit_to(100), Some(50));
        assert_eq!(receive.credit_to(100), None);
    }

    #[test]
    fn credits_without_end_do_not_overflow() {
        let mut send = SendWindow::new(usize::MAX);
        for _ in 0..100 {
            send.add(u64::MAX);
        }
        send.take(1);
        assert!(send.is_open());
    }
}
