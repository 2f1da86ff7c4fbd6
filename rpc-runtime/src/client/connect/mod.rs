//! Making connections: to a URL, or through a connector of the program's own.
//!
//! Owns everything up to the end of the upgrade. What is done with a connection is the link's and its driver's.

mod gate;
#[cfg(feature = "tls")]
mod tls;
mod url;

use std::{future::Future, io, pin::Pin, sync::Arc};

use http::HeaderValue;
use tokio::io::{AsyncRead, AsyncWrite};

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
}

/// A connection that was made: spawns the task that moves its bytes.
pub(super) type Established = Box<dyn FnOnce(Arc<Link>) + Send>;

pub(super) type Dialling<'a> = Pin<Box<dyn Future<Output = Result<Established, Refused>> + Send + 'a>>;

/// Makes connections, whatever they are.
pub(super) trait Dial: Send + Sync {
    /// `authorization`: shown in the handshake, where there is one.
    fn dial(&self, authorization: Option<HeaderValue>) -> Dialling<'_>;

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

impl<C: Connector> Dial for ByConnector<C> {
    fn dial(&self, _: Option<HeaderValue>) -> Dialling<'_> {
        Box::pin(async {
            match self.0.connect().await {
                Ok(stream) => Ok(established(stream, Vec::new())),
                Err(error) => {
                    let text = error.to_string();
                    Err(Refused::because(RefusedKind::Unreachable, "", text, error))
                }
            }
        })
    }
}
