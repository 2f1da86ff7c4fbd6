//! Both ends of a session over connections that are lost at any frame, with calls and events each way: what arrives is what was
//! sent, each once and in order; where that cannot be, it is said so; what is kept stays within its bounds; and nobody
//! resumes with, or acknowledges, what was never sent.

#![no_main]

mod line;
mod operation;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use line::{CALLS, EVENTS, Line};
use operation::Operation;
use rpc_protocol::frame::{Compression, End, Event, Greeting, Request, Response};
use rpc_protocol::{ClientConnection, ClientEvent, Frame, FrameKind, Limits, ServerConnection, ServerEvent};

/// What is known of a call from outside.
#[derive(Default)]
struct Call {
    client_sent: u32,
    server_has: u32,
    server_sent: u32,
    client_has: u32,
    streams: bool,
    /// The client sends nothing more.
    finished: bool,
    /// The client has given it up.
    cancelled: bool,
    /// It has reached its handler, which may answer.
    runs: bool,
    /// Its handler has answered.
    answered: bool,
    /// Its outcome has arrived.
    over: bool,
}

struct Session {
    client: ClientConnection,
    server: ServerConnection,
    up: Line,
    down: Line,
    now: Instant,
    calls: BTreeMap<u64, Call>,
    events_sent: u32,
    events_received: u32,
}

/// A server that minds no number of cancellations.
fn server(now: Instant) -> ServerConnection {
    let mut limits = Limits::default();
    limits.max_resets = u32::MAX;
    ServerConnection::new(limits, now)
}

fn body(number: u32, len: usize) -> Vec<u8> {
    let mut body = number.to_le_bytes().to_vec();
    body.resize(4 + len, 0);
    body
}

fn number(body: &[u8]) -> u32 {
    u32::from_le_bytes(*body.first_chunk().expect("was numbered"))
}

fn greeting(received_frames: u64) -> Greeting {
    Greeting {
        replay_bytes: CALLS as u64,
        resume_token: "token".to_owned(),
        received_frames,
        ..Greeting::default()
    }
}

impl Session {
    fn new(now: Instant) -> Self {
        let mut session = Self {
            client: ClientConnection::new(Limits::default(), now),
            server: server(now),
            up: Line::new(0),
            down: Line::new(EVENTS),
            now,
            calls: BTreeMap::new(),
            events_sent: 0,
            events_received: 0,
        };
        session.introduce(0, 0, false);
        session
    }

    /// Both sides greet, on a connection without calls.
    fn introduce(&mut self, client_has: u64, server_has: u64, resumed: bool) {
        let (mut hello, mut answer) = (Vec::new(), Vec::new());
        self.client.greet(greeting(client_has), &mut hello);
        let theirs = Greeting {
            resumed,
            ..greeting(server_has)
        };
        self.server.greet(theirs, &mut answer);
        for message in hello {
            let event = self
                .server
                .handle_message(message.into(), self.now, &mut self.down);
            assert!(matches!(event, Ok(ServerEvent::Greeting(_))));
        }
        self.server.count_received(CALLS);
        for message in answer {
            let event = self.client.handle_message(message.into(), self.now, &mut self.up);
            assert!(matches!(event, Ok(ClientEvent::Greeting(_))));
        }
    }

    /// The call with a small number, if there is one.
    fn nth(&self, call: u8) -> Option<u64> {
        let known = self.calls.len();
        let place = usize::from(call) % known.max(1);
        self.calls.keys().nth(place).copied()
    }

