//! What is known of a call ahead of its body: one type for each side.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Context as TaskContext,
    time::Duration,
};

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use super::{Call, Reply, error};
use crate::{
    Context, Metadata, Status, contract::MethodDescriptor, dispatch, status::BoxError, streaming::Inbox,
};

/// What is known of a call ahead of its body: [`Context`] on a server, [`Outbound`] on a client.
///
/// Middleware that works on both sides is generic over it. No other types implement it.
pub trait Head: sealed::Side {
    /// The method that is called.
    fn method(&self) -> &'static MethodDescriptor;

    /// What is sent with the call.
    fn metadata(&self) -> &Metadata;

    /// The same, to be changed: what comes after this, and on a client the server, sees the change.
    fn metadata_mut(&mut self) -> &mut Metadata;

    /// What middleware leaves for other middleware and, on a server, for the handler, by type.
    fn extensions(&self) -> &http::Extensions;

    /// The same, to be changed.
    fn extensions_mut(&mut self) -> &mut http::Extensions;

    /// When the call's time is over. `None` where it may take as long as it takes.
    fn deadline(&self) -> Option<Instant>;
}

/// The outcome of what is behind the layers.
pub(crate) type Outcome<C> = Pin<Box<dyn Future<Output = Result<Reply, <C as sealed::Side>::Error>> + Send>>;

pub(crate) mod sealed {
    use super::{BoxError, Call, Head, Outcome};

    /// What differs between the sides.
    pub trait Side: Sized + Send + 'static {
        /// How a call fails.
        type Error: Into<BoxError> + std::fmt::Debug + Send + 'static;
        /// The way to what is behind the layers.
        type Route: Send;

        /// What an error that came out of a layer means.
        fn error_of(error: BoxError) -> Self::Error;

        /// What is behind the layers: the handler, or the connection.
        fn serve(call: Call<Self>) -> Outcome<Self>
        where
            Self: Head;
    }
}

/// A call of a client, ahead of its body, on its way through interceptors and layers.
#[derive(Debug, Clone)]
pub struct Outbound {
    pub(crate) method: &'static MethodDescriptor,
    pub(crate) metadata: Metadata,
    pub(crate) timeout: Option<Duration>,
    pub(crate) until: Option<Instant>,
    pub(crate) wait_for_ready: bool,
    pub(crate) extensions: http::Extensions,
}

impl Outbound {
    /// How long the call may take, from when it is sent.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Sets how long the call may take, from when it is sent. The server is told as well. A [deadline](Head::deadline) that
    /// is sooner holds all the same.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }
}

impl Head for Outbound {
    fn method(&self) -> &'static MethodDescriptor {
        self.method
    }

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    fn extensions(&self) -> &http::Extensions {
        &self.extensions
    }

    fn extensions_mut(&mut self) -> &mut http::Extensions {
        &mut self.extensions
    }

    fn deadline(&self) -> Option<Instant> {
        let timeout = self
            .timeout
            .and_then(|timeout| Instant::now().checked_add(timeout));
        match (self.until, timeout) {
            (Some(until), Some(timeout)) => Some(until.min(timeout)),
            (until, timeout) => until.or(timeout),
        }
    }
}

impl Head for Context {
    fn method(&self) -> &'static MethodDescriptor {
        self.method()
    }

    fn metadata(&self) -> &Metadata {
        self.metadata()
    }

    fn metadata_mut(&mut self) -> &mut Metadata {
        self.metadata_mut()
    }

    fn extensions(&self) -> &http::Extensions {
        self.extensions()
    }

    fn extensions_mut(&mut self) -> &mut http::Extensions {
        self.extensions_mut()
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline()
    }
}

impl sealed::Side for Context {
    type Error = Status;
    type Route = ToHandler;

    fn error_of(error: BoxError) -> Status {
        error::status_of(error)
    }

    fn serve(call: Call) -> Outcome<Self> {
        dispatch::serve(call)
    }
}

/// The way of a server's call to its handler: what its connection allows it.
#[derive(Debug)]
pub struct ToHandler {
    /// How much memory decoding one message may take.
    pub(crate) decode_bytes: usize,
    /// A message of more elements is decoded on a thread for blocking work.
    pub(crate) inline_elements: u64,
    /// How much memory the messages of all streams of the connection may take.
    pub(crate) running_bytes: u64,
    /// Where the messages of the client's stream come in.
    pub(crate) inbox: Option<Arc<Inbox>>,
    /// Of a session's call.
    pub(crate) hung_up: Arc<HungUp>,
}

/// Whether the connection of a session is over, and its method has its grace.
#[derive(Debug, Default)]
pub(crate) struct HungUp {
    is_set: AtomicBool,
    method: AtomicWaker,
}

impl HungUp {
    pub(crate) fn set(&self) {
        self.is_set.store(true, Ordering::Release);
        self.method.wake();
    }

    /// Whether it is so; if not, the task is woken when it is.
    pub(crate) fn poll(&self, cx: &TaskContext<'_>) -> bool {
        // Before the look, so that nothing is missed between the two.
        self.method.register(cx.waker());
        self.is_set.load(Ordering::Acquire)
    }
}
