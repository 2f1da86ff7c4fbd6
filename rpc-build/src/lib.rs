//! The build step: reads the contracts of a crate, guards its `.proto` files and generates what goes with them.
//!
//! ```no_run
//! // build.rs
//! fn main() {
//!     rpc_build::contracts("src/contracts.rs").run();
//! }
//! ```
//!
//! What it writes, for each protobuf package:
//!
//! - the `.proto`, inside the crate and meant to be committed: it is the wire's promise, and a change of a contract that
//!   breaks it fails the build at the contract;
//! - a module in `OUT_DIR`, taken in with `rpc_runtime::include_gateway!("task")`: the messages of CRUD services, the
//!   service trait, the gateway and the client;
//! - the descriptor set of all packages, with custom options and comments kept, which gateways carry for reflection;
//! - what protoc plugins make of it, code for other languages first of all: [`Builder::plugin`] and [`plugin`].
//!
//! # Features
//!
//! The wire does not depend on how one build was configured. A contract behind `#[cfg(feature = "…")]`, on itself or on
//! a module that it is in, is in the `.proto` and in the descriptor set whether the feature is on or off, and is compared
//! with the promise. Code is generated for it only where it is on. Of two contracts with one full name under exclusive
//! features, the one that is on is promised, so they have to give the same schema. Other `cfg`s (`test`, the target) are
//! taken as they are, and so is a `cfg_attr` around `#[contract]` itself: a contract that they leave out is gone.
//!
//! # How it reports
//!
//! A build script cannot point into the source, and a macro sees one item at a time. So mistakes that one item shows
//! are reported by the macro alone, and what shows only across items, or against the committed `.proto`, is handed to
//! the macro through environment variables of the compilation. The script itself exits with success then. What belongs
//! to no item any more (a deleted contract) it prints itself.
//!
//! # What this crate does not know
//!
//! No sockets and no frames. It is the only one that writes files, reads the environment and starts programs (git, and
//! plugins where a build asks for them); `rpc_schema`, which it
//! shares with the macros, does neither.

#![allow(clippy::needless_doctest_main, reason = "the example is a whole build script")]

pub mod breaking;
pub mod plugin;
pub mod promise;

mod check;
mod config;
mod descriptor;
mod documented;
mod drift;
mod emit;
mod environment;
mod externals;
mod files;
mod hand_written;
mod manifest;
mod present;
mod report;
mod run;
mod scan;
mod stamp;

pub use config::{Builder, Emit};

use std::path::PathBuf;

/// protovalidate's schema, `buf/validate/validate.proto`, which schemas with rules import. For tools that compile such a
/// schema themselves.
pub const VALIDATE_PROTO: &str = include_str!("../protos/buf/validate/validate.proto");

#[cfg(test)]
mod tests;

/// Builds what the contracts in a file, and in the modules below it, describe.
///
/// The path is relative to the crate. Use [`configure`] for more than the defaults.
///
/// ```no_run
/// rpc_build::contracts("src/contracts.rs").run();
/// ```
pub fn contracts(root: impl Into<PathBuf>) -> Builder {
    configure().contracts(root)
}

/// A builder without contracts yet.
///
/// ```no_run
/// rpc_build::configure()
///     .contracts("src/contracts.rs")
///     .contracts("src/gateways.rs")
///     .descriptor_set_path("contracts.binpb")
///     .run();
/// ```
pub fn configure() -> Builder {
    Builder::default()
}
