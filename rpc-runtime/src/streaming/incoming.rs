//! The reading end of a typed stream.

use std::{
    fmt,
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use rpc_protocol::frame::Compression;
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    Decoder, Ending, Inbox, Outgoing,
    decoder::{Decoded, Unreadable},
};
use crate::{
    Code, Metadata, Status,
    middleware::{Messages, Trailers},
    trace::Followed,
};

/// A compressed body of so many bytes cannot become more than some tens of kilobytes.
const LITTLE: usize = 64;

/// Messages that arrive one after the other: a [`Stream`] of `Result<T, Status>`.
///
/// It ends when the sender is done. When the sender, or the connection, fails, a status is the last item. What was not
/// read yet holds the sender back: the peer may send as much as the stream's window, and more only as messages are read
/// here.
///
/// Dropping it lets the sender know. In a handler that ends the client's sending, and the handler goes on; at a client
/// it cancels the call, unless the stream is a session's.
///
/// A message of a client that does not decode, or breaks a rule of its contract, ends the stream with INVALID_ARGUMENT; one
/// that a [`RequestGuard`](crate::RequestGuard) refuses, or that is over a [`RateLimit`](crate::RateLimit), with their
/// status.
pub struct Streaming<T> {
    source: Source<T>,
    metadata: Metadata,
    trailers: Metadata,
    /// The end, or a failure, was given out.
    over: bool,
}

enum Source<T> {
    InProcess(mpsc::Receiver<Result<T, Status>>),
    Wire(Wire<T>),
}

struct Wire<T> {
    from: From,
    decoder: Decoder<T>,
    /// A message that is being decoded elsewhere.
    decoding: Option<JoinHandle<Result<T, Unreadable>>>,
    /// The last message was inflated, which may have taken long: others get their turn before the next.
    rests: bool,
    guarded: Option<Box<Guarded<T>>>,
    /// Where messages are counted, at a client; and whether the stream's end is the call's.
    followed: Option<(Arc<Followed>, bool)>,
}

/// What every message is looked at by before its reader has it.
struct Guarded<T> {
    guard: Guarding<T>,
    /// A message that is being looked at.
    checking: Option<Checking<T>>,
}

/// Looks at a message, and gives it back or says why its stream ends there.
pub(crate) type Guarding<T> = Box<dyn Fn(T) -> Checking<T> + Send>;
pub(crate) type Checking<T> = Pin<Box<dyn Future<Output = Result<T, Status>> + Send>>;

/// Where encoded messages come from.
enum From {
    Inbox(Arc<Inbox>),
    /// From the inbox, which is told of messages that do not decode, through layers.
    Layers {
        messages: Messages,
        trailers: Trailers,
        inbox: Option<Arc<Inbox>>,
    },
    Nowhere,
}

impl From {
    fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<Result<(Bytes, Compression), Ending>> {
        match self {
            Self::Inbox(inbox) => inbox.poll_take(cx),
            Self::Layers {
                messages, trailers, ..
            } => Poll::Ready(match ready!(Pin::new(messages).poll_next(cx)) {
                Some(Ok(message)) => Ok((message, Compression::NONE)),
                Some(Err(status)) => Err(Ending::failed(status)),
                None => Err(Ending {
                    result: Ok(()),
                    trailers: trailers.take(),
                }),
            }),
            Self::Nowhere => Poll::Ready(Err(Ending::done())),
        }
    }

    /// Counts one undecodable message against the peer.
    fn fault(&self) {
        match self {
            Self::Inbox(inbox)
            | Self::Layers {
                inbox: Some(inbox), ..
            } => inbox.fault(),
            Self::Layers { inbox: None, .. } | Self::Nowhere => {}
        }
    }

    /// Nobody reads any more. What wraps the inbox hears of it by being dropped.
    fn abandon(&mut self) {
        if let Self::Inbox(inbox) = self {
            inbox.abandon();
        }
        *self = Self::Nowhere;
    }
}

impl<T> Streaming<T> {
    /// A stream in process, with the end that writes it. At most `room` messages (at least 1) wait in between.
    pub fn channel(room: usize) -> (Outgoing<T>, Self) {
        let (sender, items) = mpsc::channel(room.max(1));
        (Outgoing::in_process(sender), Self::new(Source::InProcess(items)))
    }

    /// A stream of what is put into an inbox.
    pub(crate) fn from_wire(inbox: Arc<Inbox>, decoder: Decoder<T>) -> Self {
        Self::decoding(From::Inbox(inbox), decoder)
    }

    /// A stream of what comes out of layers. `inbox` is what they read from, where undecodable messages are counted.
    pub(crate) fn from_layers(
        messages: Messages,
        trailers: Trailers,
        inbox: Option<Arc<Inbox>>,
        decoder: Decoder<T>,
    ) -> Self {
        let from = From::Layers {
            messages,
            trailers,
            inbox,
        };
        Self::decoding(from, decoder)
    }

