//! A session's call: a method that has both ends of the call in its hands and lasts as long as it runs.
//!
//! What the method writes waits in a short queue, from which the connection's task sends it. So the method may write from
//! any task, and waits while the peer does not read.

use std::{
    borrow::Borrow,
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context as TaskContext, Poll, Waker},
};

use bytes::Bytes;
use pin_project_lite::pin_project;
use rpc_protocol::{Body, frame::Metadata as Pair};
use tokio::sync::Notify;

use super::{
    Gateway, SessionMethod,
    begin::{gateway, streaming},
    call::Turn,
    deadline::{Current, within},
    producing::SHARE,
    table::{Arrived, MethodEntry},
    work::{Begun, Detached, Pending, StreamingCall, Work, alone, run_apart},
};
use crate::{
    Context, Status,
    streaming::{Ending, Inbox, Outgoing, Sink, Streaming, Unsent},
};

/// A session's method. Its call is open once it first waits, or has ended.
pub(super) async fn hold<G: Gateway, M: SessionMethod<G>>(
    index: usize,
    context: impl Borrow<Context> + Send,
    input: Streaming<M::Request>,
    output: Outgoing<M::Response>,
    open: impl FnOnce(Vec<Pair>) + Send,
) -> Result<Vec<Pair>, Status> {
    let context = context.borrow();
    let mut call = pin!(M::call(gateway::<G>(context, index)?, context, input, output));
    let mut open = Some(open);
    let result = poll_fn(|cx| {
        let polled = call.as_mut().poll(cx);
        if let Some(open) = open.take() {
            open(context.take_initial());
        }
        polled
    });
    let result = result.await;
    context.end(result)
}

/// Makes the call of a session's method, to be polled once it is parked.
pub(super) fn begin<G: Gateway, M: SessionMethod<G>>(
    entry: &MethodEntry,
    arrived: Arrived<'_>,
    _: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
) -> Begun {
    let (context, inbox, requests) = streaming(entry, arrived);
    let (index, stream_id, current) = (entry.gateway, context.stream_id(), Current::of(&context));
    let sink = SessionSink::new(turn.protocol.peer_limits().max_body_bytes);
    let (output, opening) = (Outgoing::to_wire(sink.clone()), sink.clone());
    let method = hold::<G, M>(index, context, requests, output, move |metadata| {
        opening.open(metadata)
    });
    let (future, input) = (within(current, method), inbox.clone());
    let work = if entry.descriptor.spawn {
        let (task, ended) = run_apart(future);
        let future = async move { task.await? };
        let call = SessionCall::new(future, sink, input, stream_id);
        Work::Streaming(Box::pin(call), Some(ended))
    } else {
        let call = SessionCall::new(future, sink, input, stream_id);
        Work::Streaming(Box::pin(call), None)
    };
    Begun::Pending(Pending {
        work,
        bytes: 0,
        input: Some(inbox),
    })
}

/// What waits in the queue of one session: messages up to so many, and up to so many bytes and one message.
const QUEUE: (usize, usize) = (64, 32 * 1024);

/// The queue between a session's method and the connection.
pub(super) struct SessionSink {
    queue: Mutex<Queue>,
    changed: Notify,
    /// The longest message that the client takes.
    max_body: usize,
}

#[derive(Default)]
struct Queue {
    messages: VecDeque<Bytes>,
    bytes: usize,
    /// What the handler said ahead of its messages, once it first waited or ended.
    opened: Option<Vec<Pair>>,
    /// How the method ended its messages by itself.
    failed: Option<Status>,
    closed: Option<Status>,
    /// Wakes the call. `None` while the connection's task polls it, and looks here by itself afterwards.
    waker: Option<Waker>,
    /// Somebody was told that there is no room.
    refused: bool,
}

impl Queue {
    fn is_full(&self) -> bool {
        self.messages.len() >= QUEUE.0 || self.bytes >= QUEUE.1
    }
}

impl SessionSink {
    pub(super) fn new(max_body: usize) -> Arc<Self> {
        Arc::new(Self {
            queue: Mutex::default(),
            changed: Notify::new(),
            max_body,
        })
    }

    /// The method waits for the first time, or has ended: what it says ahead of its messages can leave.
    pub(super) fn open(&self, metadata: Vec<Pair>) {
        let mut queue = self.lock();
        queue.opened = Some(metadata);
        wake(queue);
    }

