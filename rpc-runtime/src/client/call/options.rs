//! What every call can be told: how long it may take, what goes with it, and whether it waits for a connection.

use std::{mem, sync::Arc, time::Duration};

use rpc_protocol::frame::{Metadata, Request};
use tokio::time::Instant;

use crate::{
    CallError, Client, Context,
    contract::MethodDescriptor,
    dispatch::deadline,
    middleware::{Middleware, Next, Outbound},
    trace::{self, Followed, TRACEPARENT},
};

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
    /// For the client's middleware.
    pub(in crate::client) extensions: http::Extensions,
    /// The call in whose service this one is made, and whose trace it carries on.
    trace: Option<Arc<Followed>>,
    /// The call's own span, where somebody collects it. Its end is the span's.
    pub(in crate::client) followed: Option<Arc<Followed>>,
    stage: Stage,
}

/// How far a call has come on its way through middleware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Prepared,
    /// It has passed the interceptors.
    Begun,
    /// It has passed all of it.
    BehindLayers,
}

impl Options {
    /// The options of a call of which nothing was said: the client's timeout, else the method's own deadline, and the
    /// deadline of the handler in which it is made.
    pub(in crate::client) fn new(client: &Client, method: &'static MethodDescriptor) -> Self {
        Self {
            timeout: client.channel().config.timeout.or(method.deadline),
            until: deadline::current(),
            trace: trace::current(),
            ..Self::none(method)
        }
    }

    /// The options of a session of which nothing was said. It lasts as long as its closure runs: the client's timeout,
    /// which is for answers, does not hold for it.
    pub(in crate::client) fn of_session(method: &'static MethodDescriptor) -> Self {
        Self {
            timeout: method.deadline,
            until: deadline::current(),
            trace: trace::current(),
            ..Self::none(method)
        }
    }

    /// No options at all.
    fn none(method: &'static MethodDescriptor) -> Self {
        Self {
            method,
            request: request(method),
            timeout: None,
            until: None,
            wait_for_ready: false,
            extensions: http::Extensions::new(),
            trace: None,
            followed: None,
            stage: Stage::Prepared,
        }
    }

    /// What the caller sets something of.
    pub(super) fn set(&mut self) -> &mut Self {
        self
    }

    /// The options of a call that has come through layers.
    pub(in crate::client) fn behind_layers(outbound: Outbound) -> Self {
        let method = outbound.method;
        Self {
            method,
            request: Request {
                method: method.number,
                one_way: method.one_way,
                metadata: outbound.metadata.into_pairs(),
                ..Request::default()
            },
            timeout: outbound.timeout,
            until: outbound.until,
            wait_for_ready: outbound.wait_for_ready,
            extensions: outbound.extensions,
            trace: None,
            followed: None,
            stage: Stage::BehindLayers,
        }
    }

    /// What layers see of them.
    pub(in crate::client) fn into_outbound(self) -> Outbound {
        Outbound {
            method: self.method,
            metadata: self.request.metadata.into(),
            timeout: self.timeout,
            until: self.until,
            wait_for_ready: self.wait_for_ready,
            extensions: self.extensions,
        }
    }

    /// Begins the call: it carries on the trace that it belongs to, and passes the client's interceptors. What is
    /// returned are the layers that it has to go through.
    ///
    /// A call that is begun more than once, over several connections, passes the interceptors once.
    #[inline]
    pub(in crate::client) fn begin(&mut self, client: &Client) -> Result<Option<Next<Outbound>>, CallError> {
        if self.trace.is_none() && client.channel().config.middleware.is_none() && !trace::is_watched() {
            return Ok(None);
        }
        self.pass(client)
    }

    #[cold]
    fn pass(&mut self, client: &Client) -> Result<Option<Next<Outbound>>, CallError> {
        if self.stage == Stage::BehindLayers {
            return Ok(None);
        }
        let middleware = client.channel().config.middleware.as_deref();
        if self.stage == Stage::Prepared {
            self.stage = Stage::Begun;
            let mut outbound = Outbound {
                method: self.method,
                metadata: mem::take(&mut self.request.metadata).into(),
                timeout: self.timeout,
                until: self.until,
                wait_for_ready: self.wait_for_ready,
                extensions: mem::take(&mut self.extensions),
            };
            let trace = self.trace.take();
            self.followed = Followed::made(self.method, trace.as_ref().and_then(|call| call.trace()));
            // What the program has set itself stays.
            if let Some(trace) = trace.as_ref().and_then(|call| call.trace())
                && !outbound.metadata.contains(TRACEPARENT)
            {
                trace.write_to(&mut outbound.metadata);
            }
            let passed = trace::enter(self.followed.as_ref(), || {
                middleware.map_or(Ok(()), |middleware| middleware.intercept(&mut outbound))
            });
            self.request.metadata = outbound.metadata.into_pairs();
            self.timeout = outbound.timeout;
            self.extensions = outbound.extensions;
            if let Err(status) = passed {
                if let Some(followed) = self.followed.take() {
                    followed.finish(status.code());
                }
                return Err(status.into());
            }
        }
        Ok(middleware.and_then(Middleware::service))
    }

    /// Whether there is a time after which the call is over.
    #[inline]
    pub(in crate::client) fn has_deadline(&self) -> bool {
        self.timeout.is_some() || self.until.is_some()
    }

