//! What a call carries through its layers: one encoded message, or a stream of them.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;

use crate::{Metadata, Status};

/// The request or the response of a call: one encoded message, or a stream of them.
///
/// A message is its protobuf encoding, before compression on one side and after inflation on the other.
#[derive(Debug)]
pub enum Body {
    /// One message.
    Message(Bytes),
    /// Any number of messages, one after the other.
    Stream(Messages),
}

impl Body {
    /// The message, where it is one.
    #[must_use]
    pub fn message(&self) -> Option<&Bytes> {
        match self {
            Self::Message(message) => Some(message),
            Self::Stream(_) => None,
        }
    }

    /// Whether it is a stream.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(_))
    }

    /// Makes something else of every message, those of a stream when they are asked for: what the other side sends
    /// is held back as before.
    ///
    /// ```
    /// # use rpc_runtime::{bytes::Bytes, middleware::Body};
    /// let body = Body::Message(Bytes::from_static(b"abc"));
    /// let body = body.map(|message| message.slice(1..));
    /// assert_eq!(body.message().unwrap(), "bc");
    /// ```
    #[must_use]
    pub fn map(self, map: impl FnMut(Bytes) -> Bytes + Send + 'static) -> Self {
        let mut map = map;
        match self {
            Self::Message(message) => Self::Message(map(message)),
            Self::Stream(messages) => Self::Stream(Messages::new(Mapped { messages, map })),
        }
    }
}

/// One empty message.
impl Default for Body {
    fn default() -> Self {
        Self::Message(Bytes::new())
    }
}

/// A stream of encoded messages; a status as the last item is how it failed.
///
/// It ends with that, whatever is behind it.
///
/// It is pulled: a message is made, or taken off the connection's window, when it is asked for. What wraps it should keep
/// that up, and hold no more than it must.
pub struct Messages(
    /// `None` once it has ended.
    Option<BoxedStream>,
);

type BoxedStream = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

impl Messages {
    /// The messages that a stream gives.
    #[must_use]
    pub fn new(stream: impl Stream<Item = Result<Bytes, Status>> + Send + 'static) -> Self {
        Self(Some(Box::pin(stream)))
    }
}

impl Stream for Messages {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(stream) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let item = ready!(stream.as_mut().poll_next(cx));
        if !matches!(item, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(item)
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").finish_non_exhaustive()
    }
}

struct Mapped<F> {
    messages: Messages,
    map: F,
}

/// Nothing in it is pinned.
impl<F> Unpin for Mapped<F> {}

impl<F: FnMut(Bytes) -> Bytes> Stream for Mapped<F> {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        Pin::new(&mut this.messages)
            .poll_next(cx)
            .map(|item| item.map(|item| item.map(&mut this.map)))
    }
}

/// How a call was answered.
///
/// That it is there means that the call went well so far: a call that fails is an error of the service. Of a stream the
/// rest comes later, and how it ends is told by its last item.
#[derive(Debug)]
pub struct Reply {
    pub(crate) metadata: Metadata,
    pub(crate) body: Body,
    pub(crate) trailers: Trailers,
}

impl Reply {
    /// A reply without metadata.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self {
            metadata: Metadata::new(),
            body,
            trailers: Trailers::default(),
        }
    }

    /// What is sent ahead of the body.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The same, to be changed.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// The response, or the stream of them.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The same, to be changed.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// Makes another body of the body.
    #[must_use]
    pub fn map_body(mut self, map: impl FnOnce(Body) -> Body) -> Self {
        self.body = map(self.body);
        self
    }

    /// What is sent behind the body. A layer that wants to look at it, or to add to it, when the stream is over keeps a
    /// clone.
    #[must_use]
    pub fn trailers(&self) -> &Trailers {
        &self.trailers
    }
}

/// What is sent with the end of a call. All clones are one.
///
/// Those of a stream are complete when it has ended; until it has, more can be added.
#[derive(Debug, Clone, Default)]
pub struct Trailers(Arc<Mutex<Metadata>>);

impl Trailers {
    /// What is there by now.
    #[must_use]
    pub fn get(&self) -> Metadata {
        self.lock().clone()
    }

    /// Adds to them. Whatever is added after the end of the stream is lost.
    pub fn update(&self, change: impl FnOnce(&mut Metadata)) {
        // The change runs apart from the lock, which a change that panics would poison.
        let mut metadata = std::mem::take(&mut *self.lock());
        change(&mut metadata);
        self.lock().extend(metadata);
    }

    pub(crate) fn extend(&self, more: Metadata) {
        if !more.is_empty() {
            self.lock().extend(more);
        }
    }

    pub(crate) fn take(&self) -> Metadata {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Metadata> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