    fn decoding(from: From, decoder: Decoder<T>) -> Self {
        Self::new(Source::Wire(Wire {
            from,
            decoder,
            decoding: None,
            rests: false,
            guarded: None,
            followed: None,
        }))
    }

    fn new(source: Source<T>) -> Self {
        Self {
            source,
            metadata: Metadata::default(),
            trailers: Metadata::default(),
            over: false,
        }
    }

    /// Counts what comes, for a call that is followed; `ends` where the stream's end is the call's.
    pub(crate) fn followed(mut self, followed: Arc<Followed>, ends: bool) -> Self {
        if let Source::Wire(wire) = &mut self.source {
            wire.followed = Some((followed, ends));
        }
        self
    }

    /// Looks at every message before its reader has it.
    pub(crate) fn guarded(mut self, guard: Guarding<T>) -> Self {
        if let Source::Wire(wire) = &mut self.source {
            wire.guarded = Some(Box::new(Guarded {
                guard,
                checking: None,
            }));
        }
        self
    }

    /// Sets what the server sent ahead of its messages.
    pub(crate) fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// The next message; `None` at the end. Cancelling it loses nothing.
    ///
    /// # Errors
    ///
    /// Why the stream failed; after that, `None`.
    pub async fn message(&mut self) -> Result<Option<T>, Status> {
        poll_fn(|cx| self.poll_message(cx)).await.transpose()
    }

    /// What the server sent ahead of its messages. Empty in a handler, where it is
    /// [`Context::metadata`](crate::Context::metadata).
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What the server sent with the end of the stream; empty before it. Those of a stream that failed stand in the
    /// status as well.
    pub fn trailers(&self) -> &Metadata {
        &self.trailers
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, Status>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let item = match &mut self.source {
            Source::InProcess(items) => ready!(items.poll_recv(cx)),
            Source::Wire(wire) => match ready!(wire.poll_message(cx)) {
                Ok(message) => Some(message),
                Err(ending) => {
                    self.trailers = ending.trailers;
                    ending.result.err().map(Err)
                }
            },
        };
        if !matches!(item, Some(Ok(_))) {
            self.over = true;
            self.finish(&item);
            self.abandon();
        }
        Poll::Ready(item)
    }

    /// Says how the call has ended, where it is followed.
    fn finish(&mut self, item: &Option<Result<T, Status>>) {
        if let Source::Wire(wire) = &mut self.source
            && let Some((followed, true)) = wire.followed.take()
        {
            followed.finish(match item {
                Some(Err(status)) => status.code(),
                _ => Code::Ok,
            });
        }
    }

    fn abandon(&mut self) {
        if let Source::Wire(wire) = &mut self.source {
            wire.from.abandon();
            wire.guarded = None;
            if let Some(decoding) = wire.decoding.take() {
                decoding.abort();
            }
        }
    }
}

impl<T> Wire<T> {
    /// A message or why there is none, or how the stream ended.
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Result<T, Status>, Ending>> {
        if mem::take(&mut self.rests) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(guarded) = &mut self.guarded
            && let Some(checking) = &mut guarded.checking
        {
            let checked = ready!(checking.as_mut().poll(cx));
            guarded.checking = None;
            return Poll::Ready(Ok(checked));
        }
        let read = match &mut self.decoding {
            Some(decoding) => {
                let read = ready!(Pin::new(decoding).poll(cx));
                self.decoding = None;
                read.unwrap_or_else(|_| {
                    Err(Unreadable::Refused(Status::internal(
                        "decoding a message was interrupted",
                    )))
                })
            }
            None => match ready!(self.from.poll_take(cx)) {
                Err(ending) => return Poll::Ready(Err(ending)),
                Ok((body, compression)) => {
                    if let Some((followed, _)) = &self.followed {
                        followed.response(body.len());
                    }
                    self.rests = compression != Compression::NONE && body.len() > LITTLE;
                    match self.decoder.decode(body, compression) {
                        Decoded::Now(read) => read,
                        Decoded::Later(decoding) => {
                            self.decoding = Some(decoding);
                            // Once more, now with what is awaited.
                            return self.poll_message(cx);
                        }
                    }
                }
            },
        };
        Poll::Ready(Ok(match read {
            Ok(message) => match &mut self.guarded {
                None => Ok(message),
                Some(guarded) => {
                    guarded.checking = Some((guarded.guard)(message));
                    // Once more, now with what is awaited.
                    return self.poll_message(cx);
                }
            },
            Err(Unreadable::Refused(status)) => Err(status),
            Err(Unreadable::Fault(status)) => {
                self.from.fault();
                Err(status)
            }
        }))
    }
}

impl<T> Stream for Streaming<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_message(cx)
    }
}

/// Nothing in it is pinned.
impl<T> Unpin for Streaming<T> {}

impl<T> Drop for Streaming<T> {
    fn drop(&mut self) {
        if !self.over {
            self.abandon();
        }
    }
}

impl<T> fmt::Debug for Streaming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming")
            .field("metadata", &self.metadata)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
