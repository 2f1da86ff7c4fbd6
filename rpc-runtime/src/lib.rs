//! The runtime: contracts, codecs, validation and statuses, and the server and client on tokio.
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | what a contract may say: types, rules, options | [`macro@contract`], [`macro@message`], [`macro@rpc`] |
//! | serving, and mounting into axum | [`Server`] |
//! | clients of CMMV, with the feature `cmmv` | `Cmmv` |
//! | TLS, and HTTP for pages, health or metrics on the same port | [`ServerBuilder::tls`](ServerBuilder), [`ServerBuilder::http`] |
//! | calling, reconnecting, TLS | [`Client`], [`ClientBuilder`], and the generated clients around them |
//! | tests without sockets, with a paused clock | [`testing`] |
//! | deadlines | [`UnaryCall::timeout`], `#[message(deadline = "5s")]`, [`Context::remaining`] |
//! | errors, with typed details | [`Status`], [`Status::with_detail`], [`CallError`] |
//! | what stands around calls: interceptors, tower layers | [`middleware`] |
//! | who clients are: authenticators, browsers, cookies, what refusals look like | [`auth`]; JSON Web Tokens are in its module `jwt`, with the feature of that name |
//! | who may call: by a contract, by a check of the call, by one of its request | `auth` and `guard` of [`macro@contract`] and [`macro@message`], [`Guard`], [`RequestGuard`] |
//! | who is connected: when clients come and go, their addresses, what is kept of them | [`Hooks`], [`Session`], [`ConnectInfo`] |
//! | how much and how fast clients may do things | [`RateLimit`], [`Limits`], [`ServerLimits`] |
//! | several endpoints, with parameters in their paths | [`ServerBuilder::endpoint`], [`ConnectInfo::param`] |
//! | spans, W3C trace context, OpenTelemetry | [`trace`] |
//! | typed events to users, channels and clients, with presence, history and recovery | [`hub`] |
//! | metrics, by the facade of the crate `metrics` | [`ServerBuilder::metrics`], [`metrics`](mod@metrics) |
//! | what clients and administrators may ask about sessions | [`services`] |
//! | stopping in order | [`Server::shutdown`] |
//! | texts of others in terminals and logs | [`text`] |
//! | deriving storage or forms from a contract | [`contract::MessageDescriptor`](mod@contract) |
//!
//! A server and a client in one process, without a socket, as tests want it, are made by [`testing`].

extern crate self as rpc_runtime;

pub mod auth;
mod client;
#[cfg(feature = "cmmv")]
mod cmmv;
mod codec;
pub mod codegen;
pub(crate) mod compression;
mod constant;
mod context;
pub mod contract;
mod dispatch;
mod guard;
pub mod hub;
mod limits;
pub mod memory;
mod metadata;
pub mod metrics;
pub mod middleware;
mod random;
mod rate;
mod router;
mod server;
pub mod services;
mod session;
mod sharded;
pub mod status;
mod streaming;
pub mod testing;
pub mod text;
#[cfg(feature = "tls")]
mod tls;
pub mod trace;
mod transport;
pub mod validate;

pub use client::{
    CallError, CallFuture, Client, ClientBuilder, ClientIdentity, ClientLimits, ClientStreamingCall, Closed,
    ConnectionState, Connector, CredentialProvider, Reconnect, ReconnectingSession, Refused, RefusedKind,
    Reply, ServerGreeting, SessionCall, SessionFuture, StreamingCall, UnaryCall,
};
#[cfg(feature = "tls")]
pub use client::{TlsCertificate, TlsRoots};
#[cfg(feature = "cmmv")]
pub use cmmv::Cmmv;
pub use context::{CallId, Context};
#[doc(inline)]
pub use contract::{Contract, ContractEnum, ContractField};
pub use dispatch::{
    BidirectionalMethod, ClientStreamingMethod, Gateway, MethodTable, ServerStreamingMethod, SessionMethod,
    UnaryMethod,
};
pub use guard::{Guard, RequestGuard};
pub use hub::{Event, Events};
pub use limits::Limits;
pub use metadata::Metadata;
pub use middleware::{Encoded, Fallback, UnknownMethod};
pub use rate::{Rate, RateLimit};
pub use router::StartError;
#[doc = include_str!("../docs/events.md")]
pub use rpc_macros::Events;
#[doc = include_str!("../docs/contract.md")]
pub use rpc_macros::contract;
#[doc = include_str!("../docs/message.md")]
pub use rpc_macros::message;
#[doc = include_str!("../docs/rpc.md")]
pub use rpc_macros::rpc;
pub use rpc_protocol::CloseCode;
#[cfg(feature = "tls")]
pub use server::ServerTls;
pub use server::{ClientAddr, Counters, Endpoint, HttpBody, RemoteAddr, Server, ServerBuilder, ServerLimits};
pub use session::{
    ClientId, ClientIdError, ConnectInfo, Headers, Hooks, Refusal, Session, SessionError, SessionState,
    SessionStats, TlsInfo,
};
pub use status::{Code, ResultExt, Status};
pub use streaming::{Outgoing, Streaming};
#[cfg(feature = "tls")]
pub use tls::TlsError;
pub use {bytes, prost, prost_types};

/// Takes in what the build script generated for a protobuf package: the messages of CRUD services, their traits,
/// gateways and clients. The items come to stand where this stands.
///
/// ```ignore
/// rpc_runtime::include_gateway!("task");
/// ```
///
/// The build script says where the module lies, in `RPC_MODULE_<package>`, and which packages there are, in `RPC_BUILD`: a
/// package that has no contract and a build script that is missing are errors that say so.
#[macro_export]
macro_rules! include_gateway {
    ($package:literal) => {
        ::core::include!(::core::env!(
            ::core::concat!("RPC_MODULE_", $package),
            ::core::concat!(
                "no contract of this crate is in the package `",
                $package,
                "`; the build script found contracts of ",
                ::core::env!(
                    "RPC_BUILD",
                    "this crate has no build script that reads its contracts. Add `rpc-build` to [build-dependencies] and a \
                     build.rs with `fn main() { rpc_build::contracts(\"src/contracts.rs\").run() }`"
                )
            )
        ));
    };
}
