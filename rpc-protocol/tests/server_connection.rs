//! The server's end against a client that misbehaves, on a virtual clock: the lines of the threat model that concern
//! frames and streams, one test each.

use std::time::{Duration, Instant};

use bytes::Bytes;
use rpc_protocol::frame::{
    AnnouncedLimits, Authenticate, Compression, Credit, Data, End, GoAway, Greeting, Metadata, Ping, Pong,
    Request, Reset, Response,
};
use rpc_protocol::{
    CloseCode, Code, ConnectionError, Frame, FrameKind, Limits, MethodRef, ServerConnection, ServerEvent,
    TooLarge,
};

/// A server's end, a clock that only the test moves, and what was sent.
struct Server {
    connection: ServerConnection,
    now: Instant,
    out: Vec<Vec<u8>>,
    next_id: u64,
}

impl Server {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        let now = Instant::now();
        Self {
            connection: ServerConnection::new(limits, now),
            now,
            out: Vec::new(),
            next_id: 1,
        }
    }

    fn pass(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
    }

    fn receive(&mut self, stream_id: u64, kind: FrameKind) -> Result<ServerEvent, ConnectionError> {
        self.connection
            .handle_message(Frame::new(stream_id, kind).to_bytes(), self.now, &mut self.out)
    }

    /// A request under the next id.
    fn request(&mut self, request: Request) -> Result<ServerEvent, ConnectionError> {
        let id = self.next_id;
        self.next_id += 1;
        self.receive(id, FrameKind::Request(request))
    }

    /// Opens a call whose handler does not end at once, and gives its id.
    fn open(&mut self) -> u64 {
        match self.request(Request {
            method: 7,
            ..Request::default()
        }) {
            Ok(ServerEvent::Request(request)) => {
                self.connection.park(request.stream_id);
                request.stream_id
            }
            other => panic!("no call: {other:?}"),
        }
    }

    fn reset(&mut self, stream_id: u64) -> Result<ServerEvent, ConnectionError> {
        self.receive(stream_id, FrameKind::Reset(Reset { code: 1 }))
    }

    /// What was sent since the last time.
    fn sent(&mut self) -> Vec<Frame> {
        self.out
            .drain(..)
            .map(|message| Frame::decode(Bytes::from(message)).expect("a frame"))
            .collect()
    }

    /// The code of the one end that was sent.
    fn sent_end(&mut self) -> (u64, Code) {
        match &self.sent()[..] {
            [
                Frame {
                    stream_id,
                    kind: FrameKind::End(end),
                },
            ] => (*stream_id, end.status.as_ref().expect("a status").code()),
            other => panic!("not one end: {other:?}"),
        }
    }
}

fn is_none(event: Result<ServerEvent, ConnectionError>) -> bool {
    matches!(event, Ok(ServerEvent::None))
}

#[test]
fn a_unary_call_is_one_frame_each_way() {
    let mut server = Server::new();
    let request = Request {
        method: 0xabcd,
        metadata: vec![Metadata::text("trace", "1")],
        timeout_us: 1_500,
        body: Bytes::from_static(b"question"),
        ..Request::default()
    };
    let Ok(ServerEvent::Request(call)) = server.request(request) else {
        panic!("a call")
    };
    assert_eq!(call.stream_id, 1);
    assert_eq!(call.method, MethodRef::Number(0xabcd));
    assert_eq!(call.metadata, [Metadata::text("trace", "1")]);
    assert_eq!(call.timeout, Some(Duration::from_micros(1_500)));
    assert_eq!(&call.body[..], b"question");
    assert_eq!(server.connection.open_streams(), 1);

    server
        .connection
        .respond(1, &Response::default(), &b"answer"[..], &mut server.out)
        .unwrap();
    let response = Response {
        body: Bytes::from_static(b"answer"),
        ..Response::default()
    };
    assert_eq!(server.sent(), [Frame::new(1, FrameKind::Response(response))]);
    assert_eq!(server.connection.open_streams(), 0);
}

#[test]
fn a_method_may_be_named_instead_of_numbered() {
    let mut server = Server::new();
    let request = Request {
        method_name: "task.TaskService/AddTask".into(),
        ..Request::default()
    };
    let Ok(ServerEvent::Request(call)) = server.request(request) else {
        panic!("a call")
    };
    assert_eq!(call.method, MethodRef::Name("task.TaskService/AddTask".into()));
}

