//! The calls of a client, one file per kind, and the options that all of them have.

mod attempts;
mod body;
mod counted;
mod layered;
mod opening;
mod options;
mod requests;
mod run;
mod session;
mod streaming;
mod unary;

pub use session::{ReconnectingSession, SessionCall, SessionFuture};
pub use streaming::{ClientStreamingCall, StreamingCall};
pub use unary::{CallFuture, Reply, UnaryCall};

use options::{FewOptions, Options, option_methods};
