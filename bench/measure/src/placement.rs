//! Where the scheduler may put the two processes of a measurement.

use crate::text;
use clap::ValueEnum;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

/// Where the scheduler may put server and client.
///
/// A wake-up across cores of a virtual machine costs some 25 microseconds, one on the same core 3. Left alone, the
/// scheduler changes its mind between runs, which moves what sleeps often by more than any program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Placement {
    /// Anywhere: which of the other two it is may change within a second.
    Free,
    /// The server on the first core, the client on the second: every wake-up crosses cores.
    Apart,
    /// Both on the first core: no wake-up does.
    Together,
}

/// Whose process this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What is measured.
    Server,
    /// What loads it.
    Client,
}

impl Placement {
    /// The name on the command line and in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Apart => "apart",
            Self::Together => "together",
        }
    }

    /// Keeps this process to its core. Called before any other thread is started, so that all of them keep to it.
    pub fn place(self, side: Side) -> Result<(), String> {
        let core = match (self, side) {
            (Self::Free, _) => return Ok(()),
            (Self::Apart, Side::Client) => 1,
            (Self::Apart, Side::Server) | (Self::Together, _) => 0,
        };
        let mut cores = CpuSet::new();
        cores.set(core).map_err(text)?;
        sched_setaffinity(Pid::from_raw(0), &cores).map_err(text)
    }
}
