//! What a question that has failed means for a channel: who goes on, who is told, and what is still said of the program.

use std::task::Waker;

use tokio::time::Instant;

use super::Feed;
use crate::{
    CallError, Code, Reconnect,
    client::hub::sub::{Stage, Sub},
    services::hub::TypedMessage,
};

/// What is known where a question has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::client::hub) enum Failed {
    /// Not whether the server has done what it was asked.
    Unanswered,
    /// The same where it was asked to end the subscription: whoever has begun one since has not been asked for.
    NotLeft,
    /// The server has refused, and does not say that the client hears the channel.
    Refused,
    /// The server has refused, and the client hears the channel as it did before.
    AsBefore,
}

impl Feed {
    /// The server could not be asked, or refuses it. `says`: what the question had of the program.
    pub(in crate::client::hub) fn refused(
        &mut self,
        error: &CallError,
        failed: Failed,
        says: Option<&TypedMessage>,
        now: Instant,
        woken: &mut Vec<Waker>,
    ) {
        let passes = passes(error);
        let is_bad = error.code() == Some(Code::InvalidArgument);
        // What it says of the subscription may be older than an end that it has told, or than a beginning.
        let (ended, begun) = (
            std::mem::take(&mut self.doubtful),
            std::mem::take(&mut self.granted_meanwhile),
        );
        let failed = match failed {
            Failed::Unanswered | Failed::NotLeft => failed,
            // Behind an end, if there was one.
            _ if begun => Failed::AsBefore,
            Failed::AsBefore if ended => Failed::Refused,
            failed => failed,
        };
        let is_answered = matches!(failed, Failed::Refused | Failed::AsBefore);
        self.was_asking = !is_answered;
        let is_new = failed != Failed::NotLeft && says != self.taken.as_ref();
        let is_full = is_answered && error.code() == Some(Code::ResourceExhausted);
        // Where what the program says of itself may be why, or where whoever has said it is told, it is as if it had not been said.
        let is_undone = !passes
            || is_full && failed == Failed::AsBefore
            || self.subs.iter().any(|sub| sub.first.is_some());
        if is_new && is_undone && self.says.as_ref() == says {
            self.taken = self.taken.take().or(self.still.take());
            self.says.clone_from(&self.taken);
            // The server may have taken it all the same. Where nothing was said before, there is no word for that.
            self.is_taken_doubtful = !is_answered && passes && self.taken.is_some();
        }
        if is_full && says.is_some() && self.says.as_ref() == says {
            self.withholds = true;
            self.still = self.taken.clone().filter(|_| !ended);
        }
        let is_out = failed == Failed::Refused && !is_bad;
        if is_out {
            // Who may not hear the channel any more has stopped to hear it by that. What passes may have left everything as it was.
            self.still = None;
            self.confirmed = false;
            self.entangled &= passes;
            self.subs.iter_mut().for_each(Sub::lose);
        } else if failed != Failed::Refused {
            self.entangled = true;
        }
        let is_asked =
            |stage| failed != Failed::NotLeft && stage == Stage::Needs || is_out && stage == Stage::Full;
        // Whoever was there goes on.
        let goes_on = passes || is_answered && is_new && is_bad;
        let fails = |sub: &Sub| is_asked(sub.stage) && (sub.first.is_some() || !goes_on);
        for sub in self.subs.extract_if(.., |sub| fails(sub)) {
            sub.fail(error.clone(), woken);
        }
        if self.subs.is_empty() && !passes && (is_out || !is_answered) {
            // Out is what they want to be.
            let told = if is_out { Ok(()) } else { Err(error.clone()) };
            let left = self.left.drain(..);
            left.for_each(|waits| drop(waits.send(told.clone())));
            self.entangled = false;
        }
        self.failures = self.failures.saturating_add(1);
        let asked = error.status().and_then(crate::Status::retry_delay);
        let wait = Reconnect::default().wait(self.failures, asked.unwrap_or_default());
        self.not_before = now.checked_add(wait);
    }
}

/// Whether asking again may go better.
fn passes(error: &CallError) -> bool {
    use Code::{Aborted, Cancelled, DeadlineExceeded, Internal, ResourceExhausted, Unavailable, Unknown};
    match error {
        CallError::Status(status) => matches!(
            status.code(),
            Aborted | Cancelled | DeadlineExceeded | Internal | ResourceExhausted | Unavailable | Unknown
        ),
        _ => true,
    }
}
