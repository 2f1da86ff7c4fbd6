//! The server: services in, connections served, an orderly stop.
//!
//! Owns listening, the HTTP upgrade and the connections' tasks. What a request means is the router's, what runs it
//! the dispatcher's.

mod accept;
mod admission;
mod builder;
mod connection;
mod detached;
#[cfg(feature = "__echo")]
mod echo;
mod endpoint;
#[cfg(feature = "explorer")]
mod explorer;
mod handshake;
mod http;
mod limits;
mod listen;
mod origin;
mod partings;
mod routes;
mod sessions;
mod shared;
#[cfg(feature = "tls")]
mod tls;
mod users;

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};

pub use self::http::{ClientAddr, HttpBody};
pub(crate) use admission::network;
pub use builder::ServerBuilder;
pub(crate) use endpoint::ActiveEndpoint;
pub use endpoint::Endpoint;
pub use handshake::RemoteAddr;
pub use limits::ServerLimits;
#[cfg(feature = "tls")]
pub use tls::ServerTls;

use crate::{ConnectInfo, Session, router::StartError};
use connection::Connection;
pub(crate) use connection::Kept;
use handshake::Handshake;
#[cfg(test)]
pub(crate) use routes::Routes;
pub(crate) use shared::Shared;

/// A server of contracts over WebSocket.
///
/// Made by [`Server::builder`]. Cloning is cheap, and all clones are one server: they share services, limits and the
/// list of connections.
///
/// It is a [`tower_service::Service`] for HTTP requests, so it mounts into axum or any other router. Any path is served
/// then, and the program's own shutdown calls [`shutdown`](Self::shutdown):
///
/// ```
/// # fn mount(server: rpc_runtime::Server) -> axum::Router {
/// axum::Router::new().route_service("/rpc", server.clone())
/// # }
/// ```
///
/// # How handlers run
///
/// A handler is polled on its connection's task, where its request was read, and most are ready then: nothing is spawned
/// or queued for them. One that waits lets its connection go on with other calls. One that *computes* holds up the other
/// calls of its connection, because the calls of one connection share one core: declare `spawn` on methods that compute
/// for more than some tens of microseconds, and use [`tokio::task::spawn_blocking`] for what blocks a thread. Other
/// connections are held up by no more than a turn: 256 messages or a millisecond, whichever is first
/// ([`Limits::turn_messages`](crate::Limits::turn_messages), [`Limits::turn_time`](crate::Limits::turn_time)), and the
/// handler that is just running.
///
/// A timer is armed for a call's deadline only once its handler waits, so that a deadline cannot interrupt one that
/// computes.
///
/// # Streams
///
/// The stream that a handler returns is polled on the connection's task as well, and only while the client takes what it
/// gives: its window is open, and little waits for the socket. Each stream writes a share (16 KiB or 32 messages) before
/// others get theirs, so that a long stream holds up no short call. With `spawn` the handler and its stream run on a
/// task of their own, up to 32 messages ahead.
///
/// What a client sends on a stream waits until the handler reads it, up to the stream's window
/// ([`Limits::stream_window`](crate::Limits::stream_window)); then the client has to wait.
///
/// # How calls end
///
/// A handler that is no longer wanted is dropped, with its stream, at its next `await`: when its client resets the call or
/// disconnects, when its deadline passes, and when a stop has lasted longer than its grace. Each call that is ended so and
/// whose client is still there gets exactly one end; after a client's reset nothing more is sent. What has to happen
/// nevertheless belongs to [`Context::on_close`](crate::Context::on_close), and work that was spawned can wait for
/// [`Context::cancelled`](crate::Context::cancelled). A call's place among
/// [`Limits::streams`](crate::Limits::streams) is free once its handler has really ended.
///
/// The method of a session goes on for [`Limits::session_grace`](crate::Limits::session_grace) when its client
/// disconnects: its input ends, and its output fails.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

