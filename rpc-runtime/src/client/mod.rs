//! The client: one connection, many calls at a time.
//!
//! Calls write their requests into one shared output; one task per connection moves bytes and hands outcomes out. A
//! handle is cheap to clone, and a call costs one short lock on the way out.

mod call;
mod connect;
mod driver;
mod error;
mod link;

use std::sync::Arc;

use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};

pub use call::{CallFuture, UnaryCall};
pub use error::{CallError, Closed, Refused};

use crate::contract::{ContractField, MethodDescriptor};
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

    fn link(&self) -> &Arc<Link> {
        &self.handle.0
    }

    /// Waits until the connection is over, and says why it ended.
    pub async fn closed(&self) -> Closed {
        self.handle.0.closed().await
    }
}