#[test]
fn calls_are_answered_in_any_order() {
    let mut server = Server::new();
    let ids: Vec<u64> = (0..5).map(|_| server.open()).collect();
    for id in ids.iter().rev() {
        server
            .connection
            .end(*id, &End::new(Code::NotFound, "gone"), &mut server.out)
            .unwrap();
    }
    let sent: Vec<u64> = server.sent().iter().map(|frame| frame.stream_id).collect();
    assert_eq!(sent, [5, 4, 3, 2, 1]);
    assert_eq!(server.connection.open_streams(), 0);
}

#[test]
fn a_call_is_answered_once() {
    let mut server = Server::new();
    let id = server.open();
    for _ in 0..2 {
        server
            .connection
            .respond(id, &Response::default(), &(), &mut server.out)
            .unwrap();
        server
            .connection
            .end(id, &End::default(), &mut server.out)
            .unwrap();
    }
    assert_eq!(server.sent().len(), 1);
}

#[test]
fn a_one_way_call_sends_nothing_back_whatever_happens() {
    let mut server = Server::with(|limits| limits.max_streams = 1);
    let one_way = || Request {
        method: 7,
        one_way: true,
        ..Request::default()
    };
    let Ok(ServerEvent::Request(call)) = server.request(one_way()) else {
        panic!("a call")
    };
    assert!(call.one_way);
    assert!(is_none(server.request(one_way())), "over the limit");
    server
        .connection
        .respond(1, &Response::default(), &(), &mut server.out)
        .unwrap();
    let Ok(ServerEvent::Request(call)) = server.request(one_way()) else {
        panic!("a call")
    };
    server
        .connection
        .end(call.stream_id, &End::new(Code::Internal, ""), &mut server.out)
        .unwrap();
    assert_eq!(server.sent(), []);
}

#[test]
fn frame_that_does_not_decode_closes_with_4501_and_nothing_is_dispatched() {
    let mut server = Server::new();
    let error = server
        .connection
        .handle_message(
            Bytes::from_static(&[0x12, 0x7f, 0x00]),
            server.now,
            &mut server.out,
        )
        .unwrap_err();
    assert_eq!(error.close_code(), CloseCode::FrameInvalid);
    assert_eq!(error.close_code().as_u16(), 4501);
    assert!(error.to_string().len() <= 123, "fits a close frame");
    assert_eq!(server.sent(), []);
}

#[test]
fn stream_id_not_increasing_when_opened_closes_with_4502() {
    for wrong in [0, 1, 5] {
        let mut server = Server::new();
        server.receive(5, FrameKind::Request(Request::default())).unwrap();
        let error = server
            .receive(wrong, FrameKind::Request(Request::default()))
            .unwrap_err();
        assert_eq!(
            error,
            ConnectionError::StreamIdNotIncreasing {
                stream_id: wrong,
                last: 5
            }
        );
        assert_eq!(error.close_code().as_u16(), 4502);
    }
}

#[test]
fn stream_ids_may_skip_and_reach_the_largest_number() {
    let mut server = Server::new();
    for id in [3, 1_000, u64::MAX] {
        assert!(matches!(
            server.receive(id, FrameKind::Request(Request::default())),
            Ok(ServerEvent::Request(_))
        ));
    }
}

#[test]
fn a_frame_for_a_closed_id_is_ignored() {
    let mut server = Server::new();
    server.next_id = 9;
    let id = server.open();
    server
        .connection
        .respond(id, &Response::default(), &(), &mut server.out)
        .unwrap();
    server.sent();
    // 9 was closed, 4 was skipped: both are closed ids.
    for id in [9, 4] {
        assert!(is_none(server.receive(id, FrameKind::Data(Data::default()))));
        assert!(is_none(server.receive(id, FrameKind::End(End::default()))));
        assert!(is_none(
            server.receive(id, FrameKind::Credit(Credit { bytes: 1 }))
        ));
        assert!(is_none(server.reset(id)));
        assert!(is_none(server.receive(id, FrameKind::Unknown)));
    }
    assert_eq!(server.sent(), []);
}

