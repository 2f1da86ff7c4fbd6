//! What a handler knows about its call, and what it says beside its answer.
//!
//! What a handler reads is there from the beginning. What it may say beside its answer (metadata, clean-up, who wants to
//! hear of the call's end) takes memory only once it is used, and lives in `aside`.

mod aside;

use std::{
    fmt,
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use rpc_protocol::frame::Metadata as Pair;
use tokio::time::Instant;

pub(crate) use aside::Sent;

use crate::{
    ConnectInfo, Metadata, Server, Status,
    auth::Identity,
    contract::MethodDescriptor,
    session::{ClientId, Session},
    trace::{Followed, TraceContext},
};
use aside::Aside;

/// A call, as its handler sees it: who calls what, with which metadata, until when.
///
/// A call is cancelled by dropping its future, and the stream that it returned: when the client cancels it or goes away,
/// when its deadline passes, and when the server stops after its grace. Work that the handler has spawned hears of it
/// by [`cancelled`](Self::cancelled); clean-up that has to wait for something goes to [`on_close`](Self::on_close).
#[derive(Debug)]
pub struct Context {
    session: Arc<Session>,
    stream_id: u64,
    method: &'static MethodDescriptor,
    metadata: Metadata,
    deadline: Option<Instant>,
    identity: Option<Identity>,
    extensions: http::Extensions,
    followed: Option<Arc<Followed>>,
    aside: OnceLock<Box<Aside>>,
}

/// What is known of a call when it begins.
pub(crate) struct NewCall {
    pub(crate) session: Arc<Session>,
    pub(crate) stream_id: u64,
    pub(crate) method: &'static MethodDescriptor,
    pub(crate) metadata: Metadata,
    pub(crate) deadline: Option<Instant>,
    pub(crate) identity: Option<Identity>,
    pub(crate) extensions: http::Extensions,
    pub(crate) followed: Option<Arc<Followed>>,
}

impl Context {
    #[inline]
    pub(crate) fn new(call: NewCall) -> Self {
        Self {
            session: call.session,
            stream_id: call.stream_id,
            method: call.method,
            metadata: call.metadata,
            deadline: call.deadline,
            identity: call.identity,
            extensions: call.extensions,
            followed: call.followed,
            aside: OnceLock::new(),
        }
    }

    /// The connected client that calls.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The server that is called: its sessions, and how to disconnect them.
    pub fn server(&self) -> Server {
        self.session.server()
    }

    /// How the client connected: path, query and headers of its HTTP request, its address, and facts about TLS.
    pub fn request(&self) -> &ConnectInfo {
        self.session.info()
    }

    /// Who calls: the identity that the session had when the call was begun. `None` for anonymous clients.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The id of the user who calls.
    pub fn user(&self) -> Option<&str> {
        self.identity.as_ref().map(Identity::user)
    }

    /// A part of the endpoint's path that has a name: see [`ConnectInfo::param`].
    pub fn param(&self, name: &str) -> Option<&str> {
        self.request().param(name)
    }

    /// The call's id, under which its failures stand in the log.
    pub fn call_id(&self) -> CallId {
        CallId {
            client: self.session.id(),
            stream_id: self.stream_id,
        }
    }

    pub(crate) fn stream_id(&self) -> u64 {
        self.stream_id
    }

    /// The method that is called.
    pub fn method(&self) -> &'static MethodDescriptor {
        self.method
    }

    /// What the client sent with the call.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The same, for middleware to change.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// What middleware has left for the handler, by type.
    pub fn extensions(&self) -> &http::Extensions {
        &self.extensions
    }

    /// The same, for middleware to leave something in.
    pub fn extensions_mut(&mut self) -> &mut http::Extensions {
        &mut self.extensions
    }

    /// The trace that the call belongs to, where its client sent one. Calls that the handler makes while it is polled carry
    /// it on by themselves.
    pub fn trace(&self) -> Option<&TraceContext> {
        self.followed.as_ref()?.trace()
    }

    pub(crate) fn followed(&self) -> Option<&Arc<Followed>> {
        self.followed.as_ref()
    }

    /// When the call's time is over: the smaller of what the client and the method allow. `None` where neither says.
    ///
    /// Calls that the handler makes while it is polled take it over by themselves.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How much time is left until the deadline; zero when it has passed.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Sets initial metadata with a text value, which the client has before the first message. See
    /// [`Metadata::insert`] for the key.
    ///
    /// Of a stream it is sent when the method has returned it, of a session when its method first waits: what is set
    /// after that is sent with the trailers.
    pub fn set_metadata(&self, key: impl Into<String>, value: impl Into<String>) {
        self.aside().tell(|sent| sent.metadata.insert(key, value));
    }

    /// Sets initial metadata with a binary value. See [`set_metadata`](Self::set_metadata), and
    /// [`Metadata::insert_bin`] for the key.
    pub fn set_metadata_bin(&self, key: impl Into<String>, value: impl Into<Bytes>) {
        self.aside().tell(|sent| sent.metadata.insert_bin(key, value));
    }

    /// Sets trailing metadata with a text value, which is sent with the end of the call, however it ends. See
    /// [`Metadata::insert`] for the key.
    pub fn set_trailer(&self, key: impl Into<String>, value: impl Into<String>) {
        self.aside().tell(|sent| sent.trailers.insert(key, value));
    }

    /// Sets trailing metadata with a binary value. See [`set_trailer`](Self::set_trailer), and
    /// [`Metadata::insert_bin`] for the key.
    pub fn set_trailer_bin(&self, key: impl Into<String>, value: impl Into<Bytes>) {
        self.aside().tell(|sent| sent.trailers.insert_bin(key, value));
    }

    /// Ready when the call is over, for whatever reason: answered, failed, cancelled, out of time, disconnected.
    ///
    /// For work that the handler has spawned: the handler itself is dropped then. It may be kept and awaited anywhere,
    /// and dropping it does nothing.
    ///
    /// ```
    /// # async fn work() {}
    /// # fn handler(cx: &rpc_runtime::Context) {
    /// let cancelled = cx.cancelled();
    /// tokio::spawn(async move {
    ///     tokio::select! {
    ///         () = work() => {}
    ///         () = cancelled => {}
    ///     }
    /// });
    /// # }
    /// ```
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + use<> {
        self.aside().over()
    }

    /// Ready when the server begins to stop: running calls have the rest of
    /// [`ServerLimits::drain_grace`](crate::ServerLimits::drain_grace), and are cancelled then.
    ///
    /// For methods that would last longer. One that ends with UNAVAILABLE now is taken up by the client at the next
    /// server, where it is a session that comes back or an idempotent method.
    ///
    /// ```
    /// # use rpc_runtime::{Context, Outgoing, Status, Streaming};
    /// async fn relay(cx: &Context, mut input: Streaming<String>, output: Outgoing<String>) -> Result<(), Status> {
    ///     loop {
    ///         tokio::select! {
    ///             line = input.message() => match line? {
    ///                 Some(line) => output.send(line).await?,
    ///                 None => return Ok(()),
    ///             },
    ///             () = cx.stopping() => return Err(Status::unavailable("the server is stopping")),
    ///         }
    ///     }
    /// }
    /// # let _ = relay;
    /// ```
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + use<> {
        let afterwards = self.session.afterwards().clone();
        let session = Arc::downgrade(&self.session);
        async move {
            afterwards.stopping.begun().await;
            // The client is to hear that the server stops before it hears what has become of its call: by that it knows that
            // another server may go on with it. Sessions are told one after the other; this one is told now.
            if let Some(session) = session.upgrade() {
                session.drain();
                tokio::task::yield_now().await;
            }
        }
    }

    /// Runs `clean_up` when the call is over, however it ends: also after a panic, a reset, a disconnect. The handler's
    /// future is gone by then.
    ///
    /// It runs on a task of its own, several at the same time; while ten times as many as
    /// [`Limits::streams`](crate::Limits::streams) of one connection go on, its new calls are refused. A server that stops waits for it within its grace; one
    /// whose runtime is shut down cannot run it.
    pub fn on_close(&self, clean_up: impl Future<Output = ()> + Send + 'static) {
        self.aside().on_close(Box::pin(clean_up));
    }

    fn aside(&self) -> &Aside {
        self.aside.get_or_init(Box::default)
    }

    /// What the client is told ahead of a stream.
    pub(crate) fn take_initial(&self) -> Vec<Pair> {
        match self.aside.get() {
            None => Vec::new(),
            Some(aside) => aside.take_sent().map_or_else(Vec::new, |sent| {
                let Sent { metadata, trailers } = *sent;
                aside.tell(|sent| sent.trailers = trailers);
                metadata.into_pairs()
            }),
        }
    }

    /// What the client is told beside an answer, if anything.
    #[inline]
    pub(crate) fn take_sent(&self) -> Option<Box<Sent>> {
        self.aside.get()?.take_sent()
    }

    /// How a stream ends: with its trailers, or with a status that has them.
    pub(crate) fn end(&self, outcome: Result<(), Status>) -> Result<Vec<Pair>, Status> {
        let sent = self.take_sent();
        match outcome {
            Ok(()) => Ok(sent.map_or_else(Vec::new, |sent| sent.into_trailers().into_pairs())),
            Err(status) => Err(with_trailers(status, sent)),
        }
    }
}

/// Adds to a status what its call wanted to tell.
pub(crate) fn with_trailers(status: Status, sent: Option<Box<Sent>>) -> Status {
    let Some(sent) = sent else { return status };
    let mut trailers = sent.into_trailers();
    trailers.extend(status.metadata().clone());
    status.with_metadata(trailers)
}

impl Drop for Context {
    #[inline]
    fn drop(&mut self) {
        if let Some(aside) = self.aside.take() {
            aside.close(&self.session);
        }
    }
}

/// Names one call in the log and in the text of an internal error: the client's id and the stream's.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallId {
    pub(crate) client: ClientId,
    pub(crate) stream_id: u64,
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.client, self.stream_id)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallId({self})")
    }
}
