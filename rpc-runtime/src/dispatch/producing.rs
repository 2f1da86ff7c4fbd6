//! A call whose handler returns a stream: server streaming and bidirectional.
//!
//! The handler's future, the stream that it gives and the context that both may borrow from live in one async block. What
//! the stream gives goes through a slot, from which it is encoded straight into the output; the block goes on once the slot
//! is empty again. So a stream is polled only while the peer takes what it gives.

use std::{
    future::{Future, poll_fn},
    mem,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context as TaskContext, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;
use prost::Message;
use rpc_protocol::{Body, frame::Metadata as Pair};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{
    call::Turn,
    work::{Apart, StreamingCall},
};
use crate::{Context, Status, streaming::MessageBody};

/// What one call may write before others get their turn: so many bytes of messages, or so many messages.
pub(super) const SHARE: (usize, usize) = (16 * 1024, 32);

/// Items of a stream that runs on a task of its own wait for the connection's: up to so many, and up to so many bytes and
/// one item.
const AHEAD: (usize, u32) = (32, 32 * 1024);

/// What a stream gives to whoever writes it.
pub(super) trait Emit<R>: Sync {
    /// The handler has returned its stream, with this initial metadata.
    fn open(&self, metadata: Vec<Pair>) -> impl Future<Output = ()> + Send;

    /// Gives an item, and is ready when the next may be made.
    fn item(&self, item: R) -> impl Future<Output = ()> + Send;
}

/// Hands on what a stream gives, up to its end.
pub(super) async fn drain<R, S>(
    opened: Result<S, Status>,
    context: &Context,
    to: &impl Emit<R>,
) -> Result<(), Status>
where
    R: Send,
    S: Stream<Item = Result<R, Status>> + Send,
{
    let mut stream = pin!(opened?);
    to.open(context.take_initial()).await;
    while let Some(item) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
        to.item(item?).await;
    }
    Ok(())
}

/// One item's way from its stream to the output. Its lock is never waited for: both ends are polled by one task.
pub(super) struct Slot<R>(Mutex<Contents<R>>);

struct Contents<R> {
    opened: Option<Vec<Pair>>,
    item: Option<R>,
}

impl<R> Slot<R> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Contents {
            opened: None,
            item: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Contents<R>> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self) -> (Option<Vec<Pair>>, Option<R>) {
        let mut contents = self.lock();
        (contents.opened.take(), contents.item.take())
    }
}

impl<R: Send> Emit<R> for Arc<Slot<R>> {
    async fn open(&self, metadata: Vec<Pair>) {
        self.lock().opened = Some(metadata);
    }

    async fn item(&self, item: R) {
        self.lock().item = Some(item);
        // Polled again when the slot is empty, without a waker: it is the one who empties it that polls.
        let mut emptied = false;
        poll_fn(|_| {
            if mem::replace(&mut emptied, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

pin_project! {
    /// A handler, and then its stream, up to its end.
    pub(super) struct Producing<F, R> {
        #[pin]
        future: F,
        slot: Arc<Slot<R>>,
        stream_id: u64,
        opened: bool,
        // The first item, where the windows were shut when the stream was opened.
        held: Option<R>,
    }
}

impl<F, R> Producing<F, R> {
    pub(super) fn new(future: F, slot: Arc<Slot<R>>, stream_id: u64) -> Self {
        Self {
            future,
            slot,
            stream_id,
            opened: false,
            held: None,
        }
    }
}

impl<F, R> Producing<F, R>
where
    F: Future<Output = Result<Vec<Pair>, Status>>,
{
    /// Goes on with the handler, though nobody takes what it gives any more.
    pub(super) fn poll_unheard(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let mut this = self.project();
        loop {
            if this.future.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if this.slot.take().1.is_none() {
                return Poll::Pending;
            }
        }
    }
}

impl<F, R> StreamingCall for Producing<F, R>
where
    F: Future<Output = Result<Vec<Pair>, Status>> + Send,
    R: Message,
{
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        turn: &mut Turn<'_>,
    ) -> Poll<Result<Vec<Pair>, Status>> {
        let mut this = self.project();
        let stream_id = *this.stream_id;
        let (mut bytes, mut items) = SHARE;
        loop {
            if *this.opened && !turn.protocol.is_writable(stream_id) {
                return Poll::Pending;
            }
            if bytes == 0 || items == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(item) = this.held.take() {
                turn.send(stream_id, &MessageBody(&item))?;
            }
            let polled = this.future.as_mut().poll(cx);
            let (opened, item) = this.slot.take();
            let first = opened.is_some();
            if let Some(metadata) = opened {
                *this.opened = true;
                turn.open(stream_id, metadata)?;
            }
            if let Poll::Ready(result) = polled {
                return Poll::Ready(result);
            }
            let Some(item) = item else { return Poll::Pending };
            if first && !turn.protocol.is_writable(stream_id) {
                // Not queued encoded: a client that opens many streams at once would fill the queue with their first
                // items, and calls are refused while that is full.
                *this.held = Some(item);
                return Poll::Pending;
            }
            let body = MessageBody(&item);
            bytes = bytes.saturating_sub(body.encoded_len());
            items -= 1;
            turn.send(stream_id, &body)?;
        }
    }
}

/// What a stream on a task of its own gives to the connection's.
pub(super) enum Emitted<R> {
    Opened(Vec<Pair>),
    /// With the room that it takes until it is taken.
    Item(R, Option<OwnedSemaphorePermit>),
}

/// The end of that way at the stream.
pub(super) struct Emitter<R> {
    to: mpsc::Sender<Emitted<R>>,
    /// Bytes that may still wait.
    room: Arc<Semaphore>,
}

impl<R: Message> Emit<R> for Emitter<R> {
    async fn open(&self, metadata: Vec<Pair>) {
        // Nobody listens any more: this task is being aborted.
        let _ = self.to.send(Emitted::Opened(metadata)).await;
    }

    async fn item(&self, item: R) {
        let bytes = u32::try_from(item.encoded_len()).map_or(AHEAD.1, |bytes| bytes.min(AHEAD.1));
        // Never closed.
        let room = self.room.clone().acquire_many_owned(bytes).await.ok();
        let _ = self.to.send(Emitted::Item(item, room)).await;
    }
}

/// The way from a stream on a task of its own to the connection's.
pub(super) fn emitted<R>() -> (Emitter<R>, mpsc::Receiver<Emitted<R>>) {
    let (to, from) = mpsc::channel(AHEAD.0);
    let room = Arc::new(Semaphore::new(AHEAD.1 as usize));
    (Emitter { to, room }, from)
}

/// Hands on what a stream on a task of its own gives, and then how it ended.
pub(super) async fn forward<R: Send>(
    mut emitted: mpsc::Receiver<Emitted<R>>,
    task: Apart<Result<Vec<Pair>, Status>>,
    slot: Arc<Slot<R>>,
) -> Result<Vec<Pair>, Status> {
    while let Some(emitted) = emitted.recv().await {
        match emitted {
            Emitted::Opened(metadata) => slot.open(metadata).await,
            Emitted::Item(item, room) => {
                slot.item(item).await;
                drop(room);
            }
        }
    }
    task.await?
}