#[test]
fn a_frame_for_an_id_that_was_never_opened_closes_with_4502() {
    let kinds = || {
        [
            FrameKind::Data(Data::default()),
            FrameKind::End(End::default()),
            FrameKind::Credit(Credit::default()),
            FrameKind::Reset(Reset::default()),
        ]
    };
    for kind in kinds() {
        let mut server = Server::new();
        server.open();
        let name = kind.name();
        let error = server.receive(2, kind).unwrap_err();
        assert_eq!(
            error,
            ConnectionError::StreamNotOpened {
                stream_id: 2,
                kind: name
            }
        );
        assert_eq!(error.close_code().as_u16(), 4502);
    }
}

#[test]
fn a_frame_that_only_a_server_sends_closes_with_4502() {
    for kind in [
        FrameKind::Response(Response::default()),
        FrameKind::Identity(Box::default()),
        FrameKind::Event(Box::default()),
    ] {
        for id in [0, 1] {
            let mut server = Server::new();
            server.open();
            let error = server.receive(id, kind.clone()).unwrap_err();
            assert_eq!(
                error,
                ConnectionError::UnexpectedFrame {
                    stream_id: id,
                    kind: kind.name()
                }
            );
            assert_eq!(error.close_code().as_u16(), 4502);
        }
    }
}

#[test]
fn a_frame_of_the_connection_on_a_stream_closes_with_4502_and_so_the_other_way_round() {
    for (id, kind) in [
        (1, FrameKind::Ping(Ping::default())),
        (1, FrameKind::Pong(Pong::default())),
        (1, FrameKind::Greeting(Box::default())),
        (1, FrameKind::Authenticate(Box::default())),
        (0, FrameKind::Data(Data::default())),
        (0, FrameKind::End(End::default())),
        (0, FrameKind::Reset(Reset::default())),
    ] {
        let mut server = Server::new();
        server.open();
        let error = server.receive(id, kind).unwrap_err();
        assert_eq!(error.close_code().as_u16(), 4502, "{error}");
    }
}

#[test]
fn more_data_for_a_unary_call_that_runs_closes_with_4502() {
    let mut server = Server::new();
    let id = server.open();
    let error = server.receive(id, FrameKind::Data(Data::default())).unwrap_err();
    assert_eq!(error.close_code().as_u16(), 4502);
}

#[test]
fn a_compression_that_was_not_announced_gets_one_end_unimplemented() {
    for (open, more) in [(false, false), (true, false), (false, true)] {
        let request = Request {
            open,
            more,
            compression: Compression(2),
            ..Request::default()
        };
        let mut server = Server::new();
        assert!(is_none(server.request(request)));
        assert_eq!(server.sent_end(), (1, Code::Unimplemented));
        // What the client sent before it saw the end.
        assert!(is_none(server.receive(1, FrameKind::Data(Data::default()))));
        assert!(is_none(server.receive(1, FrameKind::End(End::default()))));
        assert_eq!(server.sent(), []);
    }
}

#[test]
fn a_kind_of_a_later_version_ends_its_stream_unimplemented_and_spares_the_connection() {
    let mut server = Server::new();
    assert!(is_none(server.receive(0, FrameKind::Unknown)));
    assert!(is_none(server.receive(3, FrameKind::Unknown)));
    assert_eq!(server.sent_end(), (3, Code::Unimplemented));
    server.next_id = 4;
    let id = server.open();
    let event = server.receive(id, FrameKind::Unknown);
    assert!(matches!(
        event,
        Ok(ServerEvent::Cancelled {
            stream_id: 4,
            code: Code::Unimplemented
        })
    ));
    assert_eq!(server.sent_end(), (4, Code::Unimplemented));
    server.connection.finished(id);
    assert_eq!(server.connection.open_streams(), 0);
}

#[test]
fn authentication_that_is_not_served_is_answered_unimplemented_and_counts_as_a_fault() {
    let mut server = Server::new();
    let authenticate = Authenticate {
        request_id: 9,
        ..Authenticate::default()
    };
    for _ in 0..32 {
        assert!(is_none(
            server.receive(0, FrameKind::Authenticate(Box::new(authenticate.clone())))
        ));
    }
    let FrameKind::Identity(identity) = &server.sent()[0].kind else {
        panic!("an identity")
    };
    assert_eq!(identity.request_id, 9);
    assert_eq!(identity.status.as_ref().unwrap().code(), Code::Unimplemented);
    let error = server
        .receive(0, FrameKind::Authenticate(Box::new(authenticate)))
        .unwrap_err();
    assert_eq!(error, ConnectionError::TooManyFaults);
}

