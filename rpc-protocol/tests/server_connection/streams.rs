//! Streams of messages in both directions: how they begin, end, stop and break.

use bytes::Bytes;
use rpc_protocol::frame::{Compression, Data, End, GoAway, Metadata, Request, Reset, Response};
use rpc_protocol::{Code, ConnectionError, Frame, FrameKind, SendError, Sent, ServerEvent};

use super::{Server, is_none};

fn data(body: &'static [u8]) -> FrameKind {
    FrameKind::Data(Data {
        body: Bytes::from_static(body),
        ..Data::default()
    })
}

#[test]
fn messages_go_both_ways_until_both_sides_have_ended() {
    let mut server = Server::new();
    let id = server.open_stream();
    for body in [&b"one"[..], b"", b"two"] {
        let event = server.receive(id, data(body));
        assert!(
            matches!(&event, Ok(ServerEvent::Message { stream_id, message }) if *stream_id == id && message.body == body),
            "{event:?}"
        );
    }
    assert!(matches!(server.half_close(id), Ok(ServerEvent::HalfClosed { stream_id }) if stream_id == id));

    let metadata = vec![Metadata::text("k", "v")];
    server
        .connection
        .open_response(id, metadata.clone(), &mut server.out)
        .unwrap();
    for body in [&b"three"[..], b""] {
        let sent = server
            .connection
            .send(id, Compression::NONE, body, &mut server.out);
        assert_eq!(sent, Ok(Sent::Written));
    }
    let end = End {
        trailers: metadata.clone(),
        ..End::default()
    };
    server.connection.end(id, &end, &mut server.out).unwrap();
    let open = Response {
        metadata,
        open: true,
        ..Response::default()
    };
    assert_eq!(
        server.sent(),
        [
            Frame::new(id, FrameKind::Response(open)),
            Frame::new(id, data(b"three")),
            Frame::new(id, data(b"")),
            Frame::new(id, FrameKind::End(end)),
        ]
    );
    assert_eq!(server.connection.open_streams(), 0);
}

#[test]
fn a_first_message_opens_the_response_and_a_response_is_opened_once() {
    let mut server = Server::new();
    let id = server.open();
    server
        .connection
        .send(id, Compression::DEFLATE, &b"x"[..], &mut server.out)
        .unwrap();
    server
        .connection
        .open_response(id, Vec::new(), &mut server.out)
        .unwrap();
    let sent = server.sent();
    assert_eq!(sent.len(), 2);
    assert!(matches!(&sent[0].kind, FrameKind::Response(response) if response.open));
    assert!(matches!(&sent[1].kind, FrameKind::Data(data) if data.compression == Compression::DEFLATE));
}

#[test]
fn a_call_in_hand_may_be_answered_by_a_stream() {
    let mut server = Server::new();
    let event = server.request(Request::default());
    assert!(matches!(event, Ok(ServerEvent::Request(_))));
    assert!(server.connection.is_writable(1));
    server
        .connection
        .send(1, Compression::NONE, &b"x"[..], &mut server.out)
        .unwrap();
    assert_eq!((server.sent().len(), server.connection.open_streams()), (2, 1));
}

#[test]
fn a_final_response_before_the_clients_half_close_ends_the_call_for_both() {
    let mut server = Server::new();
    let id = server.open_stream();
    server.data(id, false, 10).unwrap();
    server
        .connection
        .respond(id, &Response::default(), &b"enough"[..], &mut server.out)
        .unwrap();
    assert_eq!(server.connection.open_streams(), 0);
    server.sent();
    // What the client sent before it saw the response.
    assert!(is_none(server.data(id, true, 10)));
    assert!(is_none(server.half_close(id)));
    server.connection.consumed(id, 42, &mut server.out);
    assert_eq!(server.sent(), []);
}

#[test]
fn data_after_a_half_close_closes_with_4502() {
    let mut server = Server::new();
    let id = server.open_stream();
    server.half_close(id).unwrap();
    let error = server.data(id, false, 1).unwrap_err();
    assert_eq!(
        error,
        ConnectionError::UnexpectedFrame {
            stream_id: id,
            kind: "data"
        }
    );
    assert_eq!(error.close_code().as_u16(), 4502);
}

