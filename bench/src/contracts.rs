//! The contract that this project's server and client are generated from. On the wire its messages are those of
//! [`messages`](crate::messages), so that the floor's client can be driven against it.

#![allow(
    unreachable_pub,
    reason = "generated traits and gateways are public, and name these in public"
)]

use bytes::Bytes;
use futures_util::Stream;
use rpc_runtime::{Status, Streaming, contract};

/// A thing to be done.
#[contract(package = "task", controller = "Task", operations(add))]
pub struct TasksContract {
    pub label: String,
    #[field(default = false)]
    pub checked: bool,
    #[field(default = false)]
    pub removed: bool,
    #[field(id)]
    pub id: String,
}

/// The same, for clients that are known.
#[contract(package = "known", controller = "Task", operations(add), auth)]
pub struct KnownTask {
    pub label: String,
    #[field(default = false)]
    pub checked: bool,
    #[field(default = false)]
    pub removed: bool,
    #[field(id)]
    pub id: String,
}

/// The same, behind two guards.
#[contract(
    package = "guarded",
    controller = "Task",
    operations(add),
    guard = "first",
    guard = "second"
)]
pub struct GuardedTask {
    pub label: String,
    #[field(default = false)]
    pub checked: bool,
    #[field(default = false)]
    pub removed: bool,
    #[field(id)]
    pub id: String,
}

/// The same, with everything.
#[contract(
    package = "full",
    controller = "Task",
    operations(add),
    auth,
    guard = "first",
    guard = "second"
)]
pub struct FullTask {
    pub label: String,
    #[field(default = false)]
    pub checked: bool,
    #[field(default = false)]
    pub removed: bool,
    #[field(id)]
    pub id: String,
}

/// A message of a stream.
#[contract(package = "flow")]
#[derive(Clone)]
pub struct Item {
    /// Counts from 0 within its stream.
    #[field(proto = "fixed64")]
    pub number: u64,
    /// What the message is long by.
    pub payload: Bytes,
}

/// What a server's stream is asked for with.
#[contract(package = "flow")]
pub struct Start {
    /// Bytes of each message's payload.
    pub payload: u64,
    /// How many messages; 0 is without end.
    pub items: u64,
}

/// What a server says of a client's stream.
#[contract(package = "flow")]
pub struct Summary {
    /// How many messages came, all of them in order.
    pub items: u64,
}

/// Streams each way, and a call to go beside them.
#[contract(package = "flow")]
pub trait Flow {
    /// Sends as many messages as were asked for.
    async fn down(&self, start: Start) -> Result<impl Stream<Item = Result<Item, Status>>, Status>;
    /// Takes messages.
    async fn up(&self, items: Streaming<Item>) -> Result<Summary, Status>;
    /// Gives every message back.
    async fn echo(&self, items: Streaming<Item>) -> Result<impl Stream<Item = Result<Item, Status>>, Status>;
    /// Gives one message back.
    async fn ping(&self, item: Item) -> Result<Item, Status>;
}
