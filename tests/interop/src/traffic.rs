//! How many bytes go over a connection.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that a client has sent and received.
#[derive(Debug, Clone, Default)]
pub struct Traffic(Arc<[AtomicU64; 2]>);

impl Traffic {
    /// What was sent and received so far.
    pub fn so_far(&self) -> [u64; 2] {
        [0, 1].map(|way| self.0[way].load(Ordering::Relaxed))
    }

    /// Counts what goes through a connection.
    pub fn count<S>(&self, stream: S) -> Counting<S> {
        Counting {
            stream,
            traffic: self.clone(),
        }
    }

    fn add(&self, way: usize, bytes: usize) {
        self.0[way].fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// A connection that counts.
#[derive(Debug)]
pub struct Counting<S> {
    stream: S,
    traffic: Traffic,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counting<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.traffic.add(1, buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counting<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.traffic.add(0, written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
