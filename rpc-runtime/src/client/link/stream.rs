//! What a connection holds of a call that streams, and what its two ends on this side do.

use std::sync::{Arc, OnceLock};

use rpc_protocol::{Body, SendError, frame::Compression};
use tokio::{sync::Notify, time::Instant};

use super::{Failure, InFlight, Link, State};
use crate::{
    Metadata, Status, compression,
    streaming::{Ending, Feedback, Inbox, Sink, Unsent},
};

/// Messages of streams are not written while so many bytes wait to leave: what is written later, such as a short call,
/// would stand behind all of them.
pub(super) const STREAM_OUTPUT: usize = 64 << 10;

/// Which sides of a call stream, and for how long it may.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::client) struct Shape {
    pub(in crate::client) requests: bool,
    pub(in crate::client) responses: bool,
    /// The call goes on when nobody reads its responses any more: they are taken and thrown away.
    pub(in crate::client) goes_on_unread: bool,
    /// When the call is over, also after it was opened.
    pub(in crate::client) deadline: Option<Instant>,
}

/// A call that was opened with streams.
pub(in crate::client) struct OpenedStream {
    pub(in crate::client) in_flight: InFlight,
    pub(in crate::client) inbox: Option<Arc<Inbox>>,
    pub(in crate::client) sink: Option<Arc<StreamSink>>,
}

/// What a call that streams has beside its cell.
pub(super) struct StreamEntry {
    /// Where responses go. `None`: there is one response, or nobody reads them any more.
    pub(super) inbox: Option<Arc<Inbox>>,
    pub(super) sender: Option<Arc<Sender>>,
    pub(super) shape: Shape,
    /// What the messages in the inbox count on the windows.
    pub(super) unread: usize,
}

impl StreamEntry {
    /// Tells both ends that the call is over.
    pub(super) fn end(&self, result: &Result<(), Failure>, trailers: Metadata) {
        if let Some(inbox) = &self.inbox {
            let result = result.clone().map_err(Failure::into_status);
            inbox.finish(Ending { result, trailers });
        }
        if let Some(sender) = &self.sender {
            sender.end(result);
        }
    }
}

/// The sending side of a call, as its connection and its sinks share it.
#[derive(Debug, Default)]
pub(super) struct Sender {
    changed: Notify,
    /// Why nothing can be sent any more.
    stopped: OnceLock<Status>,
    /// How the call ended.
    ended: OnceLock<Result<(), Failure>>,
}

impl Sender {
    /// There may be room.
    pub(super) fn wake(&self) {
        self.changed.notify_waiters();
    }

    /// Nothing can be sent any more; the first reason stays.
    pub(super) fn stop(&self, status: Status) {
        let _ = self.stopped.set(status);
        self.changed.notify_waiters();
    }

    fn end(&self, result: &Result<(), Failure>) {
        let _ = self.ended.set(result.clone());
        self.stop(match result {
            Ok(()) => Status::cancelled("the call has ended"),
            Err(failure) => failure.clone().into_status(),
        });
    }
}

/// Where a call's requests are written. Its drop half-closes the call.
pub(in crate::client) struct StreamSink {
    link: Arc<Link>,
    stream_id: u64,
    sender: Arc<Sender>,
}

impl StreamSink {
    pub(super) fn new(link: Arc<Link>, stream_id: u64, sender: Arc<Sender>) -> Self {
        Self {
            link,
            stream_id,
            sender,
        }
    }

    /// The call's end, for those who wait for it.
    pub(in crate::client) fn end(&self) -> CallEnd {
        CallEnd {
            link: self.link.clone(),
            stream_id: self.stream_id,
            sender: self.sender.clone(),
        }
    }
}

impl Sink for StreamSink {
    fn try_send(&self, message: &dyn Body) -> Result<(), Unsent> {
        if let Some(status) = self.closed() {
            return Err(Unsent::Closed(status));
        }
        let mut deflated = None;
        if message.encoded_len() > self.link.deflate_above() {
            let mut plain = Vec::with_capacity(message.encoded_len());
            message.encode(&mut plain);
            deflated = compression::deflate(&plain);
        }
        let mut state = self.link.lock();
        let idle = state.output.pending() == 0;
        let sent = match &deflated {
            Some(body) => state.send(self.stream_id, Compression::DEFLATE, body),
            None => state.send(self.stream_id, Compression::NONE, message),
        };
        drop(state);
        match sent {
            Ok(()) => {
                if idle {
                    self.link.wake_driver();
                }
                Ok(())
            }
            Err(SendError::Busy) => Err(Unsent::Full),
            Err(SendError::TooLarge(error)) => Err(Unsent::Refused(Status::resource_exhausted(format!(
                "the message was not sent: {error}"
            )))),
            // The call ended between the two looks.
            Err(_) => {
                Err(Unsent::Closed(self.closed().unwrap_or_else(|| {
                    Status::cancelled("the stream is not read any more")
                })))
            }
        }
    }

    fn changed(&self) -> &Notify {
        &self.sender.changed
    }

    fn fail(&self, status: Status) {
        self.link.give_up(self.stream_id, Failure::Status(status));
    }

    fn closed(&self) -> Option<Status> {
        self.sender.stopped.get().cloned()
    }
}

impl Drop for StreamSink {
    fn drop(&mut self) {
        let mut state = self.link.lock();
        let State { protocol, output, .. } = &mut *state;
        let idle = output.pending() == 0;
        protocol.finish(self.stream_id, output);
        let wake = idle && output.pending() > 0;
        drop(state);
        if wake {
            self.link.wake_driver();
        }
    }
}

/// The end of a session's call. Dropped before the call has ended, it cancels the call.
pub(in crate::client) struct CallEnd {
    link: Arc<Link>,
    stream_id: u64,
    sender: Arc<Sender>,
}

impl CallEnd {
    /// How the call ended, if it has.
    pub(in crate::client) fn get(&self) -> Option<Result<(), Failure>> {
        self.sender.ended.get().cloned()
    }

    /// Waits for the end.
    pub(in crate::client) async fn wait(&self) -> Result<(), Failure> {
        loop {
            let changed = self.sender.changed.notified();
            tokio::pin!(changed);
            // Before the look, so that nothing is missed between the two.
            changed.as_mut().enable();
            if let Some(result) = self.get() {
                return result;
            }
            changed.await;
        }
    }
}

impl Drop for CallEnd {
    fn drop(&mut self) {
        if self.sender.ended.get().is_none() {
            let status = Status::cancelled("the call was given up");
            self.link.give_up(self.stream_id, Failure::Status(status));
        }
    }
}

impl Feedback for Link {
    fn consumed(&self, stream_id: u64, bytes: usize) {
        let mut state = self.lock();
        let idle = state.output.pending() == 0;
        state.consumed(stream_id, bytes);
        let wake = idle && state.output.pending() > 0;
        drop(state);
        if wake {
            self.wake_driver();
        }
    }

    fn abandoned(&self, stream_id: u64) {
        let mut state = self.lock();
        let Some(entry) = state.calls.get_mut(stream_id) else {
            return;
        };
        match &mut entry.stream {
            Some(stream) if stream.shape.goes_on_unread => {
                stream.inbox = None;
                let unread = stream.unread;
                state.consumed(stream_id, unread);
                drop(state);
                self.wake_driver();
            }
            _ => {
                drop(state);
                let status = Status::cancelled("the call was given up");
                self.give_up(stream_id, Failure::Status(status));
            }
        }
    }

    fn fault(&self) {
        // A server whose messages do not decode fails its own calls; there is no one to count it against.
    }
}
