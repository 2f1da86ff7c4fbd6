//! Coming back to a session: what is counted, when it is acknowledged, and that each frame arrives once, however often the
//! connection is lost.

use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;
use rpc_protocol::frame::{Acknowledgement, Compression, Credit, End, Event, Greeting, Request};
use rpc_protocol::{
    Again, ClientConnection, ClientEvent, ConnectionError, Frame, FrameKind, Limits, Output, Replay,
    ServerConnection, ServerEvent,
};

fn message(stream_id: u64, kind: FrameKind) -> Bytes {
    Frame::new(stream_id, kind).to_bytes()
}

fn event(channel: u64) -> Bytes {
    let event = Event {
        channel,
        ..Event::default()
    };
    message(0, FrameKind::Event(Box::new(event)))
}

/// The counts that were acknowledged.
fn acknowledged(out: &mut Vec<Vec<u8>>) -> Vec<u64> {
    let frames = out.drain(..).map(|message| Frame::decode(message.into()));
    frames
        .filter_map(|frame| match frame.expect("a frame").kind {
            FrameKind::Acknowledgement(acknowledgement) => Some(acknowledgement.received_frames),
            _ => None,
        })
        .collect()
}

/// A client whose server has greeted with a token.
fn client(greeting: Greeting, now: Instant) -> ClientConnection {
    let mut client = ClientConnection::new(Limits::default(), now);
    let own = Greeting {
        replay_bytes: greeting.replay_bytes,
        ..Greeting::default()
    };
    client.greet(own, &mut Vec::new());
    let greeting = Greeting {
        resume_token: "token".to_owned(),
        ..greeting
    };
    let greeting = message(0, FrameKind::Greeting(Box::new(greeting)));
    client
        .handle_message(greeting, now, &mut Vec::new())
        .expect("is taken");
    client
}

#[test]
fn direct_events_are_acknowledged_32_at_a_time_or_after_a_second() {
    let mut now = Instant::now();
    let mut client = client(Greeting::default(), now);
    let mut out = Vec::new();
    let receive = |client: &mut ClientConnection, message, now, out: &mut Vec<_>| {
        client.handle_message(message, now, out).expect("is taken");
    };
    for _ in 0..70 {
        receive(&mut client, event(0), now, &mut out);
        // Of channels, and what is no event, does not count.
        receive(&mut client, event(7), now, &mut out);
        receive(
            &mut client,
            message(0, FrameKind::Credit(Credit { bytes: 1 })),
            now,
            &mut out,
        );
    }
    assert_eq!(acknowledged(&mut out), [32, 64]);
    assert_eq!(client.poll_timeout(), Some(now + Duration::from_secs(1)));
    now += Duration::from_secs(1);
    client.handle_timeout(now, &mut out).expect("is due");
    assert_eq!(acknowledged(&mut out), [70]);
    client.handle_timeout(now, &mut out).expect("is due");
    assert!(client.poll_timeout() > Some(now + Duration::from_secs(10)));
    assert_eq!((acknowledged(&mut out), client.received_frames()), (vec![], 70));
}

#[test]
fn without_a_token_nothing_is_counted() {
    let now = Instant::now();
    let mut client = ClientConnection::new(Limits::default(), now);
    let mut out = Vec::new();
    for _ in 0..100 {
        client.handle_message(event(0), now, &mut out).expect("is taken");
    }
    client.acknowledge_token(&mut out);
    assert_eq!((client.received_frames(), out.len()), (0, 0));
}

#[test]
fn frames_of_calls_are_counted_where_both_sides_keep_theirs() {
    let now = Instant::now();
    let credit = || message(0, FrameKind::Credit(Credit { bytes: 1 }));
    for (ours, theirs, counted) in [(0, 1_000, 0), (1_000, 0, 0), (1_000, 1_000, 1)] {
        let keeps = |replay_bytes| Greeting {
            replay_bytes,
            resume_token: "token".to_owned(),
            ..Greeting::default()
        };
        let mut client = ClientConnection::new(Limits::default(), now);
        client.greet(keeps(ours), &mut Vec::new());
        let greeting = message(0, FrameKind::Greeting(Box::new(keeps(theirs))));
        for message in [greeting, credit()] {
            client
                .handle_message(message, now, &mut Vec::new())
                .expect("is taken");
        }
        assert_eq!(client.received_frames(), counted, "{ours} {theirs}");
    }
}

#[test]
fn a_client_that_keeps_frames_says_so_before_its_first_call() {
    let now = Instant::now();
    let greeting = |replay_bytes| {
        let greeting = Greeting {
            replay_bytes,
            ..Greeting::default()
        };
        message(0, FrameKind::Greeting(Box::new(greeting)))
    };
    let request = Request {
        method: 7,
        ..Request::default()
    };
    for (replay_bytes, fits) in [(0, true), (1_000, false)] {
        let mut server = ServerConnection::new(Limits::default(), now);
        let request = message(1, FrameKind::Request(request.clone()));
        server
            .handle_message(request, now, &mut Vec::new())
            .expect("is taken");
        let late = server.handle_message(greeting(replay_bytes), now, &mut Vec::new());
        assert_eq!(late.is_ok(), fits, "{late:?}");
    }
}

