//! A server that means ill: what closes the connection, and what only ends a call.

use bytes::Bytes;
use rpc_protocol::frame::{Compression, Credit, Data, End, GoAway, Metadata, Ping, Request, Reset, Response};
use rpc_protocol::{ClientEvent, Code, ConnectionError, DATA_FRAME_COST, Frame, FrameKind};

use super::{Client, end_code, is_none};

#[test]
fn a_response_over_this_clients_limit_fails_its_call_only() {
    let mut client = Client::new();
    client.open().unwrap();
    client.sent();
    let part = |more| Response {
        more,
        body: vec![0; (128 << 10) - 32].into(),
        ..Response::default()
    };
    assert!(matches!(
        client.receive(1, FrameKind::Response(part(true))),
        Ok(ClientEvent::None)
    ));
    let event = (0..40)
        .map(|_| {
            let data = Data {
                more: true,
                body: part(true).body,
                ..Data::default()
            };
            client.receive(1, FrameKind::Data(data))
        })
        .find(|event| !matches!(event, Ok(ClientEvent::None)));
    assert_eq!(end_code(event.expect("an end")), Code::ResourceExhausted);
    assert!(client.sent().iter().any(|frame| matches!(
        frame,
        Frame {
            stream_id: 1,
            kind: FrameKind::Reset(_)
        }
    )));
    assert!(matches!(
        client.receive(1, FrameKind::Data(Data::default())),
        Ok(ClientEvent::None)
    ));
    client.open().unwrap();
}

#[test]
fn a_frame_for_a_call_that_was_never_opened_is_a_violation() {
    let mut client = Client::new();
    client.open().unwrap();
    let error = client
        .receive(2, FrameKind::Response(Response::default()))
        .unwrap_err();
    assert_eq!(
        error,
        ConnectionError::StreamNotOpened {
            stream_id: 2,
            kind: "response"
        }
    );
}

#[test]
fn a_frame_that_only_a_client_sends_is_a_violation() {
    for (id, kind) in [
        (1, FrameKind::Request(Request::default())),
        (0, FrameKind::Authenticate(Box::default())),
        (0, FrameKind::Response(Response::default())),
    ] {
        let mut client = Client::new();
        client.open().unwrap();
        assert!(matches!(
            client.receive(id, kind),
            Err(ConnectionError::UnexpectedFrame { .. })
        ));
    }
}

#[test]
fn frames_out_of_place_on_a_stream_are_violations() {
    let open = || Response {
        open: true,
        ..Response::default()
    };
    // Data before a response.
    let mut client = Client::new();
    let id = client.open_stream();
    assert_eq!(client.data(id, false, 1).unwrap_err().close_code().as_u16(), 4502);
    // A second response.
    for second in [open(), Response::default()] {
        let mut client = Client::new();
        let id = client.opened();
        let error = client.receive(id, FrameKind::Response(second)).unwrap_err();
        assert_eq!(error.close_code().as_u16(), 4502);
    }
    // An open response with a body, or one that goes on.
    for response in [
        Response {
            body: Bytes::from_static(b"x"),
            ..open()
        },
        Response { more: true, ..open() },
    ] {
        let mut client = Client::new();
        let id = client.open_stream();
        let error = client.receive(id, FrameKind::Response(response)).unwrap_err();
        assert_eq!(
            error,
            ConnectionError::MalformedFrame {
                stream_id: id,
                kind: "response"
            }
        );
        assert_eq!(error.close_code().as_u16(), 4502);
    }
}

