//! Making connections: to a URL, or through a connector of the program's own.
//!
//! Owns everything up to the end of the upgrade. What is done with a connection is the link's and its driver's.

#[cfg(feature = "tls")]
mod certificate;
mod gate;
#[cfg(feature = "tls")]
mod tls;
mod url;

use std::{future::Future, io, pin::Pin, sync::Arc};

use http::HeaderValue;
use tokio::io::{AsyncRead, AsyncWrite};

#[cfg(feature = "tls")]
pub use certificate::TlsCertificate;
#[cfg(feature = "tls")]
pub(super) use tls::TlsOptions;
#[cfg(feature = "tls")]
pub use tls::TlsRoots;
pub(super) use url::Target;

use super::{
    driver::Driver,
    error::{Refused, RefusedKind},
    link::Link,
};

/// Makes the connections of a client, where they are not TCP or TLS to a URL: over a Unix socket, a tunnel, or in
/// memory.
///
/// ```
/// use rpc_runtime::{Client, ConnectInfo, Connector, Server};
/// use std::io;
///
/// struct InProcess(Server);
///
/// impl Connector for InProcess {
///     type Io = tokio::io::DuplexStream;
///
///     async fn connect(&self) -> io::Result<Self::Io> {
///         let (near, far) = tokio::io::duplex(64 * 1024);
///         tokio::spawn(self.0.serve_connection(far, ConnectInfo::new()));
///         Ok(near)
///     }
/// }
///
/// # fn client(server: Server) -> Client {
/// Client::from_connector(InProcess(server)).lazy().expect("there is no URL that could be wrong")
/// # }
/// ```
pub trait Connector: Send + Sync + 'static {
    /// What it makes: a connection whose upgrade to WebSocket is over, or never was needed.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Makes one connection. Dropped when it takes longer than the client's connect timeout.
    ///
    /// # Errors
    ///
    /// Why there is none; the client tries again as its [`Reconnect`](crate::Reconnect) says.
    fn connect(&self) -> impl Future<Output = io::Result<Self::Io>> + Send;

    /// Makes one connection over which the client comes back to its session: the server is to be told so in whatever stands for the
    /// handshake, as by the subprotocol [`RESUME_SUBPROTOCOL`](rpc_protocol::RESUME_SUBPROTOCOL), or by
    /// [`ConnectInfo::with_client_coming_back`](crate::ConnectInfo::with_client_coming_back). `None`, which is what this gives where it
    /// is not implemented: it cannot be told, and an ordinary connection is made, with a new session.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    fn connect_again(&self) -> impl Future<Output = io::Result<Option<Self::Io>>> + Send {
        async { Ok(None) }
    }
}

/// A connection that was made: spawns the task that moves its bytes.
pub(super) type Established = Box<dyn FnOnce(Arc<Link>) + Send>;

/// What a dial came to.
pub(super) struct Reached {
    pub(super) established: Established,
    /// The server knows that the client comes back to its session.
    pub(super) is_told: bool,
}

pub(super) type Dialling<'a> = Pin<Box<dyn Future<Output = Result<Reached, Refused>> + Send + 'a>>;

/// Makes connections, whatever they are.
pub(super) trait Dial: Send + Sync {
    /// `authorization`: shown in the handshake, where there is one. `comes_back`: to its session, of which the server is to be told.
    fn dial(&self, authorization: Option<HeaderValue>, comes_back: bool) -> Dialling<'_>;

    /// Whether there is a handshake, with headers.
    fn has_headers(&self) -> bool {
        false
    }

    /// Where to, for people; may be empty.
    fn url(&self) -> &str {
        ""
    }
}

pub(super) fn established<S>(stream: S, read_ahead: Vec<u8>) -> Established
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Box::new(move |link| drop(tokio::spawn(Driver::new(stream, &read_ahead, link))))
}

/// A connector, as the channel sees it.
pub(super) struct ByConnector<C>(pub(super) C);

impl<C: Connector> ByConnector<C> {
    /// A connection, and whether the server knows that the client comes back.
    async fn connect(&self, comes_back: bool) -> io::Result<(C::Io, bool)> {
        if comes_back && let Some(stream) = self.0.connect_again().await? {
            return Ok((stream, true));
        }
        Ok((self.0.connect().await?, false))
    }
}

impl<C: Connector> Dial for ByConnector<C> {
    fn dial(&self, _: Option<HeaderValue>, comes_back: bool) -> Dialling<'_> {
        Box::pin(async move {
            match self.connect(comes_back).await {
                Ok((stream, is_told)) => Ok(Reached {
                    established: established(stream, Vec::new()),
                    is_told,
                }),
                Err(error) => {
                    let text = error.to_string();
                    Err(Refused::because(RefusedKind::Unreachable, "", text, error))
                }
            }
        })
    }
}
