#![doc = include_str!("../../docs/metrics.md")]

mod connection;
mod family;
mod methods;
mod names;
mod server;

pub(crate) use connection::{ConnectionMeter, Levels, Measured, Totals};
pub(crate) use methods::MethodMetrics;
pub use names::*;
pub(crate) use server::{AuthenticationOutcome, HandshakeOutcome, Meter, RefusedCall, Side};