#[test]
fn more_than_the_limit_of_open_streams_is_resource_exhausted_without_an_event() {
    let mut server = Server::new();
    let ids: Vec<u64> = (0..100).map(|_| server.open()).collect();
    assert!(is_none(server.request(Request {
        method: 7,
        ..Request::default()
    })));
    assert_eq!(server.sent_end(), (101, Code::ResourceExhausted));
    server
        .connection
        .end(ids[50], &End::new(Code::Ok, ""), &mut server.out)
        .unwrap();
    server.open();
    assert_eq!(server.connection.open_streams(), 100);
}

#[test]
fn a_call_in_hand_takes_a_slot_once_the_next_message_comes() {
    let mut server = Server::with(|limits| limits.max_streams = 1);
    let first = server.request(Request {
        method: 7,
        ..Request::default()
    });
    assert!(matches!(first, Ok(ServerEvent::Request(_))));
    assert!(is_none(server.request(Request {
        method: 7,
        ..Request::default()
    })));
    assert_eq!(server.sent_end(), (2, Code::ResourceExhausted));
}

#[test]
fn a_thousand_streams_over_the_limit_in_ten_seconds_close_with_4429() {
    let mut server = Server::with(|limits| limits.max_streams = 0);
    for _ in 0..999 {
        assert!(is_none(server.request(Request::default())));
    }
    let error = server.request(Request::default()).unwrap_err();
    assert_eq!(error, ConnectionError::TooManyRefusedStreams);
    assert_eq!(error.close_code().as_u16(), 4429);
}

#[test]
fn a_thousand_streams_over_the_limit_in_twenty_seconds_do_not_close() {
    let mut server = Server::with(|limits| limits.max_streams = 0);
    for _ in 0..1_000 {
        assert!(is_none(server.request(Request::default())));
        server.pass(0.02);
    }
}

#[test]
fn a_slot_is_free_only_when_the_handler_has_really_ended() {
    let mut server = Server::with(|limits| limits.max_streams = 1);
    let id = server.open();
    assert!(matches!(
        server.reset(id),
        Ok(ServerEvent::Cancelled {
            stream_id: 1,
            code: Code::Cancelled
        })
    ));
    assert!(
        is_none(server.request(Request::default())),
        "the slot is still taken"
    );
    assert_eq!(server.sent_end(), (2, Code::ResourceExhausted));
    server.connection.finished(id);
    assert!(matches!(
        server.request(Request::default()),
        Ok(ServerEvent::Request(_))
    ));
}

#[test]
fn after_a_reset_nothing_more_is_sent_and_the_handler_is_told_once() {
    let mut server = Server::new();
    let id = server.open();
    assert!(matches!(server.reset(id), Ok(ServerEvent::Cancelled { .. })));
    assert!(is_none(server.reset(id)));
    server
        .connection
        .respond(id, &Response::default(), &b"late"[..], &mut server.out)
        .unwrap();
    assert_eq!(server.sent(), []);
    assert_eq!(server.connection.open_streams(), 0);
}

#[test]
fn a_deadline_sends_exactly_one_end_and_keeps_the_slot_of_a_handler_that_still_runs() {
    let mut server = Server::new();
    let id = server.open();
    for _ in 0..2 {
        let end = End::new(Code::DeadlineExceeded, "");
        server.connection.end_running(id, &end, &mut server.out).unwrap();
    }
    assert_eq!(server.sent_end(), (1, Code::DeadlineExceeded));
    assert!(is_none(server.reset(id)), "the runtime knows already");
    assert_eq!(server.connection.open_streams(), 1);
    server
        .connection
        .respond(id, &Response::default(), &(), &mut server.out)
        .unwrap();
    assert_eq!(server.sent(), []);
    assert_eq!(server.connection.open_streams(), 0);
}

#[test]
fn an_open_and_reset_flood_closes_with_4429() {
    let mut server = Server::new();
    let mut open_and_reset = || {
        let id = server.open();
        server.reset(id)?;
        server.connection.finished(id);
        Ok(())
    };
    for _ in 0..200 {
        open_and_reset().unwrap();
    }
    let error: ConnectionError = open_and_reset().unwrap_err();
    assert_eq!(error, ConnectionError::TooManyResets);
    assert_eq!(error.close_code().as_u16(), 4429);
}