impl Server {
    /// Begins a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// Serves one connection whose upgrade to WebSocket is over, until it ends.
    ///
    /// For servers that do the upgrade themselves (the client has offered, and was answered, the subprotocol
    /// `rpc.v1`), and for connections in memory: [`Client::from_io`](crate::Client::from_io) is the other end.
    /// Dropping the future cancels the connection's calls and drops the socket.
    pub fn serve_connection<S>(&self, io: S, info: ConnectInfo) -> impl Future<Output = ()> + Send + use<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let shared = self.shared.clone();
        async move {
            // The limit is the upgrading server's matter; the count is kept, so that a stop waits for this too.
            let admission = shared.admit_always();
            let (endpoint, info) = shared.endpoint_of(info);
            let session = Session::new(info, endpoint, shared.clone());
            let mut connection = pin!(Connection::new(io, &[], session, shared));
            connection.as_mut().await;
            admission.part().await;
        }
    }

    /// The same for a connection that speaks CMMV's wire instead, of a client that has offered no subprotocol: see
    /// [`Cmmv`](crate::Cmmv). Where its endpoint has none, all that it calls is UNIMPLEMENTED.
    #[cfg(feature = "cmmv")]
    pub fn serve_cmmv_connection<S>(
        &self,
        io: S,
        info: ConnectInfo,
    ) -> impl Future<Output = ()> + Send + use<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let shared = self.shared.clone();
        async move {
            let admission = shared.admit_always();
            let (endpoint, info) = shared.endpoint_of(info.with_foreign_wire());
            let session = Session::new(info, endpoint, shared.clone());
            let mut connection = pin!(Connection::translated(io, session, shared));
            connection.as_mut().await;
            admission.part().await;
        }
    }

    /// Accepts connections until `shutdown` is ready, then stops in order: see [`shutdown`](Self::shutdown). Listeners are made
    /// by [`listen`](Self::listen), or by whatever else makes one; crowds want a long queue.
    ///
    /// Errors of accepting do not end it: what concerns one connection is skipped, and where the system is out of
    /// descriptors or memory it waits 10 ms to 1 s before it tries again.
    ///
    /// With a service for [HTTP](ServerBuilder::http), connections are accepted until the stop is over, and upgrades are
    /// answered with 503 meanwhile.
    pub async fn serve_with_listener(&self, mut listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let stops = async {
            if self.shared.front.http.is_none() {
                accept::accept(&self.shared, &mut listener, shutdown).await;
                self.shutdown().await;
            } else {
                let stops = async {
                    shutdown.await;
                    self.shutdown().await;
                };
                accept::accept(&self.shared, &mut listener, stops).await;
            }
        };
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.shared.front.tls {
            tokio::select! {
                () = stops => {}
                () = tls.watch() => {}
            }
            return self.shared.end_http().await;
        }
        stops.await;
        self.shared.end_http().await;
    }

    /// Stops in order: no new connections, a go-away on each, new calls UNAVAILABLE, running calls up to
    /// [`ServerLimits::drain_grace`](crate::ServerLimits::drain_grace); then those left are ended UNAVAILABLE, and every connection is
    /// closed with 1012. Returns when none is left and all clean-up of calls has run, or shortly after the grace.
    ///
    /// A listener that was given to another server goes on accepting; its upgrades are answered with 503.
    pub async fn shutdown(&self) {
        self.shared.drain().await;
    }

    /// Whether new clients may come: false from the first moment of a stop. For readiness probes.
    pub fn is_ready(&self) -> bool {
        !self.shared.is_draining()
    }

    /// What was counted since the server was made.
    pub fn counters(&self) -> Counters {
        Counters {
            one_way_failures: self.shared.one_way_failures.load(Ordering::Relaxed),
        }
    }
}

/// What a server counts; see [`Server::counters`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// One-way calls that failed: nobody is told of them. Refused by a check or a limit of the method, ended by their
    /// handler with an error or a panic, out of time, or cancelled because the server stopped.
    pub one_way_failures: u64,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("routes", &self.shared.routes)
            .finish_non_exhaustive()
    }
}

impl<B> tower_service::Service<::http::Request<B>> for Server {
    type Response = ::http::Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// Answers an upgrade, at the latest when [`ServerLimits::handshake_timeout`] is over; the connection that comes of it is
    /// served on a task of its own. Dropping the future before it is ready lets nobody in.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    fn call(&mut self, request: ::http::Request<B>) -> Self::Future {
        let route = handshake::mounted_route(&self.shared, &request);
        // As on the server's own port: upgrades are the endpoints', and what the page has not is what there is besides.
        #[cfg(feature = "explorer")]
        if !(route.is_some() && handshake::is_asked_for(&request))
            && let Some(explorer) = &self.shared.front.explorer
            && let Some(answer) = explorer.answer(&request)
            && !(answer.status() == ::http::StatusCode::NOT_FOUND
                && self.shared.routes.find_for(&request).is_some())
        {
            return Box::pin(std::future::ready(Ok(answer)));
        }
        let remote = request.extensions().get::<RemoteAddr>().map(|remote| remote.0);
        let shared = self.shared.clone();
        let handshake = Handshake {
            request: request.map(drop),
            remote,
            until: shared.handshake_deadline(),
        };
        Box::pin(async move { Ok(handshake::answer_on(&shared, route, handshake).await) })
    }
}

/// A server whose panics abort the process would let one handler end every connection.
fn check_panics(abort: bool) -> Result<(), StartError> {
    if abort {
        Err(StartError::PanicAborts)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_whose_panics_abort_is_refused_with_the_remedy() {
        let refusal = check_panics(true).unwrap_err().to_string();
        assert!(
            refusal.contains("panic = \"abort\"") && refusal.contains("Cargo.toml"),
            "{refusal}"
        );
        assert!(check_panics(false).is_ok());
    }
}
