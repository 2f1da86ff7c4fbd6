//! The runtime: contracts, codecs, validation and statuses, and the server and client on tokio.

extern crate self as rpc_runtime;

mod codec;
pub mod codegen;
pub mod contract;
pub mod status;
pub mod validate;

pub use status::{Code, ResultExt, Status};