#[test]
fn a_cancel_storm_of_calls_that_were_answered_at_once_closes_with_4429() {
    let mut server = Server::new();
    let id = server.open();
    server
        .connection
        .respond(id, &Response::default(), &(), &mut server.out)
        .unwrap();
    for _ in 0..200 {
        assert!(is_none(server.reset(id)));
    }
    assert_eq!(server.reset(id).unwrap_err(), ConnectionError::TooManyResets);
}

#[test]
fn many_cancels_among_twice_as_many_calls_do_not_close() {
    let mut server = Server::new();
    for round in 0..2_000 {
        let id = server.open();
        if round % 2 == 1 {
            server.reset(id).unwrap();
        }
        server.connection.finished(id);
    }
}

#[test]
fn many_cancels_over_a_long_time_do_not_close() {
    let mut server = Server::new();
    for _ in 0..1_000 {
        let id = server.open();
        server.reset(id).unwrap();
        server.connection.finished(id);
        server.pass(0.06);
    }
}

#[test]
fn more_than_32_faults_in_ten_seconds_close_with_4429() {
    let mut server = Server::new();
    for _ in 0..32 {
        server.connection.fault(server.now).unwrap();
    }
    let error = server.connection.fault(server.now).unwrap_err();
    assert_eq!(error, ConnectionError::TooManyFaults);
    assert_eq!(error.close_code().as_u16(), 4429);
}

#[test]
fn faults_are_forgotten_after_ten_seconds() {
    let mut server = Server::new();
    for _ in 0..10 {
        for _ in 0..32 {
            server.connection.fault(server.now).unwrap();
        }
        server.pass(10.0);
    }
    for _ in 0..100 {
        server.connection.fault(server.now).unwrap();
        server.pass(0.34);
    }
}

#[test]
fn ping_flood_gets_one_pending_pong_and_is_closed_with_4429() {
    let mut server = Server::new();
    for payload in 1..=10 {
        assert!(is_none(server.receive(0, FrameKind::Ping(Ping { payload }))));
    }
    assert_eq!(
        server.sent(),
        [Frame::new(0, FrameKind::Pong(Pong { payload: 1 }))]
    );
    let error = server.receive(0, FrameKind::Ping(Ping::default())).unwrap_err();
    assert_eq!(error, ConnectionError::TooManyPings);
    assert_eq!(error.close_code().as_u16(), 4429);
}

#[test]
fn a_ping_a_second_is_answered_for_ever() {
    let mut server = Server::new();
    for payload in 1..=100 {
        assert!(is_none(server.receive(0, FrameKind::Ping(Ping { payload }))));
        assert_eq!(server.sent(), [Frame::new(0, FrameKind::Pong(Pong { payload }))]);
        server.connection.handle_flushed();
        server.pass(1.0);
    }
}

#[test]
fn a_peer_that_vanished_is_gone_within_35_seconds() {
    let mut server = Server::new();
    let began = server.now;
    let mut pings = 0;
    let error = loop {
        server.now = server.connection.poll_timeout().expect("a timer");
        match server.connection.handle_timeout(server.now, &mut server.out) {
            Ok(()) => pings += server.sent().len(),
            Err(error) => break error,
        }
    };
    assert_eq!((error, pings), (ConnectionError::PeerSilent, 1));
    assert_eq!(error.close_code().as_u16(), 4408);
    assert_eq!(server.now - began, Duration::from_secs(35));
}

#[test]
fn a_peer_that_answers_stays() {
    let mut server = Server::new();
    for _ in 0..10 {
        server.now = server.connection.poll_timeout().expect("a timer");
        server
            .connection
            .handle_timeout(server.now, &mut server.out)
            .unwrap();
        let [
            Frame {
                kind: FrameKind::Ping(ping),
                ..
            },
        ] = server.sent()[..]
        else {
            panic!("a ping")
        };
        server.pass(9.0);
        assert!(is_none(server.receive(
            0,
            FrameKind::Pong(Pong {
                payload: ping.payload
            })
        )));
    }
    server.pass(20.0);
    server.connection.handle_activity(server.now);
    assert_eq!(
        server.connection.poll_timeout(),
        Some(server.now + Duration::from_secs(25))
    );
}

#[test]
fn a_timer_that_fires_too_early_does_nothing() {
    let mut server = Server::new();
    server.pass(24.9);
    server
        .connection
        .handle_timeout(server.now, &mut server.out)
        .unwrap();
    assert_eq!(server.sent(), []);
}

