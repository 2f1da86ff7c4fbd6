//! The runtime: contracts, codecs, validation and statuses, and the server and client on tokio.

extern crate self as rpc_runtime;

mod client;
mod codec;
pub mod codegen;
mod context;
pub mod contract;
mod dispatch;
mod limits;
pub mod memory;
mod router;
mod server;
mod session;
pub mod status;
mod streaming;
mod transport;
pub mod validate;

pub use client::{CallError, CallFuture, Client, Closed, Refused, UnaryCall};
pub use context::{CallId, Context, Metadata};
#[doc(inline)]
pub use contract::{Contract, ContractEnum, ContractField};
pub use dispatch::{Gateway, MethodTable, UnaryMethod};
pub use limits::Limits;
pub use router::StartError;
pub use rpc_macros::{contract, message, rpc};
pub use rpc_protocol::CloseCode;
pub use server::{RemoteAddr, Server, ServerBuilder};
pub use session::{ClientId, ConnectInfo, Headers, Session};
pub use status::{Code, ResultExt, Status};
pub use streaming::{Outgoing, Streaming};
pub use {bytes, prost, prost_types};

/// Takes in what the build script generated for a protobuf package: the messages of CRUD services, their traits,
/// gateways and clients. The items come to stand where this stands.
///
/// ```ignore
/// rpc_runtime::include_gateway!("task");
/// ```
#[macro_export]
macro_rules! include_gateway {
    ($package:literal) => {
        ::core::include!(::core::concat!(
            ::core::env!("OUT_DIR"),
            "/rpc/",
            $package,
            ".rs"
        ));
    };
}
