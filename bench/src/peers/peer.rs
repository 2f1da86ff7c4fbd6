//! The list of peers, and which server and client each stands for.

use super::{Client, axum_ws, floor, jsonrpsee_ws, rpc, rpc_raw, tarpc_tcp, text, tonic_grpc, websocket};
use crate::load::{Measured, hold, measure};
use crate::results::Row;
use crate::shape::{SMALL_LABEL, Shape};
use clap::ValueEnum;
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// One row of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// tokio-tungstenite and the messages.
    Floor,
    /// This project, its server under the floor's load.
    RpcRaw,
    /// This project, server and client.
    Rpc,
    /// tonic.
    Tonic,
    /// jsonrpsee over WebSocket.
    Jsonrpsee,
    /// tarpc over TCP with bincode.
    Tarpc,
    /// axum's WebSocket, one flush per reply.
    Axum,
}

/// What is done with the client of a peer, chosen at run time.
macro_rules! with_client {
    ($peer:expr, $function:ident ($($argument:expr),*)) => {
        match $peer {
            Peer::Floor | Peer::Axum => $function::<websocket::BareClient>($($argument),*).await,
            Peer::RpcRaw => $function::<rpc_raw::RawClient>($($argument),*).await,
            Peer::Rpc => $function::<rpc::RpcClient>($($argument),*).await,
            Peer::Tonic => $function::<tonic_grpc::TonicClient>($($argument),*).await,
            Peer::Jsonrpsee => $function::<jsonrpsee_ws::JsonrpseeClient>($($argument),*).await,
            Peer::Tarpc => $function::<tarpc_tcp::TarpcClient>($($argument),*).await,
        }
    };
}

impl Peer {
    /// All peers, in the order in which a round measures them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Floor,
        Self::RpcRaw,
        Self::Rpc,
        Self::Tonic,
        Self::Jsonrpsee,
        Self::Tarpc,
        Self::Axum,
    ];
    /// The rows that are this project's.
    pub(crate) const OURS: [Self; 2] = [Self::RpcRaw, Self::Rpc];

    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::RpcRaw => "rpc-raw",
            Self::Rpc => "rpc",
            Self::Tonic => "tonic",
            Self::Jsonrpsee => "jsonrpsee",
            Self::Tarpc => "tarpc",
            Self::Axum => "axum",
        }
    }

    /// Serves until the process ends.
    pub(crate) async fn serve(self, listener: TcpListener, read_buffer: usize) -> Result<(), String> {
        match self {
            Self::Floor => floor::serve(listener, read_buffer).await,
            Self::RpcRaw | Self::Rpc => rpc::serve(listener).await,
            Self::Tonic => tonic_grpc::serve(listener).await,
            Self::Jsonrpsee => jsonrpsee_ws::serve(listener).await,
            Self::Tarpc => tarpc_tcp::serve(listener).await,
            Self::Axum => axum_ws::serve(listener).await,
        }
    }

    /// Measures this peer's server with its own client.
    pub(crate) fn measure(
        self,
        runtime: &Runtime,
        addr: SocketAddr,
        server: u32,
        shape: Shape,
        warm_up: Duration,
        window: Duration,
    ) -> Result<Measured, String> {
        runtime.block_on(async { with_client!(self, measure(addr, server, shape, warm_up, window)) })
    }

    /// Opens as many connections as each line of standard input says, and holds all of them until it ends.
    pub(crate) fn hold(self, runtime: &Runtime, addr: SocketAddr) -> Result<(), String> {
        runtime.block_on(async { with_client!(self, hold_lines(addr)) })
    }
}

impl Row for Peer {
    fn title(self) -> &'static str {
        match self {
            Self::Floor => "floor (tokio-tungstenite)",
            Self::RpcRaw => "rpc, the floor's client",
            Self::Rpc => "rpc, its own client",
            Self::Tonic => "tonic",
            Self::Jsonrpsee => "jsonrpsee (ws)",
            Self::Tarpc => "tarpc (tcp, bincode)",
            Self::Axum => "axum ws, flush per reply",
        }
    }
}

async fn hold_lines<C: Client>(addr: SocketAddr) -> Result<(), String> {
    let mut held: Vec<C> = Vec::new();
    loop {
        let mut line = String::new();
        let stdin = std::io::stdin();
        if stdin.lock().read_line(&mut line).map_err(text)? == 0 {
            return Ok(());
        }
        held.extend(hold(addr, line.trim().parse().map_err(text)?, SMALL_LABEL).await?);
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{}", held.len())
            .and_then(|()| stdout.flush())
            .map_err(text)?;
    }
}
