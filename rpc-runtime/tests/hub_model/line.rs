//! The network between one client and the server: it can be cut, go dead without a word, bring nothing for a while, or be out of
//! order.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use rpc_runtime::{ConnectInfo, Connector, Server};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    time::Instant,
};

/// What a pipe holds that its other end has not read.
const PIPE: usize = 4 << 10;

/// One client's way to the server.
#[derive(Clone)]
pub struct Line(Arc<Mutex<State>>);

struct State {
    server: Option<Server>,
    /// The client's end of the present connection.
    pipe: Option<DuplexStream>,
    /// Goes up with each connection: an older end is dead.
    generation: u64,
    /// Who reads, and who writes: not always the same.
    wakers: [Option<Waker>; 2],
    /// Ends whose other side still believes in them.
    dead: Vec<DuplexStream>,
    up: bool,
    /// Since when nothing comes from the server, where that is so, and when that was so before.
    stalled: Option<Instant>,
    stalls: Vec<(Instant, Instant)>,
    /// Since when there is no connection, where that is so, and when that was so before.
    lost: Option<Instant>,
    losses: Vec<(Instant, Instant)>,
    /// Since when each connection was.
    begun: Vec<Instant>,
    /// How many connections were cut.
    cuts: u64,
    /// What stands behind the path of its address.
    query: String,
}

impl Line {
    pub fn new(server: &Server, query: String) -> Self {
        Self(Arc::new(Mutex::new(State {
            server: Some(server.clone()),
            pipe: None,
            generation: 0,
            wakers: [None, None],
            dead: Vec::new(),
            up: true,
            stalled: None,
            stalls: Vec::new(),
            lost: None,
            losses: Vec::new(),
            begun: Vec::new(),
            cuts: 0,
            query,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Leads to this server from now on.
    pub fn lead_to(&self, server: &Server) {
        self.lock().server = Some(server.clone());
    }

    /// Both ends see the end of the connection.
    pub fn cut(&self) {
        let mut state = self.lock();
        state.cuts += u64::from(state.lose().is_some());
        wake(state);
    }

    /// The client sees the end; the server hears nothing any more, as if the cable had been pulled.
    pub fn go_dead(&self) {
        let mut state = self.lock();
        if let Some(pipe) = state.lose() {
            state.dead.push(pipe);
        }
        wake(state);
    }

    /// Has nothing come from the server any more, or all that waits.
    pub fn set_stalled(&self, stalled: bool) {
        let mut state = self.lock();
        match (state.stalled, stalled) {
            (None, true) => state.stalled = Some(Instant::now()),
            (Some(since), false) => {
                state.stalled = None;
                state.stalls.push((since, Instant::now()));
                wake(state);
            }
            _ => {}
        }
    }

    pub fn is_stalled(&self) -> bool {
        self.lock().stalled.is_some()
    }

    /// Whether nothing came from the server at a moment.
    pub fn was_stalled_at(&self, at: Instant) -> bool {
        let state = self.lock();
        let mut stalls = state.stalls.iter();
        state.stalled.is_some_and(|since| since <= at) || stalls.any(|(from, to)| (*from..=*to).contains(&at))
    }

    /// Whatever came to the server's end before this moment has been taken.
    pub fn took_all_before(&self) -> Instant {
        self.took_all_by(Instant::now())
    }

    /// Whatever came to the server's end before this moment had been taken by another one.
    pub fn took_all_by(&self, then: Instant) -> Instant {
        let state = self.lock();
        let mut at = [state.stalled, state.lost]
            .into_iter()
            .flatten()
            .fold(then, Instant::min);
        // What waited until now is only just coming: on this connection, and in a session that goes on.
        let waited = || state.stalls.iter().chain(&state.losses);
        while let Some((from, _)) = waited().find(|(from, to)| *from < at && *to >= at) {
            at = *from;
        }
        at
    }

    /// Whether there is a connection that is neither cut nor dead, and brings what is sent.
    pub fn is_connected(&self) -> bool {
        let state = self.lock();
        state.pipe.is_some() && state.stalled.is_none()
    }

    /// How many connections there were.
    pub fn connections(&self) -> u64 {
        self.lock().generation
    }

    /// Since when each of them was.
    pub fn begun(&self) -> Vec<Instant> {
        self.lock().begun.clone()
    }

    /// How many of them were cut.
    pub fn cuts(&self) -> u64 {
        self.lock().cuts
    }

    /// Whether new connections come about.
    pub fn set_up(&self, up: bool) {
        self.lock().up = up;
    }
}

impl State {
    /// There is no connection any more.
    fn lose(&mut self) -> Option<DuplexStream> {
        let pipe = self.pipe.take()?;
        self.lost = Some(Instant::now());
        Some(pipe)
    }
}

fn wake(mut state: MutexGuard<'_, State>) {
    let wakers = std::mem::take(&mut state.wakers);
    drop(state);
    wakers.into_iter().flatten().for_each(Waker::wake);
}

impl Connector for Line {
    type Io = LineIo;

    async fn connect(&self) -> io::Result<LineIo> {
        self.make(|info| info)
    }

    async fn connect_again(&self) -> io::Result<Option<LineIo>> {
        self.make(ConnectInfo::with_client_coming_back).map(Some)
    }
}

impl Line {
    fn make(&self, say: fn(ConnectInfo) -> ConnectInfo) -> io::Result<LineIo> {
        let (near, far) = tokio::io::duplex(PIPE);
        let mut state = self.lock();
        let Some(server) = state.server.clone().filter(|_| state.up) else {
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        state.generation += 1;
        state.begun.push(Instant::now());
        state.pipe = Some(near);
        if let Some(lost) = state.lost.take() {
            state.losses.push((lost, Instant::now()));
        }
        let request = http::Request::get(format!("/rpc{}", state.query))
            .body(())
            .unwrap();
        let info = say(ConnectInfo::from_request(&request));
        tokio::spawn(server.serve_connection(far, info));
        Ok(LineIo {
            generation: state.generation,
            line: self.clone(),
        })
    }
}

/// The client's end of one connection.
pub struct LineIo {
    line: Line,
    generation: u64,
}

impl LineIo {
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        act: impl FnOnce(Pin<&mut DuplexStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
        reads: bool,
    ) -> Poll<io::Result<T>> {
        let mut state = self.line.lock();
        if state.generation != self.generation {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        state.wakers[usize::from(reads)] = Some(cx.waker().clone());
        let is_stalled = reads && state.stalled.is_some();
        match &mut state.pipe {
            Some(_) if is_stalled => Poll::Pending,
            Some(pipe) => act(Pin::new(pipe), cx),
            None => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }
}

impl Drop for LineIo {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        if state.generation == self.generation {
            drop(state.lose());
        }
    }
}

impl AsyncRead for LineIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |pipe, cx| pipe.poll_read(cx, buf), true)
    }
}

impl AsyncWrite for LineIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(cx, |pipe, cx| pipe.poll_write(cx, buf), false)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |pipe, cx| pipe.poll_flush(cx), false)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |pipe, cx| pipe.poll_shutdown(cx), false)
    }
}
