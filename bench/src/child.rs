//! Starting and ending the processes of a run. Each is ended by its own id, and none can outlive the run.

use crate::extras::Extra;
use crate::fairness::{Latencies, Traffic};
use crate::load::Measured;
use crate::options::Options;
use crate::peers::{Peer, text};
use crate::shape::Shape;
use crate::streams::{StreamPeer, StreamShape};
use rpc_bench_measure::{Placement, Process};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::time::Duration;

/// What a client may take over the time it was told to measure.
const GRACE: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct Server {
    process: Process,
    addr: SocketAddr,
    placement: Placement,
}

impl Server {
    /// Starts the server of `peer` on a free port.
    pub(crate) fn start(peer: Peer, placement: Placement, options: &Options) -> Result<Self, String> {
        Self::start_as("serve", peer.name(), placement, options)
    }

    /// Starts the server of `peer`'s streams on a free port.
    pub(crate) fn start_streams(
        peer: StreamPeer,
        placement: Placement,
        options: &Options,
    ) -> Result<Self, String> {
        Self::start_as("serve-streams", peer.name(), placement, options)
    }

    /// Starts a server with `extra` on a free port.
    pub(crate) fn start_extra(extra: Extra, placement: Placement, options: &Options) -> Result<Self, String> {
        Self::start_as("serve-extra", extra.name(), placement, options)
    }

    fn start_as(command: &str, peer: &str, placement: Placement, options: &Options) -> Result<Self, String> {
        let read_buffer = options.read_buffer.to_string();
        let arguments = [
            command,
            peer,
            "--read-buffer",
            &read_buffer,
            "--placement",
            placement.name(),
        ];
        let arguments = arguments.map(str::to_owned);
        let mut process = Process::start(&arguments)?;
        let addr = process.line()?.parse().map_err(text)?;
        Ok(Self {
            process,
            addr,
            placement,
        })
    }

    /// The server's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Runs the client of `peer` against this server.
    pub(crate) fn load(&self, peer: Peer, shape: Shape, options: &Options) -> Result<Measured, String> {
        self.client("load", peer.name(), &shape.arguments(), options)
    }

    /// Runs the floor's client against this server with `extra`.
    pub(crate) fn load_extra(
        &self,
        extra: Extra,
        shape: Shape,
        options: &Options,
    ) -> Result<Measured, String> {
        self.client("load-extra", extra.name(), &shape.arguments(), options)
    }

    /// Runs the streams of `peer`'s client against this server.
    pub(crate) fn load_streams(
        &self,
        peer: StreamPeer,
        shape: StreamShape,
        options: &Options,
    ) -> Result<Measured, String> {
        self.client("load-streams", peer.name(), &shape.arguments(), options)
    }

    /// Runs calls beside streams of `peer`'s client against this server.
    pub(crate) fn load_beside(
        &self,
        peer: StreamPeer,
        traffic: Traffic,
        options: &Options,
    ) -> Result<Latencies, String> {
        let arguments = [("--traffic", traffic.name().to_owned())];
        self.client("load-beside", peer.name(), &arguments, options)
    }

    /// Runs a client that measures for the window of `options`, and reads what it prints.
    fn client<T: DeserializeOwned>(
        &self,
        command: &str,
        peer: &str,
        more: &[(&str, String)],
        options: &Options,
    ) -> Result<T, String> {
        let window = options.window();
        let mut arguments = vec![command.to_owned(), peer.to_owned()];
        let common = [
            ("--addr", self.addr.to_string()),
            ("--server", self.pid().to_string()),
            ("--window-ms", window.as_millis().to_string()),
            ("--placement", self.placement.name().to_owned()),
        ];
        for (name, value) in common.iter().chain(more) {
            arguments.extend([(*name).to_owned(), value.clone()]);
        }
        let output = Process::start(&arguments)?.finish(window * 2 + GRACE)?;
        serde_json::from_str(&output).map_err(text)
    }

    /// Starts a client that holds connections to this server.
    pub(crate) fn hold(&self, peer: Peer) -> Result<Holder, String> {
        let arguments = ["hold", peer.name(), "--addr", &self.addr.to_string()].map(str::to_owned);
        Ok(Holder(Process::start(&arguments)?))
    }
}

/// A client that holds connections.
pub(crate) struct Holder(Process);

impl Holder {
    /// Opens `connections` more, with one call on each.
    pub(crate) fn open(&mut self, connections: usize) -> Result<(), String> {
        self.0.tell(&connections.to_string())?;
        self.0.line().map(drop)
    }
}