#[test]
fn a_response_over_the_peers_limit_becomes_resource_exhausted_and_the_connection_lives() {
    let mut server = Server::new();
    let limits = AnnouncedLimits {
        max_message_bytes: 1_000,
        max_body_bytes: 2_000,
        ..AnnouncedLimits::default()
    };
    let greeting = Greeting {
        limits: Some(limits),
        ..Greeting::default()
    };
    assert!(matches!(
        server.receive(0, FrameKind::Greeting(Box::new(greeting))),
        Ok(ServerEvent::Greeting(_))
    ));
    assert_eq!(server.connection.peer_limits().max_message_bytes, 1_000);

    let id = server.open();
    let body = vec![0; 2_001];
    let sent = server
        .connection
        .respond(id, &Response::default(), &body, &mut server.out);
    assert!(matches!(
        sent,
        Err(TooLarge {
            limit: 2_000,
            len: 2_001
        })
    ));
    assert_eq!(server.sent_end(), (id, Code::ResourceExhausted));

    let id = server.open();
    let end = End::new(Code::InvalidArgument, "x".repeat(1_000));
    assert!(server.connection.end(id, &end, &mut server.out).is_err());
    assert_eq!(
        server.sent_end(),
        (id, Code::InvalidArgument),
        "the code gets through"
    );

    let id = server.open();
    server
        .connection
        .respond(id, &Response::default(), &body[..900], &mut server.out)
        .unwrap();
    assert!(matches!(server.sent()[0].kind, FrameKind::Response(_)));
}

#[test]
fn a_second_greeting_closes_with_4502() {
    let mut server = Server::new();
    server.receive(0, FrameKind::Greeting(Box::default())).unwrap();
    let error = server
        .receive(0, FrameKind::Greeting(Box::default()))
        .unwrap_err();
    assert_eq!(error.close_code().as_u16(), 4502);
}

#[test]
fn metadata_over_the_limits_is_resource_exhausted() {
    let many = vec![Metadata::text("k", "v"); 129];
    let large = vec![Metadata::text("k", "v".repeat(16 << 10))];
    for metadata in [many, large] {
        let mut server = Server::new();
        assert!(is_none(server.request(Request {
            metadata,
            ..Request::default()
        })));
        assert_eq!(server.sent_end(), (1, Code::ResourceExhausted));
    }
}

#[test]
fn the_greeting_tells_the_limits_and_the_heartbeat() {
    let mut server = Server::with(|limits| limits.max_streams = 12);
    let greeting = Greeting {
        client_id: "c1".into(),
        ..Greeting::default()
    };
    server.connection.greet(greeting, &mut server.out);
    let [
        Frame {
            stream_id: 0,
            kind: FrameKind::Greeting(greeting),
        },
    ] = &server.sent()[..]
    else {
        panic!("a greeting")
    };
    let limits = greeting.limits.as_ref().unwrap();
    assert_eq!((limits.max_streams, limits.max_message_bytes), (12, 1 << 20));
    assert_eq!(
        (greeting.heartbeat_interval_us, greeting.heartbeat_timeout_us),
        (25_000_000, 10_000_000)
    );
    assert_eq!(greeting.client_id, "c1");
}

#[test]
fn a_drain_refuses_new_calls_and_lets_running_ones_finish() {
    let mut server = Server::new();
    let running = server.open();
    server.connection.go_away(
        GoAway {
            grace_us: 5,
            ..GoAway::default()
        },
        &mut server.out,
    );
    let go_away = GoAway {
        last_stream_id: running,
        grace_us: 5,
        ..GoAway::default()
    };
    assert_eq!(server.sent(), [Frame::new(0, FrameKind::GoAway(go_away))]);
    assert!(server.connection.is_draining());

    assert!(is_none(server.request(Request::default())));
    assert_eq!(server.sent_end(), (2, Code::Unavailable));
    server
        .connection
        .respond(running, &Response::default(), &b"done"[..], &mut server.out)
        .unwrap();
    assert_eq!(server.sent().len(), 1);
    assert_eq!(server.connection.open_streams(), 0);
}

#[test]
fn a_clock_that_jumps_backwards_changes_nothing() {
    let mut server = Server::new();
    server.pass(60.0);
    for _ in 0..32 {
        server.connection.fault(server.now).unwrap();
    }
    assert!(
        server
            .connection
            .fault(server.now - Duration::from_secs(30))
            .is_err()
    );
}
