//! The standalone server's accept loop, which nothing ends but the shutdown.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

#[cfg(feature = "tls")]
use tokio::time::timeout_at;
use tokio::{
    io::Interest,
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, sleep_until},
};

use super::{
    admission::{NoPlace, Place},
    http,
    shared::Shared,
};
use crate::metrics::HandshakeOutcome;

/// The first and the longest pause after the system refused a connection for want of resources.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Whoever comes while all handshakes are taken waits so long for a place before he is turned away. So the loop turns away a
/// thousand in a second, however many come: where the server is what is slow, closing as fast as it can be done would make
/// it slower, and where slow clients have the places, the queue behind has to move on.
const MOMENT: Duration = Duration::from_millis(1);

/// Where connections come from: a listener, or what a test makes of it.
pub(super) trait Accept {
    fn accept(&mut self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Accept for &mut TcpListener {
    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::accept(self).await
    }
}

/// Accepts until `shutdown` is ready.
pub(super) async fn accept(
    shared: &Arc<Shared>,
    mut listener: impl Accept,
    shutdown: impl Future<Output = ()>,
) {
    tracing::debug!(connections = shared.limits.connections, "accepting connections");
    let mut shutdown = pin!(shutdown);
    let mut pause = None;
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, remote)) => {
                if pause.take().is_some() {
                    tracing::info!("connections are accepted again");
                }
                let Ok(place) = place_for(shared, remote.ip()).await else {
                    shared.meter().handshake(HandshakeOutcome::Handshakes);
                    continue;
                };
                keep_pace(shared).await;
                tokio::spawn(serve(shared.clone(), stream, remote, place));
            }
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                if pause.is_none() {
                    tracing::error!(%error, "connections cannot be accepted; trying again until they can");
                }
                let (first, longest) = PAUSES;
                let length = pause.map_or(first, |last: Duration| (last * 2).min(longest));
                pause = Some(length);
                tokio::select! {
                    () = &mut shutdown => return,
                    () = sleep(length) => {}
                }
            }
        }
    }
}

/// A place among the handshakes. An address that has as many as it may have is told so at once: its sockets are closed
/// without holding up others.
async fn place_for(shared: &Shared, address: IpAddr) -> Result<Place, NoPlace> {
    match shared.begin_handshake(address) {
        Err(NoPlace::AtAll) => {
            sleep(MOMENT).await;
            shared.begin_handshake(address)
        }
        taken => taken,
    }
}

/// Waits until one more handshake may begin: see [`ConnectRates::accept`](super::admission::ConnectRates::accept).
async fn keep_pace(shared: &Shared) {
    while let Err(wait) = shared.rates.accept() {
        sleep(wait).await;
    }
}

/// Whether only the connection that was just coming in is lost.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// One connection until it is upgraded, refused, or too slow; the last is closed without a word.
async fn serve(shared: Arc<Shared>, stream: TcpStream, remote: SocketAddr, place: Place) {
    let until = shared.handshake_deadline();
    // Replies are small and flushed once per batch: waiting for more to send would only add latency.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let Some(begun) = begins(&shared, &stream, until).await else {
        return;
    };
    #[cfg(feature = "tls")]
    let may_be_half = shared.front.tls.is_none() && shared.front.http.is_some();
    #[cfg(not(feature = "tls"))]
    let may_be_half = shared.front.http.is_some();
    // Only a request of plain HTTP makes sense of somebody who sends nothing more.
    if begun == Begun::GivenUp && !may_be_half {
        return shared.meter().handshake(HandshakeOutcome::Timeout);
    }
    #[cfg(feature = "tls")]
    if let Some(tls) = &shared.front.tls {
        match timeout_at(until, tls.accept(stream, remote)).await {
            Ok(Some((stream, info))) => {
                http::serve(shared.clone(), stream, remote, Some(info), place, until, begun).await;
            }
            Ok(None) => shared.meter().handshake(HandshakeOutcome::Tls),
            Err(_) => shared.meter().handshake(HandshakeOutcome::Timeout),
        }
        return;
    }
    http::serve(shared, stream, remote, None, place, until, begun).await;
}

/// How a client begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// It has sent something.
    Here,
    /// It will send nothing more.
    GivenUp,
}

