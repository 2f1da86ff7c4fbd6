//! From a request's body to its handler and back.
//!
//! Owns the traits that generated gateways implement, the running of one call, and the calls that wait. It knows the
//! protocol only as the place where an answer is written, and no sockets.
//!
//! A handler is polled once where its request was read. Most are ready then: their reply is encoded straight into the
//! connection's output and nothing was scheduled. One that is pending is parked, with a waker and a timer of its own.

mod begin;
mod call;
mod checks;
pub(crate) mod deadline;
mod kinds;
mod layered;
pub(crate) mod panics;
pub(crate) mod parked;
mod producing;
mod reading;
mod served;
mod session;
mod spare;
mod table;
mod unknown;
mod work;

pub(crate) use call::{Failure, Turn};
pub(crate) use checks::{Protection, authenticate_first};
pub use kinds::{
    BidirectionalMethod, ClientStreamingMethod, ServerStreamingMethod, SessionMethod, UnaryMethod,
};
pub(crate) use served::serve;
pub(crate) use table::{Arrived, MethodEntry};
pub use table::{Gateway, MethodTable};
pub(crate) use unknown::Unknown;
pub(crate) use work::{Begun, Step, Task};