#[test]
fn a_bound_that_is_lowered_gives_frames_up_and_none_is_kept_without() {
    let mut replay = Replay::new(1_000, 1_000);
    for _ in 0..3 {
        replay.sent(&message(1, FrameKind::Credit(Credit { bytes: 1 })));
    }
    assert!(replay.can_resume(0, true));
    replay.keep_calls(2 * 80);
    assert!(!replay.can_resume(0, true) && replay.can_resume(1, true));
    replay.keep_calls(0);
    assert_eq!((replay.keeps_calls(), replay.call_bytes()), (false, 0));
    assert!(!replay.can_resume(3, true) && replay.can_resume(3, false));
}

#[test]
fn long_frames_are_acknowledged_from_a_quarter_of_what_the_peer_keeps() {
    let now = Instant::now();
    let mut server = ServerConnection::new(Limits::default(), now);
    server.count_received(4_000);
    let mut out = Vec::new();
    let request = Request {
        method: 7,
        body: vec![1; 600].into(),
        ..Request::default()
    };
    for id in 1..=5 {
        let request = message(id, FrameKind::Request(request.clone()));
        server.handle_message(request, now, &mut out).expect("is taken");
    }
    assert_eq!(acknowledged(&mut out), [2, 4]);
    assert_eq!(server.received_frames(), 5);
}

#[test]
fn frames_past_the_bound_are_given_up_and_a_peer_that_misses_them_cannot_resume() {
    // Each counts its bytes and 64 more.
    let mut replay = Replay::new(3 * 74, 2 * 74);
    let call = message(1, FrameKind::Credit(Credit { bytes: 1 }));
    let padded = |byte: u8| Bytes::from(vec![byte; 10]);
    for number in 0..5 {
        replay.sent_event(padded(number));
    }
    assert!(!replay.can_resume(1, false));
    assert!(replay.can_resume(2, false) && replay.can_resume(5, false));
    assert!(!replay.can_resume(6, false), "so many were never sent");
    assert_eq!(replay.event_bytes(), 3 * 74);
    // Frames of calls that are given up cost no events.
    for _ in 0..10 {
        replay.sent(&call);
    }
    assert!(replay.call_bytes() <= 2 * 74);
    assert!(!replay.can_resume(5, true) && replay.can_resume(5, false) && replay.can_resume(2, false));
    let given_up = replay.given_up();
    assert!(replay.can_resume(given_up, true) && !replay.can_resume(given_up - 1, true));
    // Without its calls, a session numbers its events on from what the peer has.
    replay.resume(3, false);
    assert_eq!(
        replay.frames().collect::<Vec<_>>(),
        [Again::Event(&padded(3)), Again::Event(&padded(4))]
    );
    assert_eq!(replay.sent_frames(), 5);
    assert!(!replay.can_resume(2, false), "it has said that it has more");
}

#[test]
fn what_is_no_frame_of_calls_is_not_kept() {
    let mut replay = Replay::new(1_000, 1_000);
    for kind in [
        FrameKind::Greeting(Box::default()),
        FrameKind::Ping(Default::default()),
        FrameKind::Pong(Default::default()),
        FrameKind::Authenticate(Box::default()),
        FrameKind::Identity(Box::default()),
        FrameKind::GoAway(Default::default()),
        FrameKind::Acknowledgement(Acknowledgement::default()),
        FrameKind::Unknown,
    ] {
        replay.sent(&message(0, kind));
    }
    replay.sent(&event(7));
    assert_eq!(replay.sent_frames(), 0);
    let error = replay.acknowledge(1);
    assert_eq!(
        error,
        Err(ConnectionError::NeverSent {
            acknowledged: 1,
            sent: 0
        })
    );
    // Where calls end with their connection, theirs are not either.
    let mut events = Replay::new(1_000, 0);
    events.sent(&message(0, FrameKind::Credit(Credit { bytes: 1 })));
    assert_eq!(events.sent_frames(), 0);
}

/// What one end has written, and keeps.
struct Line {
    messages: Vec<Vec<u8>>,
    /// So many of them are kept already.
    kept: usize,
    replay: Replay,
}

impl Line {
    fn new() -> Self {
        Self {
            messages: Vec::new(),
            kept: 0,
            replay: Replay::new(1 << 20, 1 << 20),
        }
    }

    fn keep(&mut self) {
        for message in &self.messages[self.kept..] {
            self.replay.sent(message);
        }
        self.kept = self.messages.len();
    }

    /// The first messages arrive.
    fn take(&mut self, count: usize) -> Vec<Bytes> {
        self.keep();
        let count = count.min(self.messages.len());
        self.kept -= count;
        self.messages.drain(..count).map(Bytes::from).collect()
    }

