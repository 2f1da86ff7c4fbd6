//! What a client may send: windows, credit, bodies in parts, and how much is held.

use std::time::Duration;

use bytes::Bytes;
use rpc_protocol::frame::{Compression, Data, End, Request, Response};
use rpc_protocol::{Code, ConnectionError, DATA_FRAME_COST, Frame, FrameKind, ServerEvent};

use super::{Server, is_none};

const STREAM: usize = 256 << 10;
const CONNECTION: usize = 1 << 20;
/// A body whose frame takes 64 KiB of a window.
const BODY: usize = (64 << 10) - DATA_FRAME_COST;

/// The credit that was sent, by stream, and nothing else.
fn credits(server: &mut Server) -> Vec<(u64, u64)> {
    let credit = |frame: Frame| match frame.kind {
        FrameKind::Credit(credit) => (frame.stream_id, credit.bytes),
        kind => panic!("not credit: {kind:?}"),
    };
    server.sent().into_iter().map(credit).collect()
}

#[test]
fn a_violated_window_of_a_stream_closes_with_4502() {
    let mut server = Server::new();
    let id = server.open_stream();
    for _ in 0..STREAM / (64 << 10) {
        assert!(matches!(
            server.data(id, false, BODY),
            Ok(ServerEvent::Message { .. })
        ));
    }
    let error = server.data(id, false, 0).unwrap_err();
    assert_eq!(error, ConnectionError::WindowViolated { stream_id: id });
    assert_eq!(error.close_code().as_u16(), 4502);
}

#[test]
fn a_violated_window_of_the_connection_closes_with_4502() {
    // Nothing is consumed, and no more than two windows may be held.
    let mut server = Server::with(|limits| limits.max_pending_bytes = 0);
    let mut held = 0;
    let error = loop {
        let id = server.open_stream();
        let result = (0..4).find_map(|_| {
            held += 64 << 10;
            server.data(id, false, BODY).err()
        });
        if let Some(error) = result {
            break error;
        }
    };
    assert_eq!(error, ConnectionError::WindowViolated { stream_id: 0 });
    assert_eq!(error.close_code().as_u16(), 4502);
    assert!(held <= 2 * CONNECTION + (64 << 10), "{held}");
}

#[test]
fn a_frame_may_go_below_the_window_once() {
    let mut server = Server::new();
    let id = server.open_stream();
    server.data(id, false, STREAM - DATA_FRAME_COST - 1).unwrap();
    server.data(id, false, 128 << 10).unwrap();
    assert!(server.data(id, false, 0).is_err());
}

#[test]
fn empty_messages_count_so_that_their_number_is_bounded() {
    let mut server = Server::new();
    let id = server.open_stream();
    let mut count = 0;
    while server.data(id, false, 0).is_ok() {
        count += 1;
    }
    assert_eq!(count, STREAM / DATA_FRAME_COST);
}

#[test]
fn credit_is_sent_once_half_of_a_window_is_consumed() {
    let mut server = Server::new();
    let id = server.open_stream();
    for _ in 0..3 {
        server.data(id, false, BODY).unwrap();
    }
    assert_eq!(server.sent(), [], "nothing is consumed");
    server.connection.consumed(id, 64 << 10, &mut server.out);
    assert_eq!(server.sent(), [], "not worth a frame");
    server.connection.consumed(id, 64 << 10, &mut server.out);
    assert_eq!(credits(&mut server), [(id, 128 << 10)]);
    server.connection.consumed(id, 64 << 10, &mut server.out);
    // What was consumed of all streams counts for the connection.
    for _ in 0..5 {
        let Ok(ServerEvent::Message { message, .. }) = server.data(id, false, BODY) else {
            panic!("a message")
        };
        server.connection.consumed(id, message.cost(), &mut server.out);
    }
    let credits = credits(&mut server);
    assert!(credits.contains(&(0, 512 << 10)), "{credits:?}");
}

