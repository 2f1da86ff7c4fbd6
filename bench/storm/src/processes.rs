//! The server's process, looked at from outside.

use crate::server::State;
use rpc_bench_measure::{CpuClock, Process, resident, text};
use std::net::SocketAddr;
use std::time::Duration;

/// A running server.
pub(crate) struct Server {
    process: Process,
    /// Where it serves.
    pub(crate) addr: SocketAddr,
    clock: CpuClock,
}

/// What a server takes at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// Resident memory, in bytes.
    pub(crate) resident: u64,
    /// Open descriptors of its first thread: of all, where no thread has a table of its own.
    pub(crate) descriptors: usize,
    /// What it says itself.
    pub(crate) state: State,
    /// User and system time so far.
    pub(crate) cpu: Duration,
}

impl Server {
    /// Starts a server for so many connections; `threads` as in [`Setup`](crate::server::Setup).
    pub(crate) fn start(connections: usize, connects: Option<u32>, threads: usize) -> Result<Self, String> {
        let (connections, threads) = (connections.to_string(), threads.to_string());
        let connects = connects.map(|connects| connects.to_string());
        let mut arguments = vec!["serve", "--connections", &connections, "--threads", &threads];
        if let Some(connects) = &connects {
            arguments.extend(["--connects", connects]);
        }
        let mut process = Process::start(&arguments)?;
        let addr = process.line()?.parse().map_err(text)?;
        Ok(Self {
            clock: process.cpu()?,
            process,
            addr,
        })
    }

    /// What it takes now.
    pub(crate) fn held(&mut self) -> Result<Held, String> {
        let state = self.process.ask("state")?;
        let descriptors = format!("/proc/{}/fd", self.process.pid());
        Ok(Held {
            resident: resident(self.process.pid()).map_err(text)?,
            descriptors: std::fs::read_dir(descriptors).map_err(text)?.count(),
            state,
            cpu: self.cpu()?,
        })
    }

    /// User and system time so far.
    pub(crate) fn cpu(&self) -> Result<Duration, String> {
        self.clock.now().map_err(text)
    }

    /// Has it close everybody but the callers.
    pub(crate) fn close_all(&mut self) -> Result<usize, String> {
        self.process.ask("close")
    }
}
