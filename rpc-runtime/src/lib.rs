//! The runtime: contracts, codecs, validation and statuses, and the server and client on tokio.

extern crate self as rpc_runtime;

mod codec;
pub mod codegen;
pub mod contract;
pub mod memory;
pub mod status;
pub mod validate;

#[doc(inline)]
pub use contract::{Contract, ContractEnum, ContractField};
pub use rpc_macros::{contract, message, rpc};
pub use status::{Code, ResultExt, Status};
pub use {bytes, prost, prost_types};