#[test]
fn more_is_not_consumed_than_came() {
    let mut server = Server::new();
    let id = server.open_stream();
    server.data(id, false, BODY).unwrap();
    server.connection.consumed(id, usize::MAX, &mut server.out);
    assert_eq!(server.sent(), []);
    server.connection.consumed(99, 1, &mut server.out);
}

#[test]
fn what_is_ignored_counts_and_is_consumed_at_once() {
    let mut server = Server::new();
    let id = server.open_stream();
    server.connection.stop_reading(id, &mut server.out);
    let over = server.open();
    server.connection.finished(over);
    server.sent();
    for _ in 0..4 {
        server.data(id, false, BODY).unwrap();
        server.data(over, false, BODY).unwrap();
    }
    assert_eq!(
        credits(&mut server),
        [(0, 512 << 10)],
        "no credit for the streams"
    );
}

#[test]
fn what_a_call_did_not_consume_is_released_when_it_ends() {
    let mut server = Server::new();
    for round in 0..100 {
        let id = server.open_stream();
        for _ in 0..4 {
            server.data(id, false, BODY).unwrap();
        }
        match round % 4 {
            0 => {
                server.reset(id).unwrap();
                server.connection.finished(id);
            }
            1 => {
                let _ = server.connection.end(id, &End::default(), &mut server.out);
            }
            2 => {
                let _ = server
                    .connection
                    .respond(id, &Response::default(), &(), &mut server.out);
            }
            _ => {
                server.connection.stop_reading(id, &mut server.out);
                server.connection.finished(id);
            }
        }
        server.connection.transmit(usize::MAX, &mut server.out);
    }
}

#[test]
fn a_message_longer_than_the_window_becomes_whole() {
    let mut server = Server::new();
    let id = server.open_stream();
    let parts = 4 * STREAM / (64 << 10);
    for _ in 1..parts {
        assert!(is_none(server.data(id, true, BODY)));
    }
    let Ok(ServerEvent::Message { message, .. }) = server.data(id, false, BODY) else {
        panic!("a message")
    };
    assert_eq!(message.body, vec![7; BODY * parts]);
    server.sent();
    // It stops the sender at last, until it is consumed.
    for _ in 0..4 {
        if server.data(id, false, BODY).is_err() {
            return;
        }
    }
    assert!(server.data(id, false, BODY).is_err());
}

#[test]
fn a_request_in_parts_is_given_when_it_is_whole_with_what_is_left_of_its_time() {
    let mut server = Server::new();
    let request = Request {
        method: 7,
        more: true,
        timeout_us: 5_000_000,
        body: Bytes::from_static(b"one "),
        ..Request::default()
    };
    assert!(is_none(server.request(request)));
    assert_eq!(server.connection.open_streams(), 1);
    server.pass(2.0);
    let part = |more, body| {
        FrameKind::Data(Data {
            more,
            body: Bytes::from_static(body),
            ..Data::default()
        })
    };
    assert!(is_none(server.receive(1, part(true, b"two "))));
    let Ok(ServerEvent::Request(request)) = server.receive(1, part(false, b"three")) else {
        panic!("a call")
    };
    assert_eq!(&request.body[..], b"one two three");
    assert_eq!(request.timeout, Some(Duration::from_secs(3)));
    assert!(!request.open);
    assert!(server.data(1, false, 0).is_err(), "the request was whole");
}

#[test]
fn a_reset_of_a_request_that_is_not_whole_frees_its_slot() {
    let mut server = Server::with(|limits| limits.max_streams = 1);
    for _ in 0..3 {
        let id = server.next_id;
        let request = Request {
            more: true,
            ..Request::default()
        };
        assert!(is_none(server.request(request)));
        assert!(is_none(server.reset(id)));
        assert_eq!(server.connection.open_streams(), 0);
    }
}

