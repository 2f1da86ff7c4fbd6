//! Turns a resolved schema into text: the `.proto` of each file, and the generated module of each package.
//!
//! Everything here is a pure function of the schema. Everything is in the order of declaration, or sorted, so that the
//! same contracts give the same bytes.

mod changes;
mod client;
mod code;
mod gateway;
mod messages;
pub(crate) mod module;
mod prost_traits;
pub(crate) mod proto;
mod service_trait;
