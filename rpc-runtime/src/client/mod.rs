//! The client: one handle, many calls at a time, and a connection behind it that is made again when it is lost.
//!
//! Calls write their requests into one shared output; one task per connection moves bytes and hands outcomes out. A
//! handle is cheap to clone, and a call costs one short lock on the way out.

mod builder;
mod call;
mod changes;
mod channel;
mod connect;
mod driver;
mod error;
pub mod hub;
mod identity;
mod limits;
mod link;
mod resume;

use std::{future::Future, sync::Arc};

use futures_core::Stream;
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};

pub use builder::ClientBuilder;
pub use call::{
    CallFuture, ClientStreamingCall, ReconnectingSession, Reply, SessionCall, SessionFuture, StreamingCall,
    UnaryCall,
};
pub use channel::{ConnectionState, Reconnect};
pub use connect::Connector;
#[cfg(feature = "tls")]
pub use connect::{TlsCertificate, TlsRoots};
pub use error::{CallError, Closed, Refused, RefusedKind};
pub use identity::{ClientIdentity, CredentialProvider, ServerGreeting};
pub use limits::ClientLimits;

use crate::{
    CloseCode, Outgoing, Status, Streaming,
    contract::{ContractField, MethodDescriptor},
};
use channel::{Channel, Handle};

/// A client of one server. Cloning gives another handle on the same connection; generated clients wrap it.
///
/// The connection is made when it is needed, and made again when it is lost, after a random delay that grows
/// ([`Reconnect`]), unless the close code says that the reason would be the same ([`CloseCode`]). Its state can be seen:
/// [`state`](Self::state), [`state_changes`](Self::state_changes).
///
/// # Calls without a connection
///
/// A call waits for the attempt to connect that is being made. Where that fails, or the next one has to be waited for,
/// it fails with [`CallError::Refused`] and has not run; methods that are marked `idempotent`, and calls with
/// `wait_for_ready`, wait on instead, for as long as their timeout allows.
///
/// Where the connection is lost under a call, an `idempotent` one is sent again, up to three times; any other fails with
/// [`CallError::Closed`] and may have run ([`CallError::may_have_run`]). When the server announces that it goes away,
/// running calls finish where they are, and what it has not begun is sent again to the next server. With
/// [`ClientLimits::replay_bytes`] calls wait for the next connection and go on over it, where the server keeps as much.
///
/// # Who it is
///
/// A client is anonymous, unless it shows a [credential](crate::auth::Credential):
///
/// - on every connection, by [`ClientBuilder::credential`], or by [`ClientBuilder::credentials`], whose provider is asked for a
///   fresh one each time, and when the server warns that the identity ends;
/// - on a live connection, by [`authenticate`](Self::authenticate) and [`change_user`](Self::change_user): what was accepted is shown
///   again on later connections. [`sign_out`](Self::sign_out) goes back to being nobody.
///
/// Calls run under what the server has made of what was shown before them, in the order of sending; nothing needs to wait.
/// [`identity`](Self::identity) and [`identity_changes`](Self::identity_changes) tell who the client is.
///
/// A credential that is refused where a connection begins, in the handshake or in band, ends the client, as a refused
/// handshake does: it would be refused again. Not so where the server cannot tell now (HTTP 503, UNAVAILABLE), where it has
/// expired and there is a provider to ask for a fresh one, and after 4401, which says that the identity of a live connection
/// has expired: the client comes back.
///
/// ```
/// use rpc_runtime::{CallError, Client, auth::Credential};
///
/// async fn session(client: &Client, password: String) -> Result<(), CallError> {
///     let ann = Credential::new("password", password).with_metadata("user", "ann");
///     let identity = client.authenticate(ann).await?;
///     assert_eq!(identity.user(), Some("ann"));
///     // Calls run as ann now, also after a reconnect.
///     client.sign_out().await
/// }
/// # let _ = session;
/// ```
///
/// # The end
///
/// Once the last handle is dropped and no call is running, the connection is closed with 1000. [`close`](Self::close)
/// closes it at once.
#[derive(Debug, Clone)]
pub struct Client {
    handle: Arc<Handle>,
}

impl Client {
    /// Connects to a server, as in `ws://127.0.0.1:3000/rpc` or `wss://example.com/rpc`. The first connection must succeed.
    ///
    /// # Errors
    ///
    /// [`CallError::Refused`] when nobody listens, the server refuses the upgrade, it is no server of this protocol,
    /// or it does not answer within 10 s.
    pub async fn connect(url: &str) -> Result<Self, CallError> {
        Self::builder(url).connect().await
    }

    /// A client that connects when it is first called.
    ///
    /// # Errors
    ///
    /// [`CallError::Refused`] when the URL is none.
    pub fn lazy(url: &str) -> Result<Self, CallError> {
        Self::builder(url).lazy()
    }

