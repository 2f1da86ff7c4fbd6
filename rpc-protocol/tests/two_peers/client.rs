//! What the client's application does, and what it sees.

use bytes::Bytes;
use rpc_protocol::frame::{Compression, Request};
use rpc_protocol::{ClientEvent, Code, OpenError, SendError, Sent};

use crate::World;
use crate::calls::{Call, Fate, Kind};

impl World {
    pub(crate) fn open(&mut self) {
        let id = self.calls.len() as u64 + 1;
        let kind = Kind::any(&mut self.random);
        let call = Call::new(kind, id, self.heavy, &mut self.random);
        let request = Request {
            method: id,
            one_way: kind == Kind::OneWay,
            open: kind.streams_up(),
            ..Request::default()
        };
        let opened = self.client.open(&request, &call.request, &mut self.from_client);
        match opened {
            Ok(opened) => {
                assert_eq!(opened, id, "ids count up by one");
                self.calls.insert(id, call);
            }
            // Above the limit where calls were sent before the greeting told it.
            Err(OpenError::NoStreamFree { limit }) => assert!(self.client.open_streams() >= limit),
            Err(OpenError::WindowShut) => {
                self.seen_of.window_shut += 1;
                self.account();
                assert!(!self.up_windows.is_open(), "the window is shut indeed");
            }
            Err(OpenError::TooLarge(_)) => assert!(call.request.len() > self.max_body),
            Err(OpenError::GoingAway) => assert!(self.drained),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn client_sends(&mut self, id: u64) {
        let call = self.calls.get_mut(&id).expect("a call");
        let way = &mut call.up;
        if !call.kind.streams_up() || call.fate != Fate::Waiting || way.finished || way.stopped || way.waits {
            return;
        }
        if way.left == 0 {
            way.finished = true;
            self.client.finish(id, &mut self.from_client);
            return;
        }
        if !self.client.is_writable(id) {
            way.waits = true;
            self.seen_of.waited += 1;
            return;
        }
        let message = way.next(id, self.heavy, &mut self.random);
        match self
            .client
            .send(id, Compression::NONE, &message, &mut self.from_client)
        {
            Ok(sent) => {
                way.is_sent(message.clone());
                if sent == Sent::Queued {
                    self.seen_of.queued += 1;
                    let busy = self
                        .client
                        .send(id, Compression::NONE, &message, &mut self.from_client);
                    assert_eq!(busy, Err(SendError::Busy));
                }
            }
            Err(SendError::TooLarge(_)) => assert!(message.len() > self.max_body),
            Err(error) => panic!("call {id}: {error}"),
        }
    }

    pub(crate) fn client_consumes(&mut self, id: u64, count: usize) {
        let cost = self.calls.get_mut(&id).expect("a call").down.take(count);
        if cost > 0 {
            self.client.consumed(id, cost, &mut self.from_client);
        }
    }

    pub(crate) fn cancel(&mut self, id: u64) {
        let call = self.calls.get_mut(&id).expect("a call");
        if call.fate == Fate::Waiting {
            self.client.cancel(id, &mut self.from_client);
            call.fate = Fate::Cancelled;
            call.down.inbox.clear();
        }
    }

    pub(crate) fn client_transmits(&mut self, room: usize) {
        self.client.transmit(room, &mut self.from_client);
        while let Some(id) = self.client.poll_writable() {
            assert!(self.client.is_writable(id), "call {id}");
            self.calls.get_mut(&id).expect("a call").up.waits = false;
        }
    }

    /// The client's application sees a message of the server's.
    pub(crate) fn consume(&mut self, message: Bytes) {
        let event = self
            .client
            .handle_message(message, self.now, &mut self.from_client);
        match event.expect("the server behaves") {
            ClientEvent::Response { stream_id, response } => {
                let call = &self.calls[&stream_id];
                assert!(!call.opened);
                assert!(
                    call.response.as_ref() == Some(&response.body),
                    "call {stream_id}: the response is the call's own"
                );
                self.outcome(stream_id, Code::Ok);
            }
            ClientEvent::Opened { stream_id, response } => {
                assert!(response.body.is_empty());
                let call = self.calls.get_mut(&stream_id).expect("a call");
                assert!(!call.opened && call.is_waiting() && call.kind.streams_down());
                call.opened = true;
            }
            ClientEvent::Message { stream_id, message } => {
                let call = self.calls.get_mut(&stream_id).expect("a call");
                assert!(call.opened && call.is_waiting());
                call.down.has_come(stream_id, &message);
            }
            ClientEvent::StopSending { stream_id } => {
                let call = self.calls.get_mut(&stream_id).expect("a call");
                assert!(
                    call.handler
                        .as_ref()
                        .is_none_or(|handler| handler.stopped_reading || handler.silent)
                );
                call.up.stopped = true;
                assert_eq!(
                    self.client
                        .send(stream_id, Compression::NONE, &(), &mut self.from_client),
                    Err(SendError::Closed)
                );
            }
            ClientEvent::End { stream_id, end } => {
                let code = end.status.map_or(Code::Ok, |status| status.code());
                let call = &self.calls[&stream_id];
                let seen = self.seen.contains(&stream_id);
                match code {
                    Code::Ok => {
                        assert!(call.opened && call.ended_well);
                        assert!(call.down.underway.is_empty(), "call {stream_id}: all has come");
                    }
                    Code::NotFound => {
                        assert!(call.ended_well && call.down.underway.is_empty());
                    }
                    Code::DeadlineExceeded => assert!(seen),
                    // The client keeps to the limit, but the server's slots outlive a cancel, and one-way calls
                    // take some that the client does not count. And bodies may be too long, or too many in parts.
                    Code::ResourceExhausted => {
                        assert!(!seen || self.heavy || self.small_pending, "call {stream_id}");
                    }
                    Code::Unavailable => assert!(self.drained && !seen),
                    code => panic!("call {stream_id} ended with {code}"),
                }
                self.outcome(stream_id, code);
            }
            ClientEvent::GoAway { not_run, .. } => {
                for id in not_run {
                    assert!(!self.seen.contains(&id), "call {id} has not run");
                    if self.calls[&id].kind == Kind::OneWay {
                        continue;
                    }
                    self.outcome(id, Code::Unavailable);
                }
            }
            ClientEvent::Identity(identity) => self.told(*identity),
            ClientEvent::None | ClientEvent::Greeting(_) => {}
            event => panic!("{event:?}"),
        }
        self.check_client();
    }

    fn outcome(&mut self, stream_id: u64, code: Code) {
        let call = self.calls.get_mut(&stream_id).expect("a call");
        assert_eq!(call.fate, Fate::Waiting, "call {stream_id} gets one outcome");
        call.fate = Fate::Done(code);
        call.down.inbox.clear();
    }

    fn check_client(&self) {
        let held: usize = self.calls.values().map(|call| call.down.held()).sum();
        assert!(
            held <= self.client_pending + (1 << 20),
            "the client's application holds {held}"
        );
        assert!(self.client.queued_bytes() <= 64 << 20);
    }
}
