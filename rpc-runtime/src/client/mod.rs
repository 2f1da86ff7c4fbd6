//! The client: one connection, many calls at a time.
//!
//! Calls write their requests into one shared output; one task per connection moves bytes and hands outcomes out. A
//! handle is cheap to clone, and a call costs one short lock on the way out.

mod call;
mod connect;
mod driver;
mod error;
mod link;

use std::{future::Future, sync::Arc};

use futures_core::Stream;
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};

pub use call::{
    CallFuture, ClientStreamingCall, ReconnectingSession, Reply, SessionCall, StreamingCall, UnaryCall,
};
pub use error::{CallError, Closed, Refused};

use crate::{
    Outgoing, Status, Streaming,
    contract::{ContractField, MethodDescriptor},
};
use link::{Handle, Link};

/// A connection to a server. Cloning gives another handle on the same connection.
///
/// Generated clients wrap it. The connection is closed, with 1000, once the last handle is dropped and no call is
/// running.
#[derive(Debug, Clone)]
pub struct Client {
    handle: Arc<Handle>,
}

impl Client {
    /// Connects to a server, as in `ws://127.0.0.1:3000/rpc`.
    ///
    /// # Errors
    ///
    /// [`CallError::Refused`] when nobody listens, the server refuses the upgrade, it is no server of this protocol,
    /// or it does not answer within 10 s.
    pub async fn connect(url: &str) -> Result<Self, CallError> {
        let (stream, read_ahead) = connect::connect(url).await?;
        Ok(Self::start(stream, &read_ahead))
    }

    /// Speaks over a connection that was made already: the other end is
    /// [`Server::serve_connection`](crate::Server::serve_connection), or an upgrade that was done elsewhere.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime: the connection's task is spawned.
    pub fn from_io<S>(io: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Self::start(io, &[])
    }

    fn start<S>(stream: S, read_ahead: &[u8]) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let link = Link::new();
        tokio::spawn(driver::Driver::new(stream, read_ahead, link.clone()));
        Self {
            handle: Arc::new(Handle(link)),
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
        Q: Message + 'static,
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
        Q: Message + 'static,
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

    fn link(&self) -> &Arc<Link> {
        &self.handle.0
    }

    /// Waits until the connection is over, and says why it ended.
    pub async fn closed(&self) -> Closed {
        self.handle.0.closed().await
    }
}
