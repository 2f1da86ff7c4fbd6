//! What messages of the server's do to the calls of a connection.

use bytes::Bytes;
use rpc_protocol::{
    ClientEvent, ConnectionError, StreamMessage,
    frame::{End, Greeting, Response},
};
use tokio::time::Instant;

use super::{Failure, Link, Outcome, State, Woken, state::Entry, stream::StreamEntry};
use crate::{Code, Metadata, Status};

impl State {
    /// Takes a message of the server's.
    pub(in crate::client) fn handle_message(
        &mut self,
        message: Bytes,
        now: Instant,
        link: &Link,
        woken: &mut Woken,
    ) -> Result<(), ConnectionError> {
        if self.away.is_some() {
            return self.on_return(message, now, link, woken);
        }
        match self
            .protocol
            .handle_message(message, now.into_std(), &mut self.output)?
        {
            ClientEvent::Response { stream_id, response } => self.on_response(stream_id, response, woken),
            ClientEvent::Opened { stream_id, response } => self.on_opened(stream_id, response, woken),
            ClientEvent::Message { stream_id, message } => self.on_message(stream_id, message),
            ClientEvent::End { stream_id, end } => self.on_end(stream_id, end, woken),
            ClientEvent::StopSending { stream_id } => {
                if let Some(stream) = self.stream(stream_id)
                    && let Some(sender) = &stream.sender
                {
                    sender.stop(Status::cancelled("the stream is not read any more"));
                }
            }
            ClientEvent::Greeting(greeting) => self.on_greeting(*greeting, link, now, woken),
            ClientEvent::Acknowledged(acknowledgement) => {
                if let Some(replay) = self.output.replay() {
                    replay.acknowledge(acknowledgement.received_frames)?;
                    if !replay.keeps_much() {
                        // Calls may be opened again. Streams go on when the connection's task has had its turn.
                        woken.streams = self.queued;
                    }
                }
            }
            ClientEvent::Identity(identity) => self.is_told(*identity, link, now, woken),
            ClientEvent::Published(event) => link.hub.on_event(link.number(), *event, &mut woken.wakers),
            ClientEvent::GoAway { go_away, not_run } => {
                link.shut();
                for stream_id in not_run {
                    if let Some(entry) = self.remove(stream_id) {
                        entry.complete(Err(Failure::NotRun), Metadata::default(), woken);
                    }
                }
                self.going_away = Some(go_away);
                woken.fate = true;
            }
            _ => {}
        }
        while let Some(stream_id) = self.protocol.poll_writable() {
            self.wake_sender(stream_id);
        }
        if woken.streams == 0 && self.queued > 0 && self.protocol.can_open() {
            // A credit may have opened the window that they wait for.
            woken.streams = 1;
        }
        Ok(())
    }

    /// The server has introduced itself.
    pub(super) fn on_greeting(&mut self, greeting: Greeting, link: &Link, now: Instant, woken: &mut Woken) {
        // More streams may be allowed now.
        woken.streams = self.queued;
        link.on_greeting(&greeting);
        if greeting.resume_token.is_empty() || greeting.replay_bytes == 0 {
            // The server keeps nothing of calls, which end with the connection.
            self.output.keep_for_resume(None);
        }
        link.hub
            .greeted(link.number(), greeting.resumed, greeting.events_again);
        if link.resumption.greeted(link.number(), &greeting) {
            self.protocol.acknowledge_token(&mut self.output);
        }
        self.is_greeted(greeting, link, now);
    }

    fn on_response(&mut self, stream_id: u64, response: Response, woken: &mut Woken) {
        let Some(entry) = self.remove(stream_id) else {
            return;
        };
        let is_stream = entry.stream.as_ref().is_some_and(|stream| stream.shape.responses);
        let outcome = if is_stream {
            let text = "the response is no stream, which this call asks for";
            Err(Failure::Status(Status::unimplemented(text)))
        } else {
            Ok(response)
        };
        self.is_over_now(entry, outcome, Metadata::default(), woken);
    }

    fn on_opened(&mut self, stream_id: u64, response: Response, woken: &mut Woken) {
        let Some(entry) = self.calls.get_mut(stream_id) else {
            return;
        };
        if entry.stream.as_ref().is_some_and(|stream| stream.shape.responses) {
            self.burst.answered += 1;
            woken.wakers.extend(entry.cell.complete(Ok(response)));
        } else {
            let text = "the response is a stream, which this call does not read";
            self.cancel(stream_id, Failure::Status(Status::unimplemented(text)), woken);
        }
    }

    fn on_message(&mut self, stream_id: u64, message: StreamMessage) {
        let cost = message.cost();
        match self.stream(stream_id) {
            Some(StreamEntry {
                inbox: Some(inbox),
                unread,
                ..
            }) => {
                *unread += cost;
                inbox.push_compressed(message.body, message.compression, cost);
            }
            // Nobody reads it.
            _ => self.protocol.consumed(stream_id, cost, &mut self.output),
        }
    }

    fn on_end(&mut self, stream_id: u64, end: End, woken: &mut Woken) {
        let Some(entry) = self.remove(stream_id) else {
            return;
        };
        if end.status.as_ref().is_some_and(|status| status.code != 0) {
            let trailers = end.trailers.clone().into();
            let status = Status::from_end(end);
            let stopped = status.code() == Code::Unavailable && self.protocol.is_going_away();
            let failure = if stopped {
                Failure::Stopped(status)
            } else {
                Failure::Status(status)
            };
            self.is_over_now(entry, Err(failure), trailers, woken);
        } else {
            // A stream that was never opened is one without messages.
            self.is_over_now(entry, Ok(Response::default()), end.trailers.into(), woken);
        }
    }

    fn is_over_now(&mut self, entry: Entry, outcome: Outcome, trailers: Metadata, woken: &mut Woken) {
        self.burst.answered += 1;
        entry.complete(outcome, trailers, woken);
        if entry.stream.is_none() {
            self.spare.give(entry.cell);
        }
        // Each end lets one call more go on.
        woken.streams = (woken.streams + 1).min(self.queued);
    }
}
