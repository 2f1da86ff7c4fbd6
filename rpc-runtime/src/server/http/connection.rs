//! One HTTP connection, from its first byte until it is upgraded, ended or given up.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderValue, Method, Request, Response, header};
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep_until},
};

use super::{
    Answer, ClientAddr, HttpBody, is_nothing,
    progress::{Over, Progress, Watched},
};
use crate::{
    RemoteAddr, TlsInfo,
    metrics::HandshakeOutcome,
    server::{
        accept::Begun,
        admission::{Place, network},
        handshake::{self, Handshake, Refusal},
        shared::{Shared, later},
    },
};

/// hyper refuses a smaller buffer; fewer bytes of headers are a limit of their own.
const SMALLEST_BUFFER: usize = 8 * 1024;

/// A connection whose time may just have been shortened is looked at so often.
const LOOK: Duration = Duration::from_secs(1);

/// What all requests of a connection share.
struct Front {
    shared: Arc<Shared>,
    remote: SocketAddr,
    tls: Option<TlsInfo>,
    /// How the first request came.
    begun: Begun,
    progress: Arc<Progress>,
    state: Mutex<State>,
}

struct State {
    /// When the first request has to be answered, where that is an upgrade. Gone with that.
    until: Option<Instant>,
    /// A place among the handshakes; once the program's own service is asked, among its connections.
    place: Place,
    is_http: bool,
}

/// Serves one connection whose handshake has to be over at `until`.
pub(in crate::server) async fn serve<S>(
    shared: Arc<Shared>,
    stream: S,
    remote: SocketAddr,
    tls: Option<TlsInfo>,
    place: Place,
    until: Instant,
    begun: Begun,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut ending = shared.http_ending.subscribe();
    let progress = Progress::new(&shared.limits, until);
    let header_bytes = shared.header_bytes();
    let front = Arc::new(Front {
        shared: shared.clone(),
        remote,
        tls,
        begun,
        progress: progress.clone(),
        state: Mutex::new(State {
            until: Some(until),
            place,
            is_http: false,
        }),
    });
    let service = service_fn(move |request| {
        let front = front.clone();
        async move { Ok::<_, Infallible>(front.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        // Who has closed its end behind its request before that was looked at is answered; later, it takes a handler's time no more.
        .half_close(begun == Begun::GivenUp)
        .max_buf_size(header_bytes.max(SMALLEST_BUFFER))
        .max_header_size(header_bytes)
        .serve_connection(TokioIo::new(Watched::new(stream, progress.clone())), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    loop {
        let look = later(LOOK);
        let due = progress.due();
        tokio::select! {
            biased;
            ended = &mut connection => {
                // The loss is the client's alone, and it has been answered where that was possible.
                match ended {
                    Err(error) if error.is_parse() => {
                        tracing::debug!(%remote, %error, "what came is not HTTP; is it TLS (wss://) to a port without?");
                    }
                    _ => {}
                }
                return;
            }
            () = sleep_until(due.map_or(look, |due| due.min(look))) => {
                if progress.due().is_some_and(|due| due <= Instant::now()) {
                    if progress.is_first() {
                        shared.meter().handshake(HandshakeOutcome::Timeout);
                    }
                    return;
                }
            }
            Ok(()) = ending.changed() => {
                if progress.is_waiting() {
                    return;
                }
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

impl Front {
    async fn answer(self: Arc<Self>, mut request: Request<Incoming>) -> Response<Answer> {
        self.progress.asked();
        let over = Over(self.progress.clone());
        if let Some(tls) = &self.tls {
            request.extensions_mut().insert(tls.clone());
        }
        let route = self.shared.routes.find_for(&request);
        if route.is_some() && handshake::is_asked_for(&request) {
            if self.begun == Begun::GivenUp {
                return self.refuse(Refusal::GivenUp, over);
            }
            let handshake = Handshake {
                request: request.map(drop),
                remote: Some(self.remote),
                until: self.until(),
            };
            let response = handshake::answer_on(&self.shared, route, handshake).await;
            return response.map(|body| Answer::new(body, over));
        }
        let path = request.uri().path();
        let service = self.shared.front.http.as_ref();
        let Some(service) = service.filter(|service| service.is_for(path)) else {
            let refusal = match route {
                Some(_) => Refusal::NotAnUpgrade,
                None => Refusal::NoSuchPath,
            };
            return self.refuse(refusal, over);
        };
        if let Err(refusal) = self.take_http_place() {
            return refusal.into_response().map(|body| Answer::new(body, over));
        }
        let proxies = &self.shared.front.proxies;
        let client = proxies.client_of(self.remote.ip(), request.headers());
        let client = client.unwrap_or_else(|| self.remote.ip().to_canonical());
        request.extensions_mut().insert(RemoteAddr(self.remote));
        request.extensions_mut().insert(ClientAddr(client));
        // All that may have been an upgrade, such as one that a proxy has dropped.
        let may_lack_upgrade =
            route.is_some() && *request.method() == Method::GET && request.body().is_end_stream();
        let progress = self.progress.clone();
        let request = request.map(|body| HttpBody { body, progress });
        let mut response = service.answer(request).await;
        if may_lack_upgrade && is_nothing(&response) {
            return self.refuse(Refusal::NotAnUpgrade, over);
        }
        if self.shared.is_draining() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response.map(|body| Answer::new(body, over))
    }

    fn refuse(&self, refusal: Refusal, over: Over) -> Response<Answer> {
        let response = handshake::refuse(&self.shared, refusal, Some(self.remote));
        response.map(|body| Answer::new(body, over))
    }

    /// When a handshake has to be answered that has just been asked for.
    fn until(&self) -> Instant {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let first = state.until.take();
        first.unwrap_or_else(|| self.shared.handshake_deadline())
    }

    /// Makes sure that the connection counts among those of the program's own service, and no longer among handshakes.
    fn take_http_place(&self) -> Result<(), Refusal> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.until = None;
        if !state.is_http {
            let peer = self.remote.ip();
            let address = (!self.shared.front.proxies.contains(peer)).then(|| network(peer));
            state.place = self.shared.http_places.take(address).map_err(|_| Refusal::Full)?;
            state.is_http = true;
        }
        Ok(())
    }
}
