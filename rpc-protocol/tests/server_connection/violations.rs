//! Frames that come where they must not, or that nobody knows.

use bytes::Bytes;
use rpc_protocol::frame::{Compression, Credit, Data, End, Ping, Pong, Request, Reset, Response};
use rpc_protocol::{CloseCode, Code, ConnectionError, FrameKind, ServerEvent};

use super::{Server, is_none};

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
fn a_second_greeting_closes_with_4502() {
    let mut server = Server::new();
    server.receive(0, FrameKind::Greeting(Box::default())).unwrap();
    let error = server
        .receive(0, FrameKind::Greeting(Box::default()))
        .unwrap_err();
    assert_eq!(error.close_code().as_u16(), 4502);
}
