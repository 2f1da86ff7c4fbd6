//! How far something long has come, said to a terminal where the output does not show it.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::output;

/// How often it is said.
const PROGRESS: Duration = Duration::from_secs(1);

/// Counts, and says so now and then.
pub(crate) struct Progress {
    shown: bool,
    what: &'static str,
    count: u64,
    began: Instant,
    said: Instant,
}

impl Progress {
    /// Of what is put out one by one: `messages`.
    pub(crate) fn new(what: &'static str) -> Self {
        let mut progress = Self::unseen(what);
        progress.shown &= !std::io::stdout().is_terminal();
        progress
    }

    /// Of what nothing else shows: `messages sent`.
    pub(crate) fn unseen(what: &'static str) -> Self {
        let now = Instant::now();
        Self {
            shown: std::io::stderr().is_terminal(),
            what,
            count: 0,
            began: now,
            said: now,
        }
    }

    pub(crate) fn one_more(&mut self) {
        self.count += 1;
        if self.shown && self.said.elapsed() >= PROGRESS {
            self.said = Instant::now();
            output::note(&format!(
                "{} {} in {} s",
                self.count,
                self.what,
                self.began.elapsed().as_secs()
            ));
        }
    }
}
