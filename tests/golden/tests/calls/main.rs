//! The generated gateways and clients, called over a connection in memory.

mod changes;
mod services;
mod streaming;
mod unary;