    /// The connection is lost with all that is on its way, and the other end has received so much.
    fn resume(&mut self, received: u64) {
        self.keep();
        assert!(self.replay.can_resume(received, true));
        self.replay.resume(received, true);
        self.messages = self
            .replay
            .frames()
            .map(|again| match again {
                Again::Event(frame) | Again::OfCalls(frame) => frame.to_vec(),
            })
            .collect();
        self.kept = self.messages.len();
    }
}

impl Output for Line {
    fn begin_message(&mut self, len: usize) -> &mut Vec<u8> {
        self.messages.begin_message(len)
    }
}

#[derive(Debug, Clone)]
enum Step {
    ClientSends,
    ServerSends,
    Up(usize),
    Down(usize),
    Cut,
    Later(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::ClientSends),
        3 => Just(Step::ServerSends),
        3 => (0..20_usize).prop_map(Step::Up),
        3 => (0..20_usize).prop_map(Step::Down),
        1 => Just(Step::Cut),
        1 => (0..3_000_u64).prop_map(Step::Later),
    ]
}

proptest! {
    #[test]
    fn a_call_with_a_stream_each_way_goes_on_over_cuts_without_loss_or_doubling(steps in proptest::collection::vec(step(), 1..200)) {
        let mut now = Instant::now();
        let (mut up, mut down) = (Line::new(), Line::new());
        let mut client = client(Greeting { replay_bytes: 1 << 20, ..Greeting::default() }, now);
        let mut server = ServerConnection::new(Limits::default(), now);
        server.count_received(1 << 20);
        let request = Request { method: 7, open: true, ..Request::default() };
        let id = client.open(&request, &(), &mut up).expect("is opened");
        let (mut client_sent, mut server_sent) = (0_u32, 0_u32);
        let (mut client_has, mut server_has): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut opened = false;
        let ends = [Step::Cut, Step::Up(usize::MAX), Step::Down(usize::MAX), Step::Up(usize::MAX), Step::Down(usize::MAX)];
        for step in steps.into_iter().chain(ends) {
            match step {
                Step::ClientSends => {
                    // Long enough that windows shut.
                    let body = [client_sent.to_le_bytes().to_vec(), vec![0; 20_000]].concat();
                    if client.is_writable(id) && client.send(id, Compression::NONE, &body, &mut up).is_ok() {
                        client_sent += 1;
                    }
                }
                Step::ServerSends => {
                    let body = [server_sent.to_le_bytes().to_vec(), vec![0; 20_000]].concat();
                    if opened && server.is_writable(id) && server.send(id, Compression::NONE, &body, &mut down).is_ok() {
                        server_sent += 1;
                    }
                }
                Step::Up(count) => for message in up.take(count) {
                    match server.handle_message(message, now, &mut down).expect("is taken") {
                        ServerEvent::Request(request) => {
                            prop_assert!(!opened, "a call is begun once");
                            opened = true;
                            server.park(request.stream_id);
                        }
                        ServerEvent::Message { stream_id, message } => {
                            server.consumed(stream_id, message.cost(), &mut down);
                            server_has.push(u32::from_le_bytes(*message.body.first_chunk().unwrap()));
                        }
                        ServerEvent::Acknowledged(acknowledgement) => {
                            down.keep();
                            down.replay.acknowledge(acknowledgement.received_frames).expect("was sent");
                        }
                        _ => {}
                    }
                },
                Step::Down(count) => for message in down.take(count) {
                    match client.handle_message(message, now, &mut up).expect("is taken") {
                        ClientEvent::Message { stream_id, message } => {
                            client.consumed(stream_id, message.cost(), &mut up);
                            client_has.push(u32::from_le_bytes(*message.body.first_chunk().unwrap()));
                        }
                        ClientEvent::Acknowledged(acknowledgement) => {
                            up.keep();
                            up.replay.acknowledge(acknowledgement.received_frames).expect("was sent");
                        }
                        _ => {}
                    }
                },
                Step::Cut => {
                    let successor = client.successor(now);
                    client.resume(&successor, now);
                    server.resume(now);
                    up.resume(server.received_frames());
                    down.resume(client.received_frames());
                }
                Step::Later(millis) => {
                    now += Duration::from_millis(millis);
                    client.handle_timeout(now, &mut up).expect("nobody is silent so long");
                    server.handle_timeout(now, &mut down).expect("nobody is silent so long");
                    for message in [event(7), message(0, FrameKind::Pong(Default::default()))] {
                        client.handle_message(message, now, &mut up).expect("is taken");
                    }
                    server.handle_activity(now);
                }
            }
        }
        prop_assert_eq!(client_has, (0..server_sent).collect::<Vec<_>>());
        prop_assert_eq!(server_has, (0..client_sent).collect::<Vec<_>>());
        server.end(id, &End::default(), &mut down).expect("fits");
        let last = down.take(usize::MAX).pop().expect("the end");
        let is_end = matches!(client.handle_message(last, now, &mut up), Ok(ClientEvent::End { .. }));
        prop_assert!(is_end);
    }
}
