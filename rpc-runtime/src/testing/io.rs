//! A pipe in memory that can be cut.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    sync::Notify,
};

/// The client's end of a connection to a [`TestServer`](super::TestServer).
#[derive(Debug)]
pub struct TestIo {
    /// Gone once it was cut, so that the server sees the end as well.
    pipe: Option<DuplexStream>,
    cut: Arc<Cut>,
}

/// Cuts one pipe.
#[derive(Debug, Default)]
pub(super) struct Cut {
    is_cut: AtomicBool,
    reader: AtomicWaker,
    is_gone: AtomicBool,
    gone: Notify,
}

impl Cut {
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        self.reader.wake();
    }

    /// Whether the client has dropped its end.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::SeqCst)
    }

    /// Waits until the client has dropped its end.
    pub(super) async fn gone(&self) {
        loop {
            let gone = self.gone.notified();
            tokio::pin!(gone);
            // Before the look, so that nothing is missed between the two.
            gone.as_mut().enable();
            if self.is_gone() {
                return;
            }
            gone.await;
        }
    }
}

impl Drop for TestIo {
    fn drop(&mut self) {
        self.cut.is_gone.store(true, Ordering::SeqCst);
        self.cut.gone.notify_waiters();
    }
}

impl TestIo {
    pub(super) fn new(pipe: DuplexStream) -> (Self, Arc<Cut>) {
        let cut = Arc::<Cut>::default();
        let pipe = Some(pipe);
        (
            Self {
                pipe,
                cut: cut.clone(),
            },
            cut,
        )
    }

    /// The pipe, while it is whole.
    fn pipe(&mut self) -> Option<Pin<&mut DuplexStream>> {
        if self.cut.is_cut.load(Ordering::SeqCst) {
            self.pipe = None;
        }
        self.pipe.as_mut().map(Pin::new)
    }
}

impl AsyncRead for TestIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Before the look, so that a cut between the two wakes the reader.
        self.cut.reader.register(cx.waker());
        match self.pipe() {
            Some(pipe) => pipe.poll_read(cx, buffer),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for TestIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.pipe() {
            Some(pipe) => pipe.poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.pipe() {
            Some(pipe) => pipe.poll_flush(cx),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.pipe() {
            Some(pipe) => pipe.poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}
