//! Turns a resolved schema into text: the `.proto` of each file, and the generated module of each package.
//!
//! Everything here is a pure function of the schema. Everything is in the order of declaration, or sorted, so that the
//! same contracts give the same bytes.

pub(crate) mod client;
mod code;
pub(crate) mod gateway;
pub(crate) mod messages;
pub(crate) mod module;
pub(crate) mod proto;
pub(crate) mod service_trait;
