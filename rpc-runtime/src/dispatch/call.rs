//! A call that answers once, and where answers go.

use std::{
    future::Future,
    pin::Pin,
    task::{Context as TaskContext, Poll, ready},
};

use pin_project_lite::pin_project;
use prost::Message;
use rpc_protocol::{
    Body, SendError, ServerConnection,
    frame::{Compression, Metadata as Pair, Response},
};

use super::deadline::Current;
use crate::{
    Code, Status, compression, context::Sent, streaming::MessageBody, trace::Followed,
    transport::output::OutputBuffer,
};

/// Where a call's answer goes.
pub(crate) struct Turn<'a> {
    pub(crate) protocol: &'a mut ServerConnection,
    pub(crate) output: &'a mut OutputBuffer,
    /// Longer bodies are deflated; set where this server does that and the client can read it.
    pub(crate) compress_above: Option<usize>,
    /// Where what is sent for the call is counted, if anywhere.
    pub(crate) followed: Option<&'a Followed>,
    /// What the client was told by an answer: `Ok`, unless that was over its limit.
    pub(crate) answered: Code,
}

/// Why a call fails.
#[derive(Debug)]
pub(crate) enum Failure {
    /// With the status that the handler, or a check before it, gave.
    Status(Status),
    /// The client's own making, of the kind that is counted: the body does not decode.
    Fault(Status),
    /// The handler panicked, saying this.
    Panicked(String),
    /// Its time is over.
    DeadlineExceeded,
}

impl Failure {
    /// The code with which the call ends.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Status(status) | Self::Fault(status) => status.code(),
            Self::Panicked(_) => Code::Internal,
            Self::DeadlineExceeded => Code::DeadlineExceeded,
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

/// What a handler answered, and what it says beside it.
pub(crate) struct Reply<R> {
    pub(crate) response: R,
    pub(crate) sent: Option<Box<Sent>>,
}

/// A handler that is running and will answer once.
pub(crate) trait RunningCall: Send {
    /// Polls the handler. Ready with `Ok` when there is something to [`respond`](Self::respond).
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<(), Status>>;

    /// Encodes the handler's response into the output.
    fn respond(self: Pin<&mut Self>, stream_id: u64, turn: &mut Turn<'_>);
}

pin_project! {
    /// A handler's future and then, where it was parked, its reply.
    pub(crate) struct Call<F, R> {
        // What is current while the handler is polled.
        current: Current,
        #[pin]
        future: Option<F>,
        reply: Option<Reply<R>>,
    }
}

impl<F, R> Call<F, R>
where
    F: Future<Output = Result<Reply<R>, Status>>,
{
    /// Room for a call.
    pub(super) fn empty() -> Self {
        Self {
            current: Current::default(),
            future: None,
            reply: None,
        }
    }

    /// Puts a handler's future into its place.
    #[inline]
    pub(super) fn set(self: Pin<&mut Self>, current: Current, future: F) {
        let mut this = self.project();
        this.future.set(Some(future));
        *this.current = current;
    }

    /// Polls the handler. Once it is ready, its future is gone and the place is empty.
    #[inline]
    pub(super) fn poll_handler(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Result<Reply<R>, Status>> {
        let mut this = self.project();
        let entered = this.current.enter();
        let result = match this.future.as_mut().as_pin_mut() {
            Some(future) => ready!(future.poll(cx)),
            // Not reached: nobody polls an empty place.
            None => Err(Status::internal("the call is over")),
        };
        drop(entered);
        this.current.forget();
        this.future.set(None);
        Poll::Ready(result)
    }
}

impl<F, R> RunningCall for Call<F, R>
where
    F: Future<Output = Result<Reply<R>, Status>> + Send,
    R: Message,
{
    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<(), Status>> {
        let result = ready!(self.as_mut().poll_handler(cx));
        Poll::Ready(result.map(|reply| *self.project().reply = Some(reply)))
    }

    fn respond(self: Pin<&mut Self>, stream_id: u64, turn: &mut Turn<'_>) {
        if let Some(reply) = &mut self.project().reply.take() {
            turn.respond(stream_id, reply);
        }
    }
}

impl Turn<'_> {
    /// Encodes a response, once, into the output.
    #[inline]
    pub(crate) fn respond<R: Message>(&mut self, stream_id: u64, reply: &mut Reply<R>) {
        let body = MessageBody(&reply.response);
        if reply.sent.is_some() || self.compress_above.is_some() || self.followed.is_some() {
            self.respond_in_full(stream_id, reply.sent.take(), &body);
            return;
        }
        if self
            .protocol
            .respond_with_body(stream_id, &body, self.output)
            .is_err()
        {
            // It has become RESOURCE_EXHAUSTED for this call; nothing else is to be done.
            self.answered = Code::ResourceExhausted;
        }
    }

    /// The same with metadata, and deflated where that is asked for.
    #[cold]
    fn respond_in_full(&mut self, stream_id: u64, sent: Option<Box<Sent>>, body: &dyn Body) {
        let sent = sent.map(|sent| *sent).unwrap_or_default();
        let mut response = Response {
            metadata: sent.metadata.into_pairs(),
            trailers: sent.trailers.into_pairs(),
            ..Response::default()
        };
        let (result, bytes) = match self.deflated(body) {
            Some(deflated) => {
                response.compression = Compression::DEFLATE;
                let bytes = deflated.len();
                let result = self
                    .protocol
                    .respond(stream_id, &response, &deflated, self.output);
                (result, bytes)
            }
            None => {
                let result = self.protocol.respond(stream_id, &response, body, self.output);
                (result, body.encoded_len())
            }
        };
        if result.is_err() {
            // As above.
            self.answered = Code::ResourceExhausted;
        }
        if let Some(followed) = self.followed {
            if result.is_ok() {
                followed.response(bytes);
            }
            followed.finish(self.answered);
        }
    }

    /// Begins a response that is a stream.
    pub(crate) fn open(&mut self, stream_id: u64, metadata: Vec<Pair>) -> Result<(), Status> {
        self.protocol
            .open_response(stream_id, metadata, self.output)
            .map_err(|_| Status::resource_exhausted("the metadata is over the client's limit"))
    }

    /// Sends one message of a response that is a stream.
    #[inline]
    pub(crate) fn send(&mut self, stream_id: u64, body: &dyn Body) -> Result<(), Status> {
        let deflated = self.deflated(body);
        let (compression, body): (_, &dyn Body) = match &deflated {
            Some(deflated) => (Compression::DEFLATE, deflated),
            None => (Compression::NONE, body),
        };
        match self.protocol.send(stream_id, compression, body, self.output) {
            Ok(_) => {
                if let Some(followed) = self.followed {
                    followed.response(body.encoded_len());
                }
                Ok(())
            }
            Err(SendError::TooLarge(_)) => Err(Status::resource_exhausted(
                "a message of the response is over the client's limit",
            )),
            // Not reached by calls that ask whether the stream is writable.
            Err(_) => Err(Status::cancelled("the client takes no more messages of the call")),
        }
    }

    /// What a body becomes where it is to be deflated, and gets shorter by it.
    #[inline]
    fn deflated(&self, body: &dyn Body) -> Option<bytes::Bytes> {
        let above = self.compress_above?;
        if body.encoded_len() <= above {
            return None;
        }
        let mut encoded = Vec::with_capacity(body.encoded_len());
        body.encode(&mut encoded);
        compression::deflate(&encoded)
    }
}