#[test]
fn a_second_half_close_closes_with_4502() {
    let mut server = Server::new();
    let id = server.open_stream();
    server.half_close(id).unwrap();
    assert_eq!(server.half_close(id).unwrap_err().close_code().as_u16(), 4502);
}

#[test]
fn a_half_close_in_the_middle_of_a_message_closes_with_4502() {
    let mut server = Server::new();
    let id = server.open_stream();
    assert!(is_none(server.data(id, true, 10)));
    assert_eq!(server.half_close(id).unwrap_err().close_code().as_u16(), 4502);
}

#[test]
fn an_open_request_with_a_body_or_one_way_closes_with_4502() {
    let open = || Request {
        open: true,
        ..Request::default()
    };
    for request in [
        Request {
            body: Bytes::from_static(b"x"),
            ..open()
        },
        Request { more: true, ..open() },
        Request {
            one_way: true,
            ..open()
        },
    ] {
        let mut server = Server::new();
        let error = server.request(request).unwrap_err();
        assert_eq!(
            error,
            ConnectionError::MalformedFrame {
                stream_id: 1,
                kind: "request"
            }
        );
        assert_eq!(error.close_code().as_u16(), 4502);
    }
}

#[test]
fn after_stop_reading_the_client_is_told_once_what_comes_is_ignored_and_the_call_goes_on() {
    let mut server = Server::new();
    let id = server.open_stream();
    server.data(id, false, 10).unwrap();
    for _ in 0..2 {
        server.connection.stop_reading(id, &mut server.out);
    }
    let reset = Reset {
        code: Code::Cancelled.as_i32(),
    };
    assert_eq!(server.sent(), [Frame::new(id, FrameKind::Reset(reset))]);
    assert!(is_none(server.data(id, true, 10)));
    assert!(is_none(server.data(id, false, 10)));
    assert!(is_none(server.half_close(id)));
    assert!(server.data(id, false, 10).is_err(), "the stream was half-closed");
    server
        .connection
        .respond(id, &Response::default(), &b"done"[..], &mut server.out)
        .unwrap();
    assert!(matches!(server.sent()[0].kind, FrameKind::Response(_)));
}

#[test]
fn stop_reading_of_a_call_in_hand_and_after_a_half_close() {
    let mut server = Server::new();
    let id = server.open_stream();
    server.connection.stop_reading(id, &mut server.out);
    assert_eq!(server.sent().len(), 1);
    let id = server.open_stream();
    server.half_close(id).unwrap();
    server.connection.stop_reading(id, &mut server.out);
    assert_eq!(server.sent(), [], "there is nothing to stop");
}

#[test]
fn a_reset_ends_a_stream_both_ways_and_drops_what_is_queued() {
    let mut server = Server::new();
    let id = server.open_stream();
    let long = vec![1; 300 << 10];
    let sent = server
        .connection
        .send(id, Compression::NONE, &long, &mut server.out);
    assert_eq!(sent, Ok(Sent::Queued));
    assert_eq!(server.connection.queued_bytes(), long.len());
    server.sent();
    assert!(matches!(server.reset(id), Ok(ServerEvent::Cancelled { .. })));
    assert_eq!(server.connection.queued_bytes(), 0);
    assert!(!server.connection.transmit(usize::MAX, &mut server.out));
    let late = server
        .connection
        .send(id, Compression::NONE, &b"late"[..], &mut server.out);
    assert_eq!(late, Err(SendError::Closed));
    server
        .connection
        .end(id, &End::default(), &mut server.out)
        .unwrap();
    assert_eq!(server.sent(), []);
    assert_eq!(server.connection.open_streams(), 0);
}

