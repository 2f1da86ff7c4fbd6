//! What a subscription is told beside events: that some are missing, and why it ends.

use std::fmt;

use crate::{CallError, Status, hub::Position};

/// What a subscription gives instead of an event.
///
/// A [gap](Self::Gap) is no end: the next item goes on behind it. All others are the last item.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// Events are missing here that cannot be had any more.
    #[error(transparent)]
    Gap(Gap),
    /// The server did not take the subscription up again, after a reconnect or when missed events were asked for: the client
    /// has no right to it any more.
    #[error("the server refuses the subscription: {0}")]
    Refused(Status),
    /// The server has ended the subscription, for the reason that it gives.
    #[error("the server has ended the subscription: {0}")]
    Ended(Status),
    /// The client is closed for good.
    #[error(transparent)]
    Closed(CallError),
}

impl SubscriptionError {
    /// Whether it is the last item. Only a gap is not.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Gap(_))
    }
}

/// Events are missing that cannot be had any more: whoever counts on all of them has to read anew what they are about.
///
/// It stands where they are missing: what was given before was there before, and what comes after it was published after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// The last position before it; `None` where the channel has no history, or nothing was known.
    pub last: Option<Position>,
    /// The position from which it goes on: what comes is behind it. `None` where the channel has no history.
    pub next: Option<Position>,
    /// How many are missing, where that is known: those that the program did not read in time are counted.
    pub missed: Option<u64>,
    /// Why.
    pub cause: GapCause,
}

/// Why events are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GapCause {
    /// The channel's history does not have, or does not give, everything that was published since: it was too much, too
    /// long ago, or the history itself was lost.
    NotRecovered,
    /// The connection was lost, or more came than could be kept, and there is no history to recover from. Perhaps nothing was
    /// published meanwhile: nobody knows.
    NoHistory,
    /// The program, or the connection, did not take events in time, and there is no history to recover from.
    NotRead,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.cause {
            GapCause::NotRecovered => "events are missing that the channel's history does not give any more",
            GapCause::NoHistory => {
                "events may be missing, and the channel has no history to recover them from"
            }
            GapCause::NotRead => "events were not read in time, and cannot be recovered",
        })?;
        match self.missed {
            Some(missed) => write!(f, " ({missed} of them)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Gap {}
