//! HTTP on a connection that was accepted: upgrades to the endpoints, and the program's own service for all else.

mod connection;
#[cfg(feature = "explorer")]
mod explored;
mod progress;

use std::{
    convert::Infallible,
    fmt,
    future::{Future, poll_fn},
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tower_service::Service;

use crate::{dispatch::panics, status::BoxError};
pub(super) use connection::serve;
pub(super) use progress::Watched;
use progress::{Over, Progress};

/// The client's address, as limits count it, in the extensions of requests that
/// [`ServerBuilder::http`](crate::ServerBuilder::http)'s service gets. Behind a trusted proxy it is not the
/// [`RemoteAddr`](crate::RemoteAddr).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddr(pub IpAddr);

/// The body of a request that [`ServerBuilder::http`](crate::ServerBuilder::http)'s service gets. A client that sends none of it
/// for [`ServerLimits::http_stall_time`](crate::ServerLimits::http_stall_time) loses its connection.
pub struct HttpBody {
    body: Incoming,
    progress: Arc<Progress>,
}

impl Body for HttpBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let outcome = Pin::new(&mut self.body).poll_frame(cx);
        self.progress.hungry(outcome.is_pending());
        outcome
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for HttpBody {
    fn drop(&mut self) {
        // Nobody waits for it any more.
        self.progress.hungry(false);
    }
}

impl fmt::Debug for HttpBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBody").finish_non_exhaustive()
    }
}

/// The body of an answer, which knows when it is over.
pub(super) struct Answer {
    body: UnsyncBoxBody<Bytes, BoxError>,
    _over: Over,
}

impl Answer {
    fn new<B>(body: B, over: Over) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self {
            body: UnsyncBoxBody::new(body.map_err(Into::into)),
            _over: over,
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// In the extensions of an answer: the 404 is none of the program's.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(feature = "explorer"),
    allow(dead_code, reason = "only the explorer says so")
)]
struct NothingThere;

/// Whether an answer says that there is nothing, and no more: where the program has words of its own, it is its answer.
fn is_nothing<B: Body>(response: &Response<B>) -> bool {
    let is_empty = || response.body().is_end_stream() || response.body().size_hint().exact() == Some(0);
    response.status() == StatusCode::NOT_FOUND
        && (response.extensions().get::<NothingThere>().is_some() || is_empty())
}

type Answering<'a> = Pin<Box<dyn Future<Output = Response<UnsyncBoxBody<Bytes, BoxError>>> + Send + 'a>>;

trait Erased: Send + Sync {
    fn call(&self, request: Request<HttpBody>) -> Answering<'_>;

    /// Whether a path is this service's to answer.
    fn is_for(&self, path: &str) -> bool {
        let _ = path;
        true
    }
}

/// What is served beside the endpoints: the program's own service, or the explorer in front of it.
pub(super) struct HttpService(Box<dyn Erased>);

impl HttpService {
    pub(super) fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<HttpBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Box::new(Of(service)))
    }

    /// The explorer, if there is one, in front of the program's own service.
    #[cfg(feature = "explorer")]
    pub(super) fn explored(explorer: Option<rpc_explorer::Explorer>, program: Option<Self>) -> Option<Self> {
        match explorer {
            Some(explorer) => Some(Self(Box::new(explored::Explored { explorer, program }))),
            None => program,
        }
    }

    /// Whether a path is its to answer.
    fn is_for(&self, path: &str) -> bool {
        self.0.is_for(path)
    }

    /// What the service answers; 500 where it fails or panics, with the cause in the log.
    async fn answer(&self, request: Request<HttpBody>) -> Response<UnsyncBoxBody<Bytes, BoxError>> {
        match panics::caught(self.0.call(request)).await {
            Ok(response) => response,
            Err(panic) => {
                tracing::error!(panic, "the HTTP service panicked");
                failure()
            }
        }
    }
}

impl fmt::Debug for HttpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService").finish_non_exhaustive()
    }
}

struct Of<S>(S);

impl<S, B> Erased for Of<S>
where
    S: Service<Request<HttpBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn call(&self, request: Request<HttpBody>) -> Answering<'_> {
        // A clone of its own, which is made ready before it is called, as tower asks.
        let mut service = self.0.clone();
        Box::pin(async move {
            let answered = async {
                poll_fn(|cx| service.poll_ready(cx)).await?;
                service.call(request).await
            };
            match answered.await {
                Ok(response) => response.map(|body| UnsyncBoxBody::new(body.map_err(Into::into))),
                Err(error) => {
                    let error: BoxError = error.into();
                    tracing::error!(error, "the HTTP service failed");
                    failure()
                }
            }
        })
    }
}

fn failure() -> Response<UnsyncBoxBody<Bytes, BoxError>> {
    let never = |never: Infallible| match never {};
    let body = Full::from("this did not work; the server's log says why\n").map_err(never);
    let mut response = Response::new(UnsyncBoxBody::new(body));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
