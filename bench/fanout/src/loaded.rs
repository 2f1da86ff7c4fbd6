//! The server's process, and what it is that a process of subscribers is told of it.

use crate::crowd::Crowd;
use crate::peers::Peer;
use clap::Args;
use rpc_bench_measure::{CpuClock, Process, text};
use std::net::SocketAddr;

/// A running server.
pub(crate) struct Server {
    process: Process,
    addr: String,
    control: String,
}

impl Server {
    /// Starts the server of `peer`; `setup` as in [`Setup`](crate::serve::Setup).
    pub(crate) fn start(peer: Peer, setup: &[&str]) -> Result<Self, String> {
        let mut process = Process::start(&[&["serve", peer.name()], setup].concat())?;
        Ok(Self {
            addr: process.line()?,
            control: process.line()?,
            process,
        })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Starts subscribers of it: the subcommand and its options, to which those of [`Loaded`] are added.
    pub(crate) fn load(&self, subscribers: &[&str]) -> Result<Process, String> {
        let pid = self.pid().to_string();
        let of_server = ["--addr", &self.addr, "--control", &self.control, "--server", &pid];
        Process::start(&[subscribers, &of_server].concat())
    }
}

/// The server that a process of subscribers loads.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Loaded {
    /// Where it serves.
    #[arg(long)]
    addr: SocketAddr,
    /// Where it is told how much to publish.
    #[arg(long)]
    control: SocketAddr,
    /// Its process id.
    #[arg(long)]
    server: u32,
}

impl Loaded {
    /// Nobody yet of its subscribers; it is that of `peer`.
    pub(crate) fn crowd(&self, peer: Peer) -> Result<Crowd, String> {
        Crowd::new(self.addr, self.control, peer.speaks())
    }

    /// The clock of its CPU time.
    pub(crate) fn cpu(&self) -> Result<CpuClock, String> {
        CpuClock::of(self.server).map_err(text)
    }
}
