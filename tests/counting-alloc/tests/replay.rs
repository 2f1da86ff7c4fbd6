//! What it costs to keep frames of calls for a resume: nothing where one side does not; where both do, a copy of each frame, and a
//! word for every 32 of them on the wire.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test crate")]

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use counting_alloc::{Counting, allocations};
use prost::Message as _;
use rpc_protocol::{
    Frame, FrameKind,
    frame::{Request, Response},
    method_number,
};
use rpc_runtime::{
    Client, ClientLimits, Connector, Limits, Server, Status,
    codegen::{Gateway as _, MethodDescriptor},
    contract, rpc,
    testing::{self, TestConnector, TestIo, TestServer},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CALLS: u64 = 2_000;

#[contract(package = "echo", detached)]
struct Note {
    text: String,
}

struct Echo;

#[rpc("echo", detached)]
impl Echo {
    /// Gives it back.
    #[message("Note", method = "Say")]
    async fn say(&self, data: Note) -> Result<Note, Status> {
        Ok(data)
    }
}

fn note() -> Note {
    Note {
        text: "a note of some length, which has to be copied somewhere".to_owned(),
    }
}

fn say() -> &'static MethodDescriptor {
    &Echo::descriptor().methods[0]
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(work)
}

/// A server that keeps so many bytes.
fn serve(keeps: usize) -> TestServer {
    let server = Server::builder().service(Echo).limits(Limits {
        resume_window: Duration::from_secs(60),
        replay_bytes: keeps,
        ..Limits::default()
    });
    testing::serve(server.build().unwrap())
}

/// What a client keeps.
fn keeps(bytes: usize) -> ClientLimits {
    ClientLimits {
        replay_bytes: bytes,
        ..ClientLimits::default()
    }
}

/// Calls, one after the other.
async fn call(client: &Client) {
    let note = note();
    for _ in 0..CALLS {
        let answer: Note = client.unary(say(), &note).await.unwrap();
        assert_eq!(answer.text.len(), note.text.len());
    }
}

/// How many allocations calls make on both sides, behind others: what is made once has been made.
fn made(server_keeps: usize, client_keeps: usize) -> u64 {
    run(async {
        let server = serve(server_keeps);
        let client = server.builder().limits(keeps(client_keeps)).lazy().unwrap();
        call(&client).await;
        let before = allocations();
        call(&client).await;
        allocations() - before
    })
}

#[test]
fn calls_make_no_allocation_more_unless_both_sides_keep_their_frames() {
    let without = made(0, 0);
    for (server, client) in [(1 << 20, 0), (0, 1 << 20)] {
        let more = made(server, client).saturating_sub(without);
        // Timers and the like come when they come.
        assert!(more < CALLS / 100, "{more} more than {without}");
    }
    let more = made(1 << 20, 1 << 20) - without;
    // A request and its answer are copied, and now and then somebody acknowledges.
    assert!(
        (2 * CALLS..3 * CALLS).contains(&more),
        "{more} more than {without}"
    );
}

/// What goes over a connection.
#[derive(Clone, Default)]
struct Wire {
    up: Arc<Mutex<Vec<u8>>>,
    down: Arc<Mutex<Vec<u8>>>,
}

/// Connects by a wire that is listened to.
struct Tapped(TestConnector, Wire);

impl Connector for Tapped {
    type Io = TappedIo;

    async fn connect(&self) -> io::Result<TappedIo> {
        Ok(TappedIo(self.0.connect().await?, self.1.clone()))
    }
}

struct TappedIo(TestIo, Wire);

impl AsyncRead for TappedIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.0).poll_read(cx, buffer);
        self.1.down.lock().unwrap().extend(&buffer.filled()[before..]);
        polled
    }
}

impl AsyncWrite for TappedIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.0).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            self.1.up.lock().unwrap().extend(&bytes[..written]);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Short WebSocket messages that went one way.
#[derive(PartialEq)]
struct Messages {
    payloads: Vec<Vec<u8>>,
    /// With their headers and masks.
    bytes: usize,
}

impl Messages {
    fn read(bytes: &[u8]) -> Self {
        let (mut payloads, mut rest) = (Vec::new(), bytes);
        while let [0x82, second, behind @ ..] = rest {
            let (is_masked, length) = (second & 0x80 != 0, usize::from(second & 0x7f));
            assert!(length < 126, "it is short");
            let (mask, behind) = behind.split_at(if is_masked { 4 } else { 0 });
            let (payload, behind) = behind.split_at(length);
            let mask = mask.iter().copied().chain([0; 4]).take(4).cycle();
            payloads.push(payload.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect());
            rest = behind;
        }
        assert!(rest.is_empty(), "whole messages, of a frame each");
        Self {
            payloads,
            bytes: bytes.len(),
        }
    }

    /// A message for each call, which has this frame; with headers of so many bytes.
    fn of(header: usize, kind: impl Fn() -> FrameKind) -> Self {
        let frames = (CALLS + 1..=2 * CALLS).map(|call| Frame::new(call, kind()).to_bytes().to_vec());
        let payloads: Vec<_> = frames.collect();
        let bytes = payloads.iter().map(|payload| header + payload.len()).sum();
        Self { payloads, bytes }
    }
}

/// What calls send, to the server and back, behind others.
fn sent(server_keeps: usize, client_keeps: usize) -> [Messages; 2] {
    run(async {
        let (server, wire) = (serve(server_keeps), Wire::default());
        let client = Client::from_connector(Tapped(server.connector(), wire.clone()));
        let client = client.limits(keeps(client_keeps)).lazy().unwrap();
        call(&client).await;
        let ways = [&wire.up, &wire.down];
        for way in ways {
            way.lock().unwrap().clear();
        }
        call(&client).await;
        ways.map(|way| Messages::read(&way.lock().unwrap()))
    })
}

/// The same of a client and a server that know nothing of it.
fn plain() -> [Messages; 2] {
    let body: bytes::Bytes = note().encode_to_vec().into();
    let method = method_number(say().full_name);
    let request = || Request {
        method,
        body: body.clone(),
        ..Request::default()
    };
    let response = || Response {
        body: body.clone(),
        ..Response::default()
    };
    [
        Messages::of(6, || FrameKind::Request(request())),
        Messages::of(2, || FrameKind::Response(response())),
    ]
}

#[test]
fn calls_send_no_byte_more_unless_both_sides_keep_their_frames() {
    let plain = plain();
    for (server, client) in [(0, 0), (1 << 20, 0), (0, 1 << 20)] {
        for (sent, plain) in sent(server, client).iter().zip(&plain) {
            assert_eq!(sent.bytes, plain.bytes, "{server}, {client}");
            assert!(sent == plain, "{server}, {client}: others");
        }
    }
    for (mut sent, plain) in sent(1 << 20, 1 << 20).into_iter().zip(&plain) {
        assert!(sent.bytes > plain.bytes);
        let is_word = |payload: &mut Vec<u8>| {
            let frame = Frame::decode(payload.clone().into()).unwrap();
            matches!(frame.kind, FrameKind::Acknowledgement(_))
        };
        let words = sent.payloads.extract_if(.., is_word).count() as u64;
        assert!(words.abs_diff(CALLS / 32) <= 1, "{words}");
        assert!(sent.payloads == plain.payloads, "and nothing else is new");
    }
}
