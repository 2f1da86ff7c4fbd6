//! CMMV's wire, for clients that are there already: see [`Cmmv`].
//!
//! A connection that speaks it is a connection like any other, over a socket that translates: `websocket` cuts messages out of
//! bytes, `bridge` makes calls of them and messages of what comes back, `socket` is both over a stream. So a call passes what
//! every call passes (rates, interceptors, guards, rules, limits), and nothing of all this stands in the way of other connections.
//! `contract` has the indexes, `announce` tells them, `answers` and `explicit` give answers CMMV's shape, `wire` has its two messages.

mod announce;
mod answers;
mod bridge;
mod contract;
mod explicit;
mod socket;
mod websocket;
mod wire;

use crate::{Contract, contract::MessageDescriptor};
pub(crate) use contract::Table;
use contract::View;
pub(crate) use socket::CmmvSocket;

/// What an endpoint says to clients of [CMMV](https://cmmv.io), such as `@cmmv/view`, which know nothing of `rpc.v1`: given to
/// [`Endpoint::cmmv`](crate::Endpoint::cmmv) or [`ServerBuilder::cmmv`](crate::ServerBuilder::cmmv).
///
/// A connection that offers no subprotocol then speaks CMMV's frames; elsewhere it is closed with 4504. What such a client
/// calls is a method of the contract's CRUD service, and passes everything that its calls pass.
///
/// ```
/// use rpc_runtime::{Cmmv, Context, Status, contract};
///
/// /// A thing to be done.
/// #[contract(package = "task", controller = "Task", detached)]
/// pub struct TasksContract {
///     /// What is to be done.
///     pub label: String,
///     /// Whether it is done.
///     pub checked: bool,
///     /// Assigned by the service.
///     #[field(id)]
///     pub id: String,
/// }
///
/// let cmmv = Cmmv::new().contract::<TasksContract>();
/// // To be served as JavaScript, and loaded by the page behind CMMV's own script.
/// assert!(cmmv.script().contains("addContracts"));
/// // Server::builder().service(TaskGateway::new(…)).cmmv(cmmv.on_any_path())
/// ```
///
/// # What differs from `rpc.v1`
///
/// - A contract's message is on the wire without its `#[field(id)]`, which stands beside it in answers. A list is wrapped once
///   more, and an answer to a delete says how many were.
/// - Every scalar is written, also `false`, 0 and the empty string: the client copies what it decodes in a way that loses the
///   others. Lists and maps that are empty cannot be written.
/// - Answers are found by their type alone, so that a client with two calls of one method under way cannot tell their answers apart.
///   Who calls twice gets two answers, in any order.
/// - An error is a `WsError` with the status's message, its code as a number, and as its context the name of the message
///   that was sent. A client that has not asked for it by `rpc.on("wserror", "WsError", …)` hears nothing.
/// - There is no authentication on the connection: who a client is, its handshake says, which for a page is a
///   [cookie](crate::Endpoint::auth_cookie). There are no streams, events, metadata, deadlines or resumed sessions.
#[derive(Debug, Clone, Default)]
pub struct Cmmv {
    views: Vec<View>,
    on_any_path: bool,
}

impl Cmmv {
    /// Without contracts, which would have nothing to be called.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a contract with `controller`. Clients call it by the controller's name in lower case, and its index is the number of
    /// those that were added before. An endpoint that lacks its service, or has two of one name, does not start.
    #[must_use]
    pub fn contract<T: Contract>(self) -> Self {
        self.described(T::descriptor())
    }

    fn described(mut self, item: &'static MessageDescriptor) -> Self {
        self.views.push(View::of(item));
        self
    }

    /// Takes upgrades on every path that is no endpoint's, where they offer no subprotocol: CMMV's client connects to wherever its
    /// page is. Of several endpoints that say so, the main one is taken, or that which was added first.
    #[must_use]
    pub fn on_any_path(mut self) -> Self {
        self.on_any_path = true;
        self
    }

    /// The script that tells clients the contracts, in which CMMV's server calls `cmmv.addContracts(…)`. To be served as
    /// `text/javascript` where the page looks for it; CMMV's own server has it at `/core/contracts.min.js`.
    #[must_use]
    pub fn script(&self) -> String {
        announce::script(&self.views)
    }
}

#[cfg(test)]
mod tests;
