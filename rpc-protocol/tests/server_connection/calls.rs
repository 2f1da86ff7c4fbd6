//! Calls of one frame each way.

use std::time::Duration;

use bytes::Bytes;
use rpc_protocol::frame::{AnnouncedLimits, End, GoAway, Greeting, Metadata, Request, Response};
use rpc_protocol::{Code, Frame, FrameKind, MethodRef, ServerEvent, TooLarge};

use super::{Server, is_none};

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