#[test]
fn an_end_goes_out_behind_what_is_queued_and_the_slot_is_free_when_it_has_left() {
    let mut server = Server::new();
    let id = server.open();
    let long = vec![1; 200 << 10];
    server
        .connection
        .send(id, Compression::NONE, &long, &mut server.out)
        .unwrap();
    assert_eq!(
        server
            .connection
            .send(id, Compression::NONE, &b"second"[..], &mut server.out),
        Err(SendError::Busy)
    );
    server
        .connection
        .end(id, &End::default(), &mut server.out)
        .unwrap();
    server.connection.finished(id);
    assert_eq!(server.connection.open_streams(), 1);
    server.sent();
    assert!(!server.connection.transmit(usize::MAX, &mut server.out));
    let sent = server.sent();
    assert!(
        matches!(
            &sent[..],
            [
                Frame {
                    kind: FrameKind::Data(Data { more: true, .. }),
                    ..
                },
                Frame {
                    kind: FrameKind::Data(Data { more: false, .. }),
                    ..
                },
                Frame {
                    kind: FrameKind::End(_),
                    ..
                }
            ]
        ),
        "{sent:?}"
    );
    assert_eq!(server.connection.open_streams(), 0);
}

#[test]
fn a_deadline_drops_what_is_queued_and_sends_its_end_at_once() {
    let mut server = Server::new();
    let id = server.open_stream();
    server
        .connection
        .send(id, Compression::NONE, &vec![1; 200 << 10], &mut server.out)
        .unwrap();
    server.connection.transmit(1, &mut server.out);
    server.sent();
    let end = End::new(Code::DeadlineExceeded, "");
    server.connection.end_running(id, &end, &mut server.out).unwrap();
    assert_eq!(server.sent_end(), (id, Code::DeadlineExceeded));
    assert!(!server.connection.transmit(usize::MAX, &mut server.out));
    assert!(is_none(server.data(id, false, 10)), "nobody reads it");
    server.connection.finished(id);
    assert_eq!((server.sent(), server.connection.open_streams()), (vec![], 0));
}

#[test]
fn a_compression_that_was_not_announced_ends_its_stream_unimplemented() {
    let mut server = Server::new();
    let id = server.open_stream();
    let data = Data {
        compression: Compression(9),
        ..Data::default()
    };
    let event = server.receive(id, FrameKind::Data(data));
    assert!(matches!(
        event,
        Ok(ServerEvent::Cancelled {
            code: Code::Unimplemented,
            ..
        })
    ));
    assert_eq!(server.sent_end(), (id, Code::Unimplemented));
    assert_eq!(server.connection.open_streams(), 1, "until its handler has ended");
    server.connection.finished(id);
    assert_eq!(server.connection.open_streams(), 0);
}

#[test]
fn a_drain_lets_streams_finish_and_refuses_new_ones() {
    let mut server = Server::new();
    let id = server.open_stream();
    server.connection.go_away(GoAway::default(), &mut server.out);
    server.sent();
    let open = Request {
        open: true,
        ..Request::default()
    };
    assert!(is_none(server.request(open)));
    assert_eq!(server.sent_end(), (2, Code::Unavailable));
    assert!(is_none(server.data(2, false, 10)));
    assert!(matches!(
        server.data(id, false, 10),
        Ok(ServerEvent::Message { .. })
    ));
    server
        .connection
        .send(id, Compression::NONE, &b"still"[..], &mut server.out)
        .unwrap();
    assert_eq!(server.sent().len(), 2);
}

#[test]
fn metadata_of_a_response_over_the_clients_limit_ends_the_call_resource_exhausted() {
    let mut server = Server::new();
    let id = server.open();
    let metadata = vec![Metadata::text("k", "v".repeat(2 << 20))];
    assert!(
        server
            .connection
            .open_response(id, metadata, &mut server.out)
            .is_err()
    );
    assert_eq!(server.sent_end(), (id, Code::ResourceExhausted));
    server.connection.finished(id);
    assert_eq!(server.connection.open_streams(), 0);
}

#[test]
fn a_refused_one_way_call_with_a_long_body_is_told_to_stop() {
    let mut server = Server::with(|limits| limits.max_streams = 0);
    let request = Request {
        one_way: true,
        more: true,
        body: Bytes::from_static(b"first"),
        ..Request::default()
    };
    assert!(is_none(server.request(request)));
    assert!(matches!(
        server.sent()[..],
        [Frame {
            stream_id: 1,
            kind: FrameKind::Reset(_)
        }]
    ));
}
