//! The command `rpc` as its users meet it: the real binary, each command a process of its own.

#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected comes")]

mod calling;
mod checking;
mod listing;
mod refused;
mod server;
