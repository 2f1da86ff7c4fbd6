//! Turns of a connection: what is answered with one write, and that others go on beside one that has much to do.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use rpc_runtime::{ConnectInfo, Limits};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

use crate::{
    probe::{Order, Traces, order, server},
    raw::{Raw, bytes_of, masked, request_of},
    wire::{echo, patient},
};

/// Counts the writes that reach the socket.
struct Counting<S> {
    inner: S,
    writes: Arc<AtomicUsize>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counting<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counting<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn a_readable_batch_is_answered_with_one_write() {
    let (server, _) = server(patient());
    let (near, far) = tokio::io::duplex(256 * 1024);
    let writes = Arc::new(AtomicUsize::new(0));
    tokio::spawn(server.serve_connection(
        Counting {
            inner: far,
            writes: writes.clone(),
        },
        ConnectInfo::new(),
    ));
    let mut raw = Raw {
        socket: WebSocketStream::from_raw_socket(near, Role::Client, None).await,
    };
    raw.frame().await.unwrap();
    let before = writes.load(Ordering::SeqCst);
    let batch: Vec<u8> = (1..=64).flat_map(|id| echo(id, "one of many")).collect();
    raw.write(&batch).await;
    for id in 1..=64 {
        assert_eq!(raw.answer().await, (id, Ok(order("one of many"))));
    }
    assert_eq!(writes.load(Ordering::SeqCst) - before, 1);
}

/// Spawns a task that sees how many handlers start between two of its own turns, at most.
fn most_in_a_turn(traces: &Arc<Traces>, until: usize) -> tokio::task::JoinHandle<usize> {
    let traces = traces.clone();
    tokio::spawn(async move {
        let mut seen = vec![traces.started()];
        while *seen.last().unwrap() < until {
            tokio::task::yield_now().await;
            seen.push(traces.started());
        }
        seen.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
    })
}

// In both: one thread, so that while the connection has its turn the watching task has none. tokio lets both go first
// in alternation, so that two turns of the connection may lie between two of the other's.

#[tokio::test]
async fn a_connection_with_much_to_do_gives_others_their_turn_after_256_messages() {
    let (server, traces) = server(patient());
    let mut raw = Raw::connect(&server).await;
    let most = most_in_a_turn(&traces, 1_000);
    let batch: Vec<u8> = (1..=1_000).flat_map(|id| echo(id, "")).collect();
    raw.write(&batch).await;
    let most = most.await.unwrap();
    assert!((256..=512).contains(&most), "{most}");
    for _ in 0..1_000 {
        raw.answer().await.1.unwrap();
    }
}

#[tokio::test]
async fn a_connection_with_slow_handlers_gives_others_their_turn_after_a_millisecond() {
    let (server, traces) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    let most = most_in_a_turn(&traces, 200);
    // Each holds the thread for 200 us, which is noticed after 16 of them.
    let block = |id| {
        masked(&bytes_of(
            id,
            request_of(
                "Block",
                &Order {
                    amount: 200,
                    ..Order::default()
                },
            ),
        ))
    };
    raw.write(&(1..=200).flat_map(block).collect::<Vec<u8>>()).await;
    let most = most.await.unwrap();
    assert!((1..=32).contains(&most), "{most}");
}

/// So many reads of empty fragments are as good as endless: a turn takes a few.
const ENDLESS: usize = 20_000;

/// Empty fragments, as fast as they are read, up to [`ENDLESS`] reads.
struct EndlessFragments {
    masked: bool,
    reads: Arc<AtomicUsize>,
}

impl AsyncRead for EndlessFragments {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let frame = |first| match self.masked {
            true => vec![first, 0x80, 0, 0, 0, 0],
            false => vec![first, 0],
        };
        match self.reads.fetch_add(1, Ordering::Relaxed) {
            0 => buffer.put_slice(&frame(0x02)),
            ENDLESS.. => return Poll::Ready(Ok(())),
            _ => {}
        }
        let more = frame(0x00);
        buffer.put_slice(&more.repeat(buffer.remaining() / more.len()));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for EndlessFragments {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn empty_fragments_without_an_end_hold_up_nobody() {
    let (server, _) = server(Limits::default());
    let reads: [Arc<AtomicUsize>; 2] = Default::default();
    let [to_server, to_client] = [(true, &reads[0]), (false, &reads[1])].map(|(masked, reads)| {
        let reads = reads.clone();
        EndlessFragments { masked, reads }
    });
    let serving = tokio::spawn(server.serve_connection(to_server, ConnectInfo::new()));
    let client = rpc_runtime::Client::from_io(to_client);
    // As a task among others: what the test itself is runs far less often.
    let others = tokio::spawn(async {
        for _ in 0..3 {
            tokio::spawn(async {}).await.unwrap();
        }
    });
    others.await.unwrap();
    for reads in reads {
        let reads = reads.load(Ordering::Relaxed);
        assert!(
            (1..ENDLESS).contains(&reads),
            "others had their turn before the end: {reads}"
        );
    }
    drop((serving, client));
}