    /// The same once more, for another call of a session.
    pub(in crate::client) fn copy(&self) -> Self {
        Self {
            request: self.request.clone(),
            extensions: self.extensions.clone(),
            trace: None,
            followed: None,
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

    /// Takes over the deadline of a call, where it is the sooner, and its trace.
    pub(in crate::client) fn within(&mut self, cx: &Context) {
        if cx.trace().is_some() {
            self.trace = cx.followed().cloned();
        }
        self.until = match (self.until, cx.deadline()) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

/// The request of a call of which nothing was said, without its body.
#[inline]
fn request(method: &MethodDescriptor) -> Request {
    Request {
        method: method.number,
        one_way: method.one_way,
        ..Request::default()
    }
}

/// The options of a unary call. Most have none, and are moved about the faster.
#[derive(Debug)]
pub(super) struct FewOptions {
    pub(super) method: &'static MethodDescriptor,
    set: Option<Box<Options>>,
}

impl FewOptions {
    /// What [`Options::new`] gives.
    #[inline]
    pub(super) fn new(client: &Client, method: &'static MethodDescriptor) -> Self {
        let config = &client.channel().config;
        let has_options = config.timeout.is_some()
            || config.middleware.is_some()
            || method.deadline.is_some()
            || deadline::current().is_some()
            || trace::current().is_some()
            || trace::is_watched();
        Self {
            method,
            set: has_options.then(|| Box::new(Options::new(client, method))),
        }
    }

    /// What the caller sets something of.
    pub(super) fn set(&mut self) -> &mut Options {
        self.set
            .get_or_insert_with(|| Box::new(Options::none(self.method)))
    }

    /// See [`Options::begin`].
    #[inline]
    pub(super) fn begin(&mut self, client: &Client) -> Result<Option<Next<Outbound>>, CallError> {
        match &mut self.set {
            Some(options) => options.begin(client),
            None => Ok(None),
        }
    }

    /// See [`Options::has_deadline`].
    #[inline]
    pub(super) fn has_deadline(&self) -> bool {
        self.set.as_ref().is_some_and(|options| options.has_deadline())
    }

    /// Does something with the request.
    #[inline]
    pub(super) fn with_request<T>(&mut self, with: impl FnOnce(&mut Request) -> T) -> T {
        match &mut self.set {
            Some(options) => with(&mut options.request),
            None => with(&mut request(self.method)),
        }
    }

    /// The call's own span, where somebody collects it.
    #[inline]
    pub(super) fn followed(&self) -> Option<&Arc<Followed>> {
        self.set.as_ref()?.followed.as_ref()
    }

    /// Takes them all out; what stays is good for nothing but its method and its span.
    pub(super) fn take(&mut self) -> Options {
        let Some(mut options) = self.set.take() else {
            return Options::none(self.method);
        };
        if let Some(followed) = options.followed.take() {
            self.set().followed = Some(followed);
        }
        *options
    }
}

impl From<Options> for FewOptions {
    fn from(options: Options) -> Self {
        Self {
            method: options.method,
            set: Some(Box::new(options)),
        }
    }
}

/// The methods with which a caller sets them, for a call with a field `options`.
macro_rules! option_methods {
    () => {
        /// Gives the call up after this long. The server is told too, and stops working on it. Without a timeout, the
        /// client's own default holds, and the method's deadline, where there are any.
        ///
        /// Both ends keep the time, and whichever says so first is heard: the error is
        /// [`CallError::TimedOut`](crate::CallError::TimedOut) or a status, and its
        /// [`code`](crate::CallError::code) is DEADLINE_EXCEEDED in either case.
        #[must_use = "a call is sent when it is awaited"]
        pub fn timeout(mut self, timeout: ::std::time::Duration) -> Self {
            self.options.set().timeout = Some(timeout);
            self
        }

        /// Hands on the deadline and the trace of the call that a handler answers: this call takes no longer than that one
        /// may, and belongs to the same trace.
        ///
        /// What a handler calls while it is polled has both anyway; this is for work that was spawned, or
        /// prepared elsewhere.
        #[must_use = "a call is sent when it is awaited"]
        pub fn within(mut self, cx: &crate::Context) -> Self {
            self.options.set().within(cx);
            self
        }

        /// Waits for a connection for as long as it takes, instead of failing at once while the server cannot be
        /// reached. A timeout bounds it.
        #[must_use = "a call is sent when it is awaited"]
        pub fn wait_for_ready(mut self) -> Self {
            self.options.set().wait_for_ready = true;
            self
        }

        /// Leaves something for the client's [middleware](crate::middleware), by its type. It is not sent.
        #[must_use = "a call is sent when it is awaited"]
        pub fn extension<E: Clone + Send + Sync + 'static>(mut self, extension: E) -> Self {
            self.options.set().extensions.insert(extension);
            self
        }

        /// Sends a text with the call. Keys are lower case, and do not end in `-bin`.
        #[must_use = "a call is sent when it is awaited"]
        pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
            self.options
                .set()
                .metadata(rpc_protocol::frame::Metadata::text(key, value));
            self
        }

        /// Sends bytes with the call. Keys are lower case, and end in `-bin`.
        #[must_use = "a call is sent when it is awaited"]
        pub fn metadata_bin(mut self, key: impl Into<String>, value: impl Into<bytes::Bytes>) -> Self {
            self.options
                .set()
                .metadata(rpc_protocol::frame::Metadata::binary(key, value));
            self
        }
    };
}

pub(super) use option_methods;
