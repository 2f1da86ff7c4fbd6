//! What the server's application does, and what it sees.

use bytes::Bytes;
use rpc_protocol::frame::{Compression, End, Response};
use rpc_protocol::{Code, MethodRef, SendError, Sent, ServerEvent};

use crate::World;
use crate::calls::{Fate, Handler};

impl World {
    /// Calls whose handlers run.
    pub(crate) fn handlers(&self) -> Vec<u64> {
        let running = self.calls.iter().filter(|(_, call)| call.handler.is_some());
        running.map(|(id, _)| *id).collect()
    }

    pub(crate) fn server_sends(&mut self, id: u64) {
        let call = self.calls.get_mut(&id).expect("a call");
        let Some(handler) = &call.handler else { return };
        let way = &mut call.down;
        if handler.silent || !call.kind.streams_down() || way.left == 0 || way.waits {
            return;
        }
        if !self.server.is_writable(id) {
            way.waits = true;
            self.seen_of.waited += 1;
            return;
        }
        if way.sent == 0 && self.random.one_in(2) {
            self.server
                .open_response(id, Vec::new(), &mut self.from_server)
                .expect("fits");
        }
        let message = way.next(id, self.heavy, &mut self.random);
        match self
            .server
            .send(id, Compression::NONE, &message, &mut self.from_server)
        {
            Ok(sent) => {
                way.is_sent(message.clone());
                if sent == Sent::Queued {
                    self.seen_of.queued += 1;
                    let busy = self
                        .server
                        .send(id, Compression::NONE, &message, &mut self.from_server);
                    assert_eq!(busy, Err(SendError::Busy));
                }
            }
            Err(error) => panic!("call {id}: {error}"),
        }
    }

    pub(crate) fn server_consumes(&mut self, id: u64, count: usize) {
        let cost = self.calls.get_mut(&id).expect("a call").up.take(count);
        if cost > 0 {
            self.server.consumed(id, cost, &mut self.from_server);
        }
    }

    pub(crate) fn stop_reading(&mut self, id: u64) {
        let call = self.calls.get_mut(&id).expect("a call");
        if let Some(handler) = &mut call.handler
            && call.kind.streams_up()
            && !handler.stopped_reading
        {
            handler.stopped_reading = true;
            call.up.inbox.clear();
            self.server.stop_reading(id, &mut self.from_server);
        }
    }

    /// The handler of `id` ends, in one of the ways in which it can.
    pub(crate) fn finish(&mut self, id: u64) {
        let call = self.calls.get_mut(&id).expect("a call");
        let handler = call.handler.take().expect("a handler that runs");
        call.up.inbox.clear();
        call.ended_well = !handler.silent;
        let way = self.random.below(3);
        if handler.silent && way == 0 {
            self.server.finished(id);
        } else if call.kind.streams_down() {
            let end = if way == 1 {
                End::new(Code::NotFound, "none")
            } else {
                if !handler.silent {
                    self.server
                        .open_response(id, Vec::new(), &mut self.from_server)
                        .expect("fits");
                }
                End::default()
            };
            self.server.end(id, &end, &mut self.from_server).expect("fits");
        } else if way == 1 {
            let end = End::new(Code::NotFound, "none");
            self.server.end(id, &end, &mut self.from_server).expect("fits");
        } else {
            let body = self.random.body(self.heavy, id << 32 | 1);
            call.response = Some(body.clone());
            self.server
                .respond(id, &Response::default(), &body, &mut self.from_server)
                .expect("fits");
        }
    }

    pub(crate) fn end_early(&mut self, id: u64) {
        let call = self.calls.get_mut(&id).expect("a call");
        if let Some(handler) = &mut call.handler {
            let end = End::new(Code::DeadlineExceeded, "");
            self.server
                .end_running(id, &end, &mut self.from_server)
                .expect("fits");
            handler.silent = true;
            call.up.inbox.clear();
        }
    }

    pub(crate) fn server_transmits(&mut self, room: usize) {
        self.server.transmit(room, &mut self.from_server);
        while let Some(id) = self.server.poll_writable() {
            assert!(self.server.is_writable(id), "call {id}");
            self.calls.get_mut(&id).expect("a call").down.waits = false;
        }
    }

    /// The server's application sees a message of the client's.
    pub(crate) fn serve(&mut self, message: Bytes) {
        let event = self
            .server
            .handle_message(message, self.now, &mut self.from_server);
        match event.expect("the client behaves") {
            ServerEvent::Request(request) => {
                let id = request.stream_id;
                let call = self.calls.get_mut(&id).expect("a call");
                assert_eq!(request.method, MethodRef::Number(id), "call {id}");
                assert!(request.body == call.request, "call {id}");
                assert_eq!(request.open, call.kind.streams_up(), "call {id}");
                assert!(self.seen.insert(id), "call {id} comes once");
                call.handler = Some(Handler::default());
                match self.random.below(4) {
                    0 => self.finish(id),
                    1 => self.server.park(id),
                    2 => self.server_sends(id),
                    _ => {}
                }
            }
            ServerEvent::Message { stream_id, message } => {
                let call = self.calls.get_mut(&stream_id).expect("a call");
                let handler = call.handler.as_ref().expect("a handler that runs");
                assert!(!handler.silent && !handler.half_closed && !handler.stopped_reading);
                call.up.has_come(stream_id, &message);
            }
            ServerEvent::HalfClosed { stream_id } => {
                let call = self.calls.get_mut(&stream_id).expect("a call");
                let handler = call.handler.as_mut().expect("a handler that runs");
                assert!(!handler.silent && !handler.half_closed && !handler.stopped_reading);
                assert!(call.up.underway.is_empty(), "call {stream_id}: all has come");
                assert!(call.up.finished);
                handler.half_closed = true;
            }
            ServerEvent::Cancelled { stream_id, code } => {
                let call = self.calls.get_mut(&stream_id).expect("a call");
                let handler = call.handler.as_mut().expect("call ran");
                assert!(!handler.silent, "call {stream_id} is cancelled once");
                match code {
                    Code::Cancelled => assert_eq!(call.fate, Fate::Cancelled),
                    Code::ResourceExhausted => assert!(self.heavy || self.small_pending),
                    code => panic!("{code}"),
                }
                handler.silent = true;
                call.up.inbox.clear();
            }
            ServerEvent::Authenticate(authenticate) => self.asked(&authenticate),
            ServerEvent::None | ServerEvent::Greeting(_) => {}
            event => panic!("{event:?}"),
        }
        self.check_server();
    }

    fn check_server(&self) {
        let handlers = self.handlers().len();
        assert!(self.server.open_streams() >= handlers, "a slot for each handler");
        assert!(self.server.open_streams() <= self.max_streams);
        let held: usize = self.calls.values().map(|call| call.up.held()).sum();
        assert!(
            held <= self.server_pending + (1 << 20),
            "the server's application holds {held}"
        );
        assert!(self.server.queued_bytes() <= 64 << 20);
    }
}