    fn up(&mut self, count: usize) {
        for message in self.up.take(count) {
            let event = self.server.handle_message(message, self.now, &mut self.down);
            match event.expect("a client that keeps to the rules") {
                ServerEvent::Request(request) => {
                    let call = self.calls.get_mut(&request.stream_id).expect("was opened");
                    assert!(!std::mem::replace(&mut call.runs, true), "a call is begun once");
                    self.server.park(request.stream_id);
                }
                ServerEvent::Message { stream_id, message } => {
                    self.server.consumed(stream_id, message.cost(), &mut self.down);
                    let call = self.calls.get_mut(&stream_id).expect("was opened");
                    assert_eq!(number(&message.body), call.server_has);
                    call.server_has += 1;
                }
                ServerEvent::HalfClosed { stream_id } => {
                    let call = &self.calls[&stream_id];
                    assert!(call.finished && call.server_has == call.client_sent);
                }
                ServerEvent::Cancelled { stream_id, .. } => {
                    assert!(self.calls[&stream_id].cancelled);
                    self.calls.get_mut(&stream_id).expect("is there").runs = false;
                    self.server.finished(stream_id);
                }
                ServerEvent::Acknowledged(acknowledgement) => {
                    self.down.keep();
                    let received = acknowledgement.received_frames;
                    self.down.replay.acknowledge(received).expect("was sent");
                }
                _ => {}
            }
        }
    }

    fn down(&mut self, count: usize) {
        for message in self.down.take(count) {
            let event = self.client.handle_message(message, self.now, &mut self.up);
            match event.expect("a server that keeps to the rules") {
                ClientEvent::Message { stream_id, message } => {
                    self.client.consumed(stream_id, message.cost(), &mut self.up);
                    let call = self.calls.get_mut(&stream_id).expect("was opened");
                    assert_eq!(number(&message.body), call.client_has);
                    call.client_has += 1;
                }
                ClientEvent::Response { stream_id, .. } => self.outcome(stream_id),
                ClientEvent::End { stream_id, .. } => {
                    self.outcome(stream_id);
                    let call = &self.calls[&stream_id];
                    assert_eq!(call.client_has, call.server_sent);
                }
                ClientEvent::Published(event) if event.channel == 0 => {
                    assert_eq!(number(&event.body), self.events_received);
                    self.events_received += 1;
                }
                ClientEvent::Acknowledged(acknowledgement) => {
                    self.up.keep();
                    let received = acknowledgement.received_frames;
                    self.up.replay.acknowledge(received).expect("was sent");
                }
                _ => {}
            }
        }
    }

    fn outcome(&mut self, stream_id: u64) {
        let call = self.calls.get_mut(&stream_id).expect("was opened");
        assert!(call.answered && !call.cancelled);
        assert!(!std::mem::replace(&mut call.over, true), "one outcome");
    }

    /// The connection is lost, and the client comes back.
    fn cut(&mut self) {
        self.up.keep();
        self.down.keep();
        let (has, server_has) = (self.client.received_frames(), self.server.received_frames());
        if !self.down.replay.can_resume(has, false) {
            // Events were given up: a new session, which misses nothing of its own.
            *self = Self::new(self.now);
            return;
        }
        let streams = self.down.replay.can_resume(has, true) && server_has >= self.up.replay.given_up();
        let mut successor = self.client.successor(self.now);
        if streams {
            successor.greet(greeting(has), &mut Vec::new());
            self.client.resume(&successor, self.now);
            self.server.resume(self.now);
            assert!(self.up.replay.can_resume(server_has, true));
            self.up.go_on(server_has, true);
            self.down.go_on(has, true);
            return;
        }
        assert!(
            self.down.replay.given_up() > has || self.up.replay.given_up() > server_has,
            "nothing was missing"
        );
        self.calls.clear();
        self.client = successor;
        self.server = server(self.now);
        self.up = Line::new(0);
        self.down.go_on(has, false);
        self.introduce(has, 0, true);
    }