    /// Nothing more is taken.
    fn close(&self, status: Status) {
        self.lock().closed.get_or_insert(status);
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while the lock is held.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the call once the lock is free.
fn wake(mut queue: MutexGuard<'_, Queue>) {
    let waker = queue.waker.take();
    drop(queue);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Sink for SessionSink {
    fn try_send(&self, message: &dyn Body) -> Result<(), Unsent> {
        let len = message.encoded_len();
        let mut queue = self.lock();
        if let Some(status) = queue.closed.clone() {
            return Err(Unsent::Closed(status));
        }
        if len > self.max_body {
            return Err(Unsent::Refused(Status::resource_exhausted(
                "the message is over the client's limit",
            )));
        }
        if queue.is_full() {
            queue.refused = true;
            return Err(Unsent::Full);
        }
        let mut body = Vec::with_capacity(len);
        message.encode(&mut body);
        queue.messages.push_back(body.into());
        queue.bytes += len;
        wake(queue);
        Ok(())
    }

    fn changed(&self) -> &Notify {
        &self.changed
    }

    fn fail(&self, status: Status) {
        let mut queue = self.lock();
        if queue.closed.is_none() {
            queue.failed = Some(status);
            queue.closed = Some(Status::cancelled("the session has ended its messages"));
            wake(queue);
            self.changed.notify_waiters();
        }
    }

    fn closed(&self) -> Option<Status> {
        self.lock().closed.clone()
    }
}

pin_project! {
    /// A session's method, and what it has written.
    pub(super) struct SessionCall<F> {
        #[pin]
        future: F,
        sink: Arc<SessionSink>,
        input: Arc<Inbox>,
        stream_id: u64,
        // The method has returned; what it wrote may wait still.
        result: Option<Result<Vec<Pair>, Status>>,
    }

    impl<F> PinnedDrop for SessionCall<F> {
        fn drop(this: Pin<&mut Self>) {
            this.sink.close(Status::cancelled("the call is over"));
        }
    }
}

impl<F> SessionCall<F> {
    pub(super) fn new(future: F, sink: Arc<SessionSink>, input: Arc<Inbox>, stream_id: u64) -> Self {
        Self {
            future,
            sink,
            input,
            stream_id,
            result: None,
        }
    }
}

impl<F> StreamingCall for SessionCall<F>
where
    F: Future<Output = Result<Vec<Pair>, Status>> + Send + 'static,
{
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        turn: &mut Turn<'_>,
    ) -> Poll<Result<Vec<Pair>, Status>> {
        let mut this = self.project();
        let stream_id = *this.stream_id;
        if this.result.is_none() {
            this.sink.lock().waker = None;
            if let Poll::Ready(result) = this.future.as_mut().poll(cx) {
                this.sink.close(Status::cancelled("the method has returned"));
                *this.result = Some(result);
            }
        }
        let (mut bytes, mut messages) = SHARE;
        let mut queue = this.sink.lock();
        if let Some(metadata) = queue.opened.take() {
            turn.open(stream_id, metadata)?;
        }
        while !queue.messages.is_empty() && bytes > 0 && messages > 0 && turn.protocol.is_writable(stream_id)
        {
            let Some(body) = queue.messages.pop_front() else {
                break;
            };
            queue.bytes -= body.len();
            bytes = bytes.saturating_sub(body.len());
            messages -= 1;
            // The queue's limit was the client's: nothing is too large for it.
            turn.send(stream_id, &body)?;
        }
        let has_room = queue.refused && !queue.is_full();
        queue.refused &= !has_room;
        let (is_empty, is_writable) = (queue.messages.is_empty(), turn.protocol.is_writable(stream_id));
        // Not while a message waits inside, which the end would overtake.
        let failed = if is_empty && is_writable {
            queue.failed.take()
        } else {
            None
        };
        if is_empty || !is_writable {
            queue.waker = Some(cx.waker().clone());
        } else {
            // The share is used up.
            cx.waker().wake_by_ref();
        }
        drop(queue);
        if has_room {
            this.sink.changed.notify_waiters();
        }
        if let Some(status) = failed {
            // The client is told at once; the method goes on until it returns.
            let _ = turn
                .protocol
                .end_running(stream_id, &status.into_end(), turn.output);
            // For the client the call is over: it sends nothing more, not even an end.
            this.input.finish(Ending::done());
        }
        if is_empty && let Some(result) = this.result.take() {
            return Poll::Ready(result);
        }
        Poll::Pending
    }

    fn detach(self: Pin<Box<Self>>) -> Option<Detached> {
        if self.result.is_some() {
            return None;
        }
        self.sink
            .close(Status::unavailable("the client has disconnected"));
        Some(alone(self, |call, cx| call.project().future.poll(cx).map(drop)))
    }
}
