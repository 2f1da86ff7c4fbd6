#![doc = include_str!("../../docs/metrics.md")]

mod connection;
mod family;
mod hub;
mod methods;
mod names;
mod server;

pub(crate) use connection::{ConnectionMeter, Levels, Measured, Totals};
pub(crate) use hub::NamespaceMeter;
pub(crate) use methods::MethodMetrics;
pub use names::*;
pub(crate) use server::{AuthenticationOutcome, HandshakeOutcome, Meter, RefusedCall, ResumeOutcome, Side};
