//! Opening calls on a connection: at once, or once the server allows another.

use std::sync::Arc;

use bytes::Bytes;
use rpc_protocol::{
    OpenError,
    frame::{Request, Response},
};

use super::{
    InFlight, Link, OpenedStream, Shape, StreamSink,
    state::Entry,
    stream::{Sender, StreamEntry},
};
use crate::{Status, streaming::Inbox};

/// Why a call was not opened. Nothing was sent.
#[derive(Debug)]
pub(in crate::client) enum NotOpened {
    /// The server allows no more now, or does not take what was sent before.
    Full,
    /// This connection takes no more calls.
    Gone,
    /// This call cannot be sent.
    Refused(Status),
}

impl Link {
    /// Sends a request, waiting for a free stream where the server allows no more.
    pub(in crate::client) async fn open(
        self: &Arc<Self>,
        request: &Request,
        body: &Bytes,
    ) -> Result<InFlight, NotOpened> {
        self.when_free(|| self.try_open(request, body)).await
    }

    /// The same for a call that streams.
    pub(in crate::client) async fn open_stream(
        self: &Arc<Self>,
        request: &Request,
        body: &Bytes,
        shape: Shape,
    ) -> Result<OpenedStream, NotOpened> {
        self.when_free(|| self.try_open_stream(request, body, shape))
            .await
    }

    async fn when_free<T>(&self, open: impl Fn() -> Result<T, NotOpened>) -> Result<T, NotOpened> {
        match open() {
            Err(NotOpened::Full) => {}
            result => return result,
        }
        let _queued = Queued::new(self);
        loop {
            let free = self.stream_free.notified();
            tokio::pin!(free);
            // Before the check, so that a stream that becomes free between the two is not missed.
            free.as_mut().enable();
            match open() {
                Err(NotOpened::Full) => free.await,
                result => return result,
            }
        }
    }

    /// Sends a request, unless the server allows no more streams now.
    #[inline]
    pub(in crate::client) fn try_open(
        self: &Arc<Self>,
        request: &Request,
        body: &Bytes,
    ) -> Result<InFlight, NotOpened> {
        let mut state = self.lock();
        let idle = state.output.pending() == 0;
        let (stream_id, cell) = state.open(request, body)?;
        if request.one_way {
            cell.complete(Ok(Response::default()));
        } else {
            state.calls.insert(stream_id, Entry::unary(cell.clone()));
        }
        drop(state);
        if idle {
            self.driver.wake();
        }
        Ok(InFlight::new(self.clone(), stream_id, cell))
    }

    /// Opens a call that streams, unless the server allows no more streams now.
    fn try_open_stream(
        self: &Arc<Self>,
        request: &Request,
        body: &Bytes,
        shape: Shape,
    ) -> Result<OpenedStream, NotOpened> {
        let mut state = self.lock();
        let (stream_id, cell) = state.open(request, body)?;
        let inbox = shape
            .responses
            .then(|| Inbox::new(stream_id, self.clone(), self.step));
        let sender: Option<Arc<Sender>> = shape.requests.then(Arc::default);
        let stream = StreamEntry {
            inbox: inbox.clone(),
            sender: sender.clone(),
            shape,
            unread: 0,
        };
        state.insert(stream_id, cell.clone(), stream);
        drop(state);
        self.driver.wake();
        Ok(OpenedStream {
            in_flight: InFlight::new(self.clone(), stream_id, cell),
            inbox,
            sink: sender.map(|sender| Arc::new(StreamSink::new(self.clone(), stream_id, sender))),
        })
    }
}

impl From<OpenError> for NotOpened {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NoStreamFree { .. } | OpenError::WindowShut => Self::Full,
            OpenError::GoingAway => Self::Gone,
            OpenError::TooLarge(error) => Self::Refused(Status::resource_exhausted(format!(
                "the request was not sent: {error}"
            ))),
            error => Self::Refused(Status::internal(error.to_string())),
        }
    }
}

/// Counts a call that waits for a stream.
struct Queued<'a>(&'a Link);

impl<'a> Queued<'a> {
    fn new(link: &'a Link) -> Self {
        link.lock().queued += 1;
        Self(link)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.queued -= 1;
        // One is let go at a time: whoever has gone lets the next one go.
        let next = state.queued > 0 && state.protocol.can_open();
        drop(state);
        if next {
            self.0.stream_free.notify_one();
        }
        self.0.wake_driver();
    }
}
