//! The wall clock, which this program moves.

use std::{
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::Outcome;

/// A day, in seconds.
pub(crate) const DAY: i64 = 24 * 60 * 60;

/// The file from which libfaketime reads how far the clock is moved.
const FILE: &str = "FAKETIME_TIMESTAMP_FILE";

/// The wall clock of this process.
pub(crate) struct Wall {
    file: PathBuf,
    /// Both clocks when the program began.
    began: (f64, Instant),
}

impl Wall {
    pub(crate) fn new() -> Outcome<Self> {
        let file = std::env::var_os(FILE)
            .ok_or("the clock cannot be moved: this program is run by `cargo xtask clock`")?;
        Ok(Self {
            file: file.into(),
            began: (seconds(), Instant::now()),
        })
    }

    /// What it shows now, in seconds since the epoch.
    pub(crate) fn seconds(&self) -> f64 {
        seconds()
    }

    /// Moves it by so many seconds from where it would be, and sees that it has moved and the monotonic one has not.
    pub(crate) async fn move_by(&self, by: i64) -> Outcome {
        // Renamed, so that nobody reads half of it.
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{by:+}\n"))?;
        std::fs::rename(&new, &self.file)?;
        let (wall, monotonic) = self.began;
        for _ in 0..500 {
            let moved = seconds() - wall - monotonic.elapsed().as_secs_f64();
            let expected = by as f64;
            if (moved - expected).abs() < 60.0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(format!("the clock was to be moved by {by} s and is not: is libfaketime loaded?").into())
    }
}

fn seconds() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}
