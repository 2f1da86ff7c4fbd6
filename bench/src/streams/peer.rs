//! The peers of the streams, and which server and client each stands for.

use super::load::measure;
use super::shape::StreamShape;
use super::{floor, rpc, rpc_raw, tonic};
use crate::fairness::{self, Latencies, Traffic, measure_beside};
use crate::load::Measured;
use crate::results::Row;
use clap::ValueEnum;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// One row of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StreamPeer {
    /// tokio-tungstenite, without windows.
    Floor,
    /// This project, its server under the floor's load.
    RpcRaw,
    /// This project, server and client.
    Rpc,
    /// tonic as it comes.
    Tonic,
    /// tonic with wide windows and long frames.
    TonicWide,
}

impl StreamPeer {
    /// All peers, in the order in which a round measures them.
    pub(crate) const ALL: [Self; 5] = [Self::Floor, Self::RpcRaw, Self::Rpc, Self::Tonic, Self::TonicWide];

    /// The peers that have calls beside streams.
    pub(crate) const WITH_CALLS: [Self; 4] = [Self::RpcRaw, Self::Rpc, Self::Tonic, Self::TonicWide];

    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::RpcRaw => "rpc-raw",
            Self::Rpc => "rpc",
            Self::Tonic => "tonic",
            Self::TonicWide => "tonic-wide",
        }
    }

    /// Serves until the process ends.
    pub(crate) async fn serve(self, listener: TcpListener, read_buffer: usize) -> Result<(), String> {
        match self {
            Self::Floor => floor::serve(listener, read_buffer).await,
            Self::RpcRaw | Self::Rpc => rpc::serve(listener).await,
            Self::Tonic => tonic::serve(listener, false).await,
            Self::TonicWide => tonic::serve(listener, true).await,
        }
    }

    /// Measures this peer's server with its own client.
    pub(crate) fn measure(
        self,
        runtime: &Runtime,
        addr: SocketAddr,
        server: u32,
        shape: StreamShape,
        warm_up: Duration,
        window: Duration,
    ) -> Result<Measured, String> {
        runtime.block_on(async {
            match self {
                Self::Floor => measure::<floor::FloorClient>(addr, server, shape, warm_up, window).await,
                Self::RpcRaw => measure::<rpc_raw::RawClient>(addr, server, shape, warm_up, window).await,
                Self::Rpc => measure::<rpc::RpcClient>(addr, server, shape, warm_up, window).await,
                Self::Tonic => {
                    measure::<tonic::TonicClient<false>>(addr, server, shape, warm_up, window).await
                }
                Self::TonicWide => {
                    measure::<tonic::TonicClient<true>>(addr, server, shape, warm_up, window).await
                }
            }
        })
    }

    /// Measures calls beside streams, with this peer's own client: one of [`WITH_CALLS`](Self::WITH_CALLS).
    pub(crate) fn measure_beside(
        self,
        runtime: &Runtime,
        addr: SocketAddr,
        traffic: Traffic,
        warm_up: Duration,
        window: Duration,
    ) -> Result<Latencies, String> {
        runtime.block_on(async {
            match self {
                Self::Floor => Err("it has no calls beside streams".to_owned()),
                Self::RpcRaw => fairness::rpc_raw::measure_beside(addr, traffic, warm_up, window).await,
                Self::Rpc => measure_beside::<rpc::RpcClient>(addr, traffic, warm_up, window).await,
                Self::Tonic => {
                    measure_beside::<tonic::TonicClient<false>>(addr, traffic, warm_up, window).await
                }
                Self::TonicWide => {
                    measure_beside::<tonic::TonicClient<true>>(addr, traffic, warm_up, window).await
                }
            }
        })
    }
}

impl Row for StreamPeer {
    fn title(self) -> &'static str {
        match self {
            Self::Floor => "floor (tokio-tungstenite, no windows)",
            Self::RpcRaw => "rpc, the floor's client",
            Self::Rpc => "rpc, its own client",
            Self::Tonic => "tonic",
            Self::TonicWide => "tonic, wide windows",
        }
    }
}
