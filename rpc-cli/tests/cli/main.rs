//! The command `rpc` as its users meet it: the real binary, each command a process of its own.

#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected comes")]

mod benching;
mod calling;
mod channels;
mod checking;
mod hearing;
mod listing;
mod publishing;
mod refused;
mod server;
mod starting;
#[cfg(unix)]
mod stopping;
#[cfg(unix)]
mod terminal;
mod tls;
