//! What every call can be told: how long it may take, what goes with it, and whether it waits for a connection.

use std::time::Duration;

use rpc_protocol::frame::{Metadata, Request};
use tokio::time::Instant;

use crate::{Client, contract::MethodDescriptor, dispatch::deadline};

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
    /// The options of a call of which nothing was said: the client's timeout, else the method's own deadline, and the
    /// deadline of the handler in which it is made.
    pub(in crate::client) fn new(client: &Client, method: &'static MethodDescriptor) -> Self {
        Self {
            method,
            request: Request {
                method: method.number,
                one_way: method.one_way,
                ..Request::default()
            },
            timeout: client.channel().config.timeout.or(method.deadline),
            until: deadline::current(),
            wait_for_ready: false,
        }
    }

    /// Whether there is a time after which the call is over.
    #[inline]
    pub(in crate::client) fn has_deadline(&self) -> bool {
        self.timeout.is_some() || self.until.is_some()
    }

    /// Takes the options out; what stays is good for nothing but its method.
    pub(in crate::client) fn take(&mut self) -> Self {
        Self {
            request: std::mem::take(&mut self.request),
            ..*self
        }
    }

    /// When the call is over, if ever: the sooner of its timeout and the deadline that it was handed.
    pub(in crate::client) fn deadline(&self, now: Instant) -> Option<Instant> {
        let timeout = self.timeout.and_then(|timeout| now.checked_add(timeout));
        match (timeout, self.until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
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