#[test]
fn a_body_over_the_limit_is_resource_exhausted_in_one_frame_in_parts_and_on_a_stream() {
    let mut server = Server::with(|limits| limits.max_body_bytes = 100_000);
    let request = |more, len| Request {
        more,
        body: vec![0; len].into(),
        ..Request::default()
    };
    assert!(is_none(server.request(request(false, 100_001))));
    assert_eq!(server.sent_end(), (1, Code::ResourceExhausted));

    assert!(is_none(server.request(request(true, 60_000))));
    assert!(is_none(server.data(2, true, 60_000)));
    assert_eq!(server.sent_end(), (2, Code::ResourceExhausted));
    assert!(is_none(server.data(2, false, 60_000)), "the rest is ignored");
    assert_eq!(server.connection.open_streams(), 0);

    let id = server.open_stream();
    assert!(is_none(server.data(id, true, 60_000)));
    let event = server.data(id, false, 60_000);
    assert!(matches!(
        event,
        Ok(ServerEvent::Cancelled {
            code: Code::ResourceExhausted,
            ..
        })
    ));
    let ends = server.sent();
    let ends = ends
        .iter()
        .filter(|frame| matches!(frame.kind, FrameKind::End(_)));
    assert_eq!(ends.count(), 1);
}

#[test]
fn bodies_in_the_making_take_at_most_half_of_what_may_be_held() {
    let mut server = Server::with(|limits| limits.max_pending_bytes = 4 << 20);
    let mut making = 0;
    let refused = 'all: loop {
        let id = server.open_stream();
        for _ in 0..16 {
            making += BODY;
            match server.data(id, true, BODY) {
                Ok(ServerEvent::None) => {}
                Ok(ServerEvent::Cancelled { code, .. }) => break 'all code,
                other => panic!("{other:?}"),
            }
        }
    };
    assert_eq!(refused, Code::ResourceExhausted);
    assert!(((2 << 20)..=(2 << 20) + (64 << 10)).contains(&making), "{making}");
    // The others go on.
    assert!(is_none(server.data(1, true, 0)));
    assert!(matches!(
        server.data(1, false, 0),
        Ok(ServerEvent::Message { .. })
    ));
}

#[test]
fn windows_begin_at_the_defaults_and_grow_with_the_greetings_also_for_open_streams() {
    let mut server = Server::with(|limits| {
        limits.stream_window_bytes = 2 * STREAM;
        limits.connection_window_bytes = 10;
    });
    let before = server.open_stream();
    server.connection.greet(Default::default(), &mut server.out);
    let after = server.open_stream();
    for id in [before, after] {
        for _ in 0..8 {
            if id == before {
                server.data(id, false, BODY).unwrap();
            }
        }
        server.connection.stop_reading(id, &mut server.out);
    }
    let violated = server.open_stream();
    for _ in 0..8 {
        server.data(violated, false, BODY).unwrap();
    }
    assert_eq!(
        server.data(violated, false, 0).unwrap_err(),
        ConnectionError::WindowViolated { stream_id: violated }
    );
}

#[test]
fn the_connections_window_opens_again_when_what_filled_it_is_given_up() {
    let mut server = Server::with(|limits| limits.max_pending_bytes = 0);
    // So far below 0 that nothing more is granted.
    let ids: Vec<u64> = (0..8).map(|_| server.open_stream()).collect();
    for id in &ids {
        for _ in 0..4 {
            server.data(*id, false, BODY).unwrap();
        }
    }
    server.sent();
    for id in ids {
        server.reset(id).unwrap();
        server.connection.finished(id);
    }
    // Nothing comes any more, and nobody consumes.
    server.connection.transmit(usize::MAX, &mut server.out);
    assert_eq!(credits(&mut server), [(0, CONNECTION as u64)]);
}

#[test]
fn the_compression_of_a_body_in_parts_is_what_its_first_frame_says() {
    let mut server = Server::new();
    let id = server.open_stream();
    for (compression, more) in [(Compression::DEFLATE, true), (Compression::NONE, false)] {
        let data = Data {
            more,
            compression,
            body: Bytes::from_static(b"part"),
        };
        let event = server.receive(id, FrameKind::Data(data)).unwrap();
        if let ServerEvent::Message { message, .. } = event {
            assert_eq!(message.compression, Compression::DEFLATE);
            return;
        }
    }
    panic!("no message");
}