#[test]
fn a_violated_window_closes_with_4502() {
    let mut client = Client::new();
    let id = client.opened();
    let mut count = 0;
    let error = loop {
        match client.data(id, false, 0) {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(count, (256 << 10) / DATA_FRAME_COST);
    assert_eq!(error, ConnectionError::WindowViolated { stream_id: id });
    assert_eq!(error.close_code().as_u16(), 4502);
}

#[test]
fn a_server_that_fills_streams_that_nobody_reads_is_stopped_at_what_may_be_held() {
    let mut client = Client::new();
    let mut held = 0;
    let error = 'all: loop {
        let id = client.opened();
        for _ in 0..3 {
            held += 100_000 + DATA_FRAME_COST;
            if let Err(error) = client.data(id, false, 100_000) {
                break 'all error;
            }
        }
        // Free for the next: the limit is not on streams here.
        assert!(held < 32 << 20);
    };
    assert_eq!(error, ConnectionError::WindowViolated { stream_id: 0 });
    assert!(held <= (16 << 20) + 200_000, "{held}");
}

#[test]
fn metadata_over_this_clients_limits_fails_its_call_only() {
    let metadata = || vec![Metadata::text("k", "v".repeat(17 << 10))];
    let mut client = Client::new();
    for kind in [
        FrameKind::Response(Response {
            metadata: metadata(),
            ..Response::default()
        }),
        FrameKind::Response(Response {
            trailers: metadata(),
            ..Response::default()
        }),
        FrameKind::Response(Response {
            metadata: metadata(),
            open: true,
            ..Response::default()
        }),
        FrameKind::End(End {
            trailers: metadata(),
            ..End::default()
        }),
    ] {
        let id = client.open().unwrap();
        assert_eq!(end_code(client.receive(id, kind)), Code::ResourceExhausted);
    }
    assert_eq!(client.connection.open_streams(), 0);
}

#[test]
fn a_compression_that_was_not_announced_fails_its_call_only() {
    let compression = Compression(3);
    let mut client = Client::new();
    let id = client.open().unwrap();
    let response = Response {
        compression,
        ..Response::default()
    };
    assert_eq!(
        end_code(client.receive(id, FrameKind::Response(response))),
        Code::Internal
    );
    let id = client.opened();
    let data = Data {
        compression,
        ..Data::default()
    };
    assert_eq!(
        end_code(client.receive(id, FrameKind::Data(data))),
        Code::Internal
    );
    assert!(matches!(
        client.sent()[..],
        [Frame {
            kind: FrameKind::Reset(_),
            ..
        }]
    ));
    client.open().unwrap();
}

#[test]
fn whatever_comes_for_closed_calls_is_ignored_and_counts_on_the_connections_window() {
    let mut client = Client::new();
    let id = client.opened();
    client.connection.cancel(id, &mut client.out);
    client.sent();
    for _ in 0..100 {
        assert!(is_none(client.data(id, true, 100_000)));
    }
    let credit: u64 = client
        .sent()
        .iter()
        .map(|frame| match frame.kind {
            FrameKind::Credit(Credit { bytes }) if frame.stream_id == 0 => bytes,
            _ => panic!("{frame:?}"),
        })
        .sum();
    assert!(credit > 9_000_000, "{credit}");
    for kind in [
        FrameKind::Reset(Reset::default()),
        FrameKind::Credit(Credit { bytes: u64::MAX }),
        FrameKind::End(End::default()),
        FrameKind::Unknown,
    ] {
        assert!(is_none(client.receive(id, kind)));
    }
}

#[test]
fn a_second_greeting_and_a_request_to_authenticate_are_violations() {
    let mut client = Client::new();
    client.receive(0, FrameKind::Greeting(Box::default())).unwrap();
    for kind in [
        FrameKind::Greeting(Box::default()),
        FrameKind::Authenticate(Box::default()),
        FrameKind::Request(Request::default()),
    ] {
        assert_eq!(client.receive(0, kind).unwrap_err().close_code().as_u16(), 4502);
    }
}

#[test]
fn a_ping_flood_of_the_server_closes_with_4429() {
    let mut client = Client::new();
    for _ in 0..10 {
        client.receive(0, FrameKind::Ping(Ping::default())).unwrap();
    }
    assert_eq!(client.sent().len(), 1);
    let error = client.receive(0, FrameKind::Ping(Ping::default())).unwrap_err();
    assert_eq!(error, ConnectionError::TooManyPings);
}

#[test]
fn a_go_away_that_denies_a_call_which_has_run_is_not_believed() {
    let mut client = Client::new();
    let ran = client.opened();
    let waits = client.open().unwrap();
    let event = client.receive(0, FrameKind::GoAway(GoAway::default()));
    assert!(
        matches!(&event, Ok(ClientEvent::GoAway { not_run, .. }) if not_run == &[waits]),
        "{event:?}"
    );
    assert!(matches!(
        client.data(ran, false, 1),
        Ok(ClientEvent::Message { .. })
    ));
}
