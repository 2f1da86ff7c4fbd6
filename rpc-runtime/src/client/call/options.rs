//! What every call can be told: how long it may take, what goes with it, and whether it waits for a connection.

use std::time::Duration;

use rpc_protocol::frame::{Metadata, Request};
use tokio::time::Instant;

use crate::contract::MethodDescriptor;

/// The options of one call, with the request that carries some of them.
#[derive(Debug)]
pub(in crate::client) struct Options {
    pub(in crate::client) method: &'static MethodDescriptor,
    pub(in crate::client) request: Request,
    /// From when the call is sent. Set by the caller, or for the whole client.
    pub(in crate::client) timeout: Option<Duration>,
    /// The deadline of the call in whose service this one is made.
    pub(in crate::client) until: Option<Instant>,
    /// Whether the call waits for a connection for as long as it takes.
    pub(in crate::client) wait_for_ready: bool,
}

impl Options {
    pub(in crate::client) fn new(method: &'static MethodDescriptor, timeout: Option<Duration>) -> Self {
        Self {
            method,
            request: Request {
                method: method.number,
                one_way: method.one_way,
                ..Request::default()
            },
            timeout,
            until: None,
            wait_for_ready: false,
        }
    }

    pub(in crate::client) fn metadata(&mut self, pair: Metadata) {
        self.request.metadata.push(pair);
    }

    /// Takes over the deadline of a call, where it is the sooner.
    pub(in crate::client) fn within(&mut self, deadline: Option<Instant>) {
        self.until = match (self.until, deadline) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

/// The methods with which a caller sets them, for a call with a field `options`.
macro_rules! option_methods {
    () => {
        /// Gives the call up after this long, with [`CallError::TimedOut`](crate::CallError::TimedOut). The server is
        /// told too, and stops working on it. Without a timeout, the client's own default holds, and the method's
        /// deadline, where there are any.
        #[must_use = "a call is sent when it is awaited"]
        pub fn timeout(mut self, timeout: ::std::time::Duration) -> Self {
            self.options.timeout = Some(timeout);
            self
        }

        /// Hands on the deadline of the call that a handler answers: this call takes no longer than that one may.
        ///
        /// What a handler calls while it is polled has its deadline anyway; this is for work that was spawned, or
        /// prepared elsewhere.
        #[must_use = "a call is sent when it is awaited"]
        pub fn within(mut self, cx: &crate::Context) -> Self {
            self.options.within(cx.deadline());
            self
        }

        /// Waits for a connection for as long as it takes, instead of failing at once while the server cannot be
        /// reached. A timeout bounds it.
        #[must_use = "a call is sent when it is awaited"]
        pub fn wait_for_ready(mut self) -> Self {
            self.options.wait_for_ready = true;
            self
        }

        /// Sends a text with the call. Keys are lower case, and do not end in `-bin`.
        #[must_use = "a call is sent when it is awaited"]
        pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
            self.options
                .metadata(rpc_protocol::frame::Metadata::text(key, value));
            self
        }

        /// Sends bytes with the call. Keys are lower case, and end in `-bin`.
        #[must_use = "a call is sent when it is awaited"]
        pub fn metadata_bin(mut self, key: impl Into<String>, value: impl Into<bytes::Bytes>) -> Self {
            self.options
                .metadata(rpc_protocol::frame::Metadata::binary(key, value));
            self
        }
    };
}

pub(super) use option_methods;
