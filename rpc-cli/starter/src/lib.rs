//! A guest book: its contracts, its service, and the client that the build makes of them.

pub mod contracts;
mod service;

pub use service::server;

rpc_runtime::include_gateway!("crate_name");
