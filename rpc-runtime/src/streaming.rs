//! The two ends of a typed stream: what a streaming method reads, and what a session method writes.
//!
//! In this version they are served in process only: a streaming method of a server answers UNIMPLEMENTED on the wire.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use tokio::sync::mpsc;

use crate::Status;

/// Messages that arrive one after the other: a [`Stream`] of `Result<T, Status>`.
///
/// It ends when the sender is done or gone. An error is its last item. Dropping it lets the sender know: what it sends
/// then fails.
pub struct Streaming<T> {
    items: mpsc::Receiver<Result<T, Status>>,
}

impl<T> Streaming<T> {
    /// A stream in process, with the end that writes it. At most `room` messages (at least 1) wait in between.
    pub fn channel(room: usize) -> (Outgoing<T>, Self) {
        let (sender, items) = mpsc::channel(room.max(1));
        (Outgoing { items: sender }, Self { items })
    }

    /// The next message; `None` at the end. Cancelling it loses nothing.
    pub async fn message(&mut self) -> Result<Option<T>, Status> {
        self.items.recv().await.transpose()
    }
}

impl<T> Stream for Streaming<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.items.poll_recv(cx)
    }
}

impl<T> fmt::Debug for Streaming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming").finish_non_exhaustive()
    }
}

/// Where a session method writes its messages.
///
/// The stream ends when the last clone is dropped.
pub struct Outgoing<T> {
    items: mpsc::Sender<Result<T, Status>>,
}

impl<T> Outgoing<T> {
    /// Sends a message, waiting for room. Cancelling it before it is ready sends nothing.
    ///
    /// # Errors
    ///
    /// CANCELLED when nobody reads any more.
    pub async fn send(&self, message: T) -> Result<(), Status> {
        self.items
            .send(Ok(message))
            .await
            .map_err(|_| Status::cancelled("the stream is not read any more"))
    }

    /// Ends the stream with a status, after what was sent before.
    ///
    /// # Errors
    ///
    /// CANCELLED when nobody reads any more.
    pub async fn fail(self, status: Status) -> Result<(), Status> {
        self.items
            .send(Err(status))
            .await
            .map_err(|_| Status::cancelled("the stream is not read any more"))
    }

    /// Whether nobody reads any more.
    pub fn is_closed(&self) -> bool {
        self.items.is_closed()
    }
}

impl<T> Clone for Outgoing<T> {
    fn clone(&self) -> Self {
        Self {
            items: self.items.clone(),
        }
    }
}

impl<T> fmt::Debug for Outgoing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[tokio::test]
    async fn a_stream_gives_what_was_sent_and_ends_with_its_last_sender() {
        let (outgoing, mut streaming) = Streaming::channel(2);
        let other = outgoing.clone();
        outgoing.send(1).await.unwrap();
        drop(outgoing);
        other.send(2).await.unwrap();
        drop(other);
        assert_eq!(streaming.message().await.unwrap(), Some(1));
        assert_eq!(streaming.message().await.unwrap(), Some(2));
        assert_eq!(streaming.message().await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_failed_stream_gives_its_status_last_and_one_that_is_not_read_fails_its_sender() {
        let (outgoing, mut streaming) = Streaming::<i32>::channel(0);
        outgoing.clone().fail(Status::not_found("gone")).await.unwrap();
        assert_eq!(streaming.message().await.unwrap_err().code(), Code::NotFound);
        drop(streaming);
        assert!(outgoing.is_closed());
        assert_eq!(outgoing.send(1).await.unwrap_err().code(), Code::Cancelled);
    }
}
