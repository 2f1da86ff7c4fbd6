//! A socket that can be cut off in the middle of whatever it does, as by a cable.

use futures_util::task::AtomicWaker;
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A socket that fails once its [`Knife`] is used.
#[derive(Debug)]
pub(crate) struct Severable<S> {
    stream: S,
    knife: Arc<Knife>,
}

/// Cuts a socket off.
#[derive(Debug, Default)]
pub(crate) struct Knife {
    used: AtomicBool,
    reader: AtomicWaker,
}

impl Knife {
    /// Cuts: whoever uses the socket gets an error, and nothing more is sent.
    pub(crate) fn cut(&self) {
        self.used.store(true, Ordering::Release);
        self.reader.wake();
    }

    fn check(&self) -> io::Result<()> {
        match self.used.load(Ordering::Acquire) {
            true => Err(io::ErrorKind::ConnectionReset.into()),
            false => Ok(()),
        }
    }
}

impl<S> Severable<S> {
    /// The socket, and what cuts it off.
    pub(crate) fn new(stream: S) -> (Self, Arc<Knife>) {
        let knife = Arc::<Knife>::default();
        let severable = Self {
            stream,
            knife: knife.clone(),
        };
        (severable, knife)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Severable<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // The task of a connection always waits for something to read.
        self.knife.reader.register(cx.waker());
        self.knife.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Severable<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.knife.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.knife.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.knife.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