/// Waits for the first bytes of a client, and sees whether it has given up before they were looked at: of a crowd that waits in the
/// listener's queue many have, and are not to be let in in the place of those that are there. `None`: nothing came in time.
async fn begins(shared: &Shared, stream: &TcpStream, until: Instant) -> Option<Begun> {
    // tokio takes a socket that was just accepted for a readable one. What is the case it has heard from the system after this.
    tokio::task::yield_now().await;
    let mut ending = shared.http_ending.subscribe();
    tokio::select! {
        biased;
        ready = stream.ready(Interest::READABLE) => match ready {
            Ok(ready) if !ready.is_read_closed() => Some(Begun::Here),
            _ => Some(Begun::GivenUp),
        },
        _ = ending.changed() => None,
        () = sleep_until(until) => {
            shared.meter().handshake(HandshakeOutcome::Timeout);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Endpoint, ServerLimits, routes::Routes};
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Fails `failures` times with one error, then gives one connection, then nothing.
    struct Failing {
        failures: usize,
        error: io::ErrorKind,
        errno: Option<i32>,
        tried: Arc<AtomicUsize>,
        then: Option<TcpStream>,
    }

    impl Accept for Failing {
        async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
            if self.tried.fetch_add(1, Ordering::SeqCst) < self.failures {
                return Err(match self.errno {
                    Some(errno) => io::Error::from_raw_os_error(errno),
                    None => self.error.into(),
                });
            }
            match self.then.take() {
                Some(stream) => Ok((stream, ([127, 0, 0, 1], 1).into())),
                None => std::future::pending().await,
            }
        }
    }

    /// Gives so many connections, as fast as they are asked for.
    struct Crowd {
        left: usize,
        listener: std::net::TcpListener,
        accepted: Arc<AtomicUsize>,
    }

    impl Accept for Crowd {
        async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
            if self.left == 0 {
                std::future::pending::<()>().await;
            }
            self.left -= 1;
            let _client = std::net::TcpStream::connect(self.listener.local_addr()?)?;
            let (stream, remote) = self.listener.accept()?;
            stream.set_nonblocking(true)?;
            self.accepted.fetch_add(1, Ordering::SeqCst);
            Ok((TcpStream::from_std(stream)?, remote))
        }
    }

    fn shared() -> Arc<Shared> {
        with(ServerLimits::default())
    }

    fn with(limits: ServerLimits) -> Arc<Shared> {
        let routes = Routes::build(vec![("/rpc".to_owned(), Endpoint::new())]).unwrap();
        Shared::new(routes, limits)
    }

    /// How many of a crowd of 1,000 are accepted in 100 ms, with so many handshakes at once, and so many of one address.
    async fn accepted_of_a_crowd(handshakes: usize, handshakes_per_address: usize) -> usize {
        let accepted = Arc::new(AtomicUsize::new(0));
        let crowd = Crowd {
            left: 1_000,
            listener: std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
            accepted: accepted.clone(),
        };
        let shared = with(ServerLimits {
            connects: crate::Rate::per_second(1_000),
            handshakes,
            handshakes_per_address,
            ..ServerLimits::default()
        });
        accept(&shared, crowd, sleep(Duration::from_millis(100))).await;
        accepted.load(Ordering::SeqCst)
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_left_in_the_systems_queue_and_accepted_at_the_pace_at_which_connections_are_let_in() {
        let accepted = accepted_of_a_crowd(1_000, 1_000).await;
        assert!(
            (145..=160).contains(&accepted),
            "{accepted} of 1,500 a second in 100 ms"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn sockets_of_an_address_that_has_too_many_are_closed_without_holding_up_others() {
        assert_eq!(accepted_of_a_crowd(1_000, 1).await, 1_000);
        assert_eq!(
            accepted_of_a_crowd(1, 1).await,
            1_000,
            "nor where none is left for others"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn while_all_handshakes_are_taken_no_more_than_a_thousand_sockets_are_closed_in_a_second() {
        let accepted = accepted_of_a_crowd(1, 1_000).await;
        assert!((45..=102).contains(&accepted), "{accepted} in 100 ms");
    }

    #[tokio::test(start_paused = true)]
    async fn when_descriptors_run_out_accepting_backs_off_from_10_ms_to_1_s_and_never_ends() {
        const EMFILE: i32 = 24;
        let tried = Arc::new(AtomicUsize::new(0));
        let listener = Failing {
            failures: usize::MAX,
            error: io::ErrorKind::Other,
            errno: Some(EMFILE),
            tried: tried.clone(),
            then: None,
        };
        accept(&shared(), listener, tokio::time::sleep(Duration::from_secs(60))).await;
        // 10, 20, … 640 ms take 1.27 s; then one in each second.
        let tried = tried.load(Ordering::SeqCst);
        assert!((60..=70).contains(&tried), "tried {tried} times in 60 s");
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_of_one_connection_is_skipped_without_a_pause() {
        let tried = Arc::new(AtomicUsize::new(0));
        let listener = Failing {
            failures: 1_000,
            error: io::ErrorKind::ConnectionAborted,
            errno: None,
            tried: tried.clone(),
            then: None,
        };
        accept(&shared(), listener, tokio::time::sleep(Duration::from_millis(1))).await;
        assert_eq!(tried.load(Ordering::SeqCst), 1_001);
    }

    #[tokio::test]
    async fn connections_are_accepted_again_once_the_system_recovers() {
        let real = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(real.local_addr().unwrap()).await.unwrap();
        let (stream, _) = real.accept().await.unwrap();
        let listener = Failing {
            failures: 2,
            error: io::ErrorKind::OutOfMemory,
            errno: None,
            tried: Arc::default(),
            then: Some(stream),
        };
        accept(&shared(), listener, async {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut client = client;
            client
                .write_all(b"GET /elsewhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                .await
                .unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        })
        .await;
    }
}