    /// Begins a client with options.
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::to_url(url)
    }

    /// Begins a client whose connections a connector makes.
    pub fn from_connector(connector: impl Connector) -> ClientBuilder {
        ClientBuilder::by_connector(connector)
    }

    /// Speaks over a connection that was made already: the other end is
    /// [`Server::serve_connection`](crate::Server::serve_connection), or an upgrade that was done elsewhere. When it is
    /// lost, the client is closed.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime: the connection's task is spawned.
    pub fn from_io<S>(io: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let config = ClientBuilder::to_url("").config();
        Self::of(Channel::over(config, connect::established(io, Vec::new())))
    }

    fn of(channel: Arc<Channel>) -> Self {
        Self::with(Handle(channel))
    }

    fn with(handle: Handle) -> Self {
        Self {
            handle: Arc::new(handle),
        }
    }

    /// Prepares a unary call. Nothing is sent before it is awaited.
    pub fn unary<R>(&self, method: &'static MethodDescriptor, request: &impl Message) -> UnaryCall<R>
    where
        R: Message + Default + ContractField + 'static,
    {
        UnaryCall::new(self.clone(), method, request)
    }

    /// Prepares a call that is answered with a stream. Nothing is sent before it is awaited.
    pub fn server_streaming<R>(
        &self,
        method: &'static MethodDescriptor,
        request: &impl Message,
    ) -> StreamingCall<R>
    where
        R: Message + Default + ContractField + 'static,
    {
        StreamingCall::of_one(self.clone(), method, request)
    }

    /// Prepares a call that sends a stream. Nothing is sent before it is awaited; then a task of its own polls
    /// `requests`, as the server takes them.
    pub fn client_streaming<Q, R>(
        &self,
        method: &'static MethodDescriptor,
        requests: impl Stream<Item = Q> + Send + 'static,
    ) -> ClientStreamingCall<R>
    where
        Q: Message + ContractField + 'static,
        R: Message + Default + ContractField + 'static,
    {
        ClientStreamingCall::new(self.clone(), method, requests)
    }

    /// Prepares a call with a stream each way. Nothing is sent before it is awaited; then a task of its own polls
    /// `requests`, as the server takes them.
    pub fn bidirectional<Q, R>(
        &self,
        method: &'static MethodDescriptor,
        requests: impl Stream<Item = Q> + Send + 'static,
    ) -> StreamingCall<R>
    where
        Q: Message + ContractField + 'static,
        R: Message + Default + ContractField + 'static,
    {
        StreamingCall::of_many(self.clone(), method, requests)
    }

    /// Prepares a session call as [`session`](Self::session) does, whose closure runs again, on a new call, when the
    /// connection was lost and the client comes back.
    ///
    /// It is a function of its own because of how closures are read: one that is given where a [`FnOnce`] is asked for
    /// can be called once, whatever it does.
    pub fn session_with_reconnect<Q, R, F, Fut, T>(
        &self,
        method: &'static MethodDescriptor,
        run: F,
    ) -> ReconnectingSession<Q, R, F>
    where
        Q: Message + 'static,
        R: Message + Default + ContractField + 'static,
        F: FnMut(Outgoing<Q>, Streaming<R>) -> Fut,
        Fut: Future<Output = Result<T, Status>>,
    {
        self.session(method, run).with_reconnect()
    }

    /// Prepares a session call: `run` is given both ends of it, and the call lasts as long as it runs. Nothing is sent
    /// before it is awaited.
    pub fn session<Q, R, F, Fut, T>(&self, method: &'static MethodDescriptor, run: F) -> SessionCall<Q, R, F>
    where
        Q: Message + 'static,
        R: Message + Default + ContractField + 'static,
        F: FnOnce(Outgoing<Q>, Streaming<R>) -> Fut,
        Fut: Future<Output = Result<T, Status>>,
    {
        SessionCall::new(self.clone(), method, run)
    }

    /// Waits until the client is connected, for as long as it takes. Connects where nothing was called yet.
    ///
    /// # Errors
    ///
    /// When the client is closed for good, or its attempts are used up.
    pub async fn ready(&self) -> Result<(), CallError> {
        self.channel().ready(true).await.map(drop)
    }

    /// What the connection is doing.
    pub fn state(&self) -> ConnectionState {
        self.channel().state()
    }

    /// The state now, and each change from now on. Ends after [`ConnectionState::Closed`]. A slow reader misses the oldest
    /// of more than 32 changes. It does not keep the client open.
    pub fn state_changes(&self) -> impl Stream<Item = ConnectionState> + Send + Unpin + use<> {
        self.channel().state_changes()
    }

    /// Closes the connection with a close frame, and the client for good. Running calls fail with
    /// [`CallError::Closed`], as do those to come. A second close does nothing.
    ///
    /// One-way calls that were made before still go out first, if the server takes them within
    /// [`close_timeout`](ClientLimits::close_timeout); a program that ends then waits for [`closed`](Self::closed).
    ///
    /// Codes that cannot be sent, such as 1006, are sent as 1000. A reason is cut to 123 bytes.
    pub fn close(&self, code: CloseCode, reason: &str) {
        self.channel().close(code, reason);
    }

    /// Waits until the client is closed for good, and says why: by [`close`](Self::close), by a code that is final, or
    /// because the attempts to come back are used up. The connection has ended then, and what went out has been sent.
    pub async fn closed(&self) -> Closed {
        self.channel().closed().await
    }

    #[inline]
    fn channel(&self) -> &Arc<Channel> {
        &self.handle.0
    }
}
