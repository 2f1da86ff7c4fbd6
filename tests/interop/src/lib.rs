//! gRPC's interoperability test cases, spoken over this project's wire: the sizes and the assertions are those of gRPC's public
//! description (`doc/interop-test-descriptions.md` of the project grpc).
//!
//! [`cases`] is one list; `tests/interop.rs` runs it over a socket, in memory, and with compression. What gRPC has alone
//! (credentials, caching proxies) is left out.

pub mod cases;
pub mod contracts;
pub mod peer;
pub mod service;
pub mod traffic;

rpc_runtime::include_gateway!("grpc.testing");