    fn operate(&mut self, operation: Operation) {
        match operation {
            Operation::Open { streams } => {
                let request = Request {
                    method: 7,
                    open: streams,
                    ..Request::default()
                };
                if let Ok(id) = self.client.open(&request, &(), &mut self.up) {
                    let call = Call {
                        streams,
                        finished: !streams,
                        ..Call::default()
                    };
                    assert!(self.calls.insert(id, call).is_none(), "ids are given once");
                }
            }
            Operation::ClientSends { call, len } => {
                if let Some(id) = self.nth(call)
                    && self.client.is_writable(id)
                {
                    let call = self.calls.get_mut(&id).expect("is there");
                    let body = body(call.client_sent, len.into());
                    if self
                        .client
                        .send(id, Compression::NONE, &body, &mut self.up)
                        .is_ok()
                    {
                        call.client_sent += 1;
                    }
                }
            }
            Operation::ClientFinishes { call } => {
                if let Some(id) = self.nth(call) {
                    self.calls.get_mut(&id).expect("is there").finished = true;
                    self.client.finish(id, &mut self.up);
                }
            }
            Operation::ClientCancels { call } => {
                if let Some(id) = self.nth(call)
                    && !self.calls[&id].over
                {
                    self.calls.get_mut(&id).expect("is there").cancelled = true;
                    self.client.cancel(id, &mut self.up);
                }
            }
            Operation::ServerSends { call, len } => {
                if let Some(id) = self.to_answer(call)
                    && self.server.is_writable(id)
                {
                    let call = self.calls.get_mut(&id).expect("is there");
                    let body = body(call.server_sent, len.into());
                    if self
                        .server
                        .send(id, Compression::NONE, &body, &mut self.down)
                        .is_ok()
                    {
                        call.server_sent += 1;
                    }
                }
            }
            Operation::ServerResponds { call, len } => {
                if let Some(id) = self.to_answer(call)
                    && self.calls[&id].server_sent == 0
                {
                    let body = vec![0; len.into()];
                    let answer = self
                        .server
                        .respond(id, &Response::default(), &body, &mut self.down);
                    answer.expect("fits");
                    self.calls.get_mut(&id).expect("is there").answered = true;
                }
            }
            Operation::ServerEnds { call } => {
                if let Some(id) = self.to_answer(call) {
                    let end = End::default();
                    self.server.end(id, &end, &mut self.down).expect("fits");
                    self.calls.get_mut(&id).expect("is there").answered = true;
                }
            }
            Operation::Event { direct, len } => {
                let event = Event {
                    channel: u64::from(!direct),
                    body: body(self.events_sent, len.into()).into(),
                    ..Event::default()
                };
                self.events_sent += u32::from(direct);
                let frame = Frame::new(0, FrameKind::Event(Box::new(event)));
                self.down.event(frame.to_bytes(), direct);
            }
            Operation::Up(count) => self.up(count.into()),
            Operation::Down(count) => self.down(count.into()),
            Operation::Cut => self.cut(),
            Operation::Acknowledge { by_client, received } => match by_client {
                true => self.down.hears_a_lie(received, self.client.received_frames()),
                false => self.up.hears_a_lie(received, self.server.received_frames()),
            },
            Operation::Pass { milliseconds } => {
                self.now += Duration::from_millis(milliseconds.into());
                // Neither is taken for silent: that is not what is looked at here.
                self.client.handle_activity(self.now);
                self.server.handle_activity(self.now);
                let client = self.client.handle_timeout(self.now, &mut self.up);
                let server = self.server.handle_timeout(self.now, &mut self.down);
                assert!(client.is_ok() && server.is_ok());
            }
        }
        self.client.transmit(usize::MAX, &mut self.up);
        self.server.transmit(usize::MAX, &mut self.down);
    }

    /// A call whose handler may answer.
    fn to_answer(&self, call: u8) -> Option<u64> {
        let id = self.nth(call)?;
        let call = &self.calls[&id];
        (call.runs && !call.answered).then_some(id)
    }

    /// Everything arrives that is on its way.
    fn settle(&mut self) {
        while !(self.up.messages.is_empty() && self.down.messages.is_empty()) {
            self.up(usize::MAX);
            self.down(usize::MAX);
            self.client.transmit(usize::MAX, &mut self.up);
            self.server.transmit(usize::MAX, &mut self.down);
        }
    }
}

fuzz_target!(|operations: Vec<Operation>| {
    let mut session = Session::new(Instant::now());
    for operation in operations {
        session.operate(operation);
    }
    session.cut();
    session.settle();
    assert_eq!(session.events_received, session.events_sent);
    for call in session.calls.values().filter(|call| !call.cancelled) {
        assert!(call.runs, "it has arrived");
        assert_eq!(call.over, call.answered);
        if !call.answered {
            assert_eq!(call.client_has, call.server_sent);
            assert!(!call.streams || call.server_has == call.client_sent);
        }
    }
});
