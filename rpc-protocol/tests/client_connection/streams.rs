//! Streams of messages in both directions, long bodies, windows and queues.

use bytes::Bytes;
use rpc_protocol::frame::{
    AnnouncedLimits, Compression, Credit, Data, End, GoAway, Greeting, Metadata, Request, Reset, Response,
};
use rpc_protocol::{ClientEvent, Code, Frame, FrameKind, OpenError, SendError, Sent};

use super::{Client, end_code, is_none};

#[test]
fn messages_go_both_ways_until_the_server_ends_the_call() {
    let mut client = Client::new();
    let id = client.open_stream();
    for body in [&b"one"[..], b""] {
        let sent = client
            .connection
            .send(id, Compression::NONE, body, &mut client.out);
        assert_eq!(sent, Ok(Sent::Written));
    }
    client.connection.finish(id, &mut client.out);
    client.connection.finish(id, &mut client.out);
    let data = |body| {
        FrameKind::Data(Data {
            body: Bytes::from_static(body),
            ..Data::default()
        })
    };
    assert_eq!(
        client.sent()[1..],
        [
            Frame::new(id, data(b"one")),
            Frame::new(id, data(b"")),
            Frame::new(id, FrameKind::End(End::default())),
        ]
    );
    let late = client
        .connection
        .send(id, Compression::NONE, &(), &mut client.out);
    assert_eq!(late, Err(SendError::Closed));

    let response = Response {
        open: true,
        metadata: vec![Metadata::text("k", "v")],
        ..Response::default()
    };
    let event = client.receive(id, FrameKind::Response(response.clone()));
    assert!(matches!(event, Ok(ClientEvent::Opened { response: got, .. }) if got == response));
    let event = client.receive(id, data(b"two"));
    assert!(matches!(event, Ok(ClientEvent::Message { message, .. }) if &message.body[..] == b"two"));
    let event = client.receive(id, FrameKind::End(End::default()));
    assert!(
        matches!(&event, Ok(ClientEvent::End { end, .. }) if end.status.is_none()),
        "OK, as it came: {event:?}"
    );
    assert_eq!(client.connection.open_streams(), 0);
}

#[test]
fn a_stream_ends_with_a_status_even_in_the_middle_of_a_message() {
    let mut client = Client::new();
    let id = client.opened();
    assert!(is_none(client.data(id, true, 10)));
    let end = End::new(Code::Aborted, "no more");
    assert_eq!(end_code(client.receive(id, FrameKind::End(end))), Code::Aborted);
    assert_eq!(client.connection.open_streams(), 0);
}

#[test]
fn a_response_in_parts_is_given_when_it_is_whole() {
    let mut client = Client::new();
    let id = client.open().unwrap();
    let response = Response {
        more: true,
        trailers: vec![Metadata::text("k", "v")],
        body: vec![7; 128 << 10].into(),
        ..Response::default()
    };
    assert!(is_none(client.receive(id, FrameKind::Response(response))));
    for _ in 0..10 {
        assert!(is_none(client.data(id, true, 128 << 10)));
    }
    let event = client.data(id, false, 1);
    let Ok(ClientEvent::Response { response, .. }) = event else {
        panic!("{event:?}")
    };
    assert_eq!(response.body, vec![7; 11 * (128 << 10) + 1]);
    assert_eq!((response.more, response.trailers.len()), (false, 1));
    assert_eq!(client.connection.open_streams(), 0);
}

#[test]
fn a_server_that_reads_no_more_stops_the_sender_and_the_call_goes_on() {
    let mut client = Client::new();
    let id = client.open_stream();
    client
        .connection
        .send(id, Compression::NONE, &vec![1; 200 << 10], &mut client.out)
        .unwrap();
    assert!(client.connection.queued_bytes() > 0);
    client.sent();
    let event = client.receive(id, FrameKind::Reset(Reset { code: 1 }));
    assert!(matches!(event, Ok(ClientEvent::StopSending { stream_id }) if stream_id == id));
    assert_eq!(client.connection.queued_bytes(), 0);
    client.connection.finish(id, &mut client.out);
    assert!(!client.connection.transmit(usize::MAX, &mut client.out));
    assert_eq!(client.sent(), []);
    assert!(matches!(
        client.receive(id, FrameKind::Response(Response::default())),
        Ok(ClientEvent::Response { .. })
    ));
}

#[test]
fn a_long_request_goes_out_in_parts_and_a_cancel_drops_the_rest() {
    let mut client = Client::new();
    let request = Request {
        method: 7,
        ..Request::default()
    };
    let body = vec![1; 300 << 10];
    let whole = client.connection.open(&request, &body, &mut client.out).unwrap();
    let cancelled = client.connection.open(&request, &body, &mut client.out).unwrap();
    client.connection.cancel(cancelled, &mut client.out);
    client.connection.transmit(usize::MAX, &mut client.out);
    let mut parts = Vec::new();
    for frame in client.sent() {
        match frame.kind {
            FrameKind::Request(request) => parts.push((frame.stream_id, request.more, request.body.len())),
            FrameKind::Data(data) => parts.push((frame.stream_id, data.more, data.body.len())),
            FrameKind::Reset(_) => assert_eq!(frame.stream_id, cancelled),
            kind => panic!("{kind:?}"),
        }
    }
    let first = parts[0].2;
    assert_eq!(
        parts,
        [
            (whole, true, first),
            (cancelled, true, first),
            (whole, true, 128 << 10),
            (whole, false, (300 << 10) - first - (128 << 10)),
        ]
    );
    assert_eq!(client.connection.waiting().collect::<Vec<_>>(), [whole]);
}

#[test]
fn a_long_one_way_call_is_over_when_it_has_left_or_is_refused() {
    let mut client = Client::new();
    let request = Request {
        one_way: true,
        ..Request::default()
    };
    let body = vec![1; 300 << 10];
    client.connection.open(&request, &body, &mut client.out).unwrap();
    let refused = client.connection.open(&request, &body, &mut client.out).unwrap();
    assert_eq!(client.connection.open_streams(), 2);
    assert!(is_none(
        client.receive(refused, FrameKind::Reset(Reset { code: 8 }))
    ));
    assert_eq!(client.connection.open_streams(), 1);
    client.connection.transmit(usize::MAX, &mut client.out);
    assert_eq!(client.connection.open_streams(), 0);
    assert_eq!(client.connection.queued_bytes(), 0);
}

#[test]
fn a_call_with_a_body_waits_for_the_connections_window_and_one_without_does_not() {
    let mut client = Client::new();
    let body = vec![1; 100 << 10];
    let request = Request::default();
    let mut opened = 0;
    let error = loop {
        match client.connection.open(&request, &body, &mut client.out) {
            Ok(_) => opened += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error, opened), (OpenError::WindowShut, 11));
    assert!(!client.connection.can_open());
    client.open_stream();
    assert!(is_none(
        client.receive(0, FrameKind::Credit(Credit { bytes: 512 << 10 }))
    ));
    assert!(client.connection.can_open());
    client.open().unwrap();
}

#[test]
fn a_greeting_of_large_windows_lets_go_what_waits() {
    let mut client = Client::new();
    let id = client.open_stream();
    let body = vec![1; 100 << 10];
    while client
        .connection
        .send(id, Compression::NONE, &body, &mut client.out)
        .unwrap()
        == Sent::Written
    {}
    client.sent();
    let greeting = Greeting {
        limits: Some(AnnouncedLimits {
            stream_window_bytes: u64::MAX,
            ..AnnouncedLimits::default()
        }),
        ..Greeting::default()
    };
    client
        .receive(0, FrameKind::Greeting(Box::new(greeting)))
        .unwrap();
    client.connection.transmit(usize::MAX, &mut client.out);
    assert_eq!(client.sent().len(), 1);
    assert_eq!(client.connection.poll_writable(), Some(id));
}

#[test]
fn a_go_away_tells_which_calls_have_not_run_and_nothing_more_comes_for_them() {
    let mut client = Client::new();
    let ids: Vec<u64> = (0..4).map(|_| client.open().unwrap()).collect();
    let go_away = GoAway {
        last_stream_id: ids[1],
        ..GoAway::default()
    };
    let event = client.receive(0, FrameKind::GoAway(go_away));
    assert!(matches!(&event, Ok(ClientEvent::GoAway { not_run, .. }) if *not_run == ids[2..]));
    assert_eq!(client.connection.waiting().collect::<Vec<_>>(), ids[..2]);
    let end = End::new(Code::Unavailable, "");
    assert!(is_none(client.receive(ids[2], FrameKind::End(end))));
}

#[test]
fn credit_goes_out_as_messages_are_consumed_until_the_stream_is_over() {
    let mut client = Client::new();
    let id = client.opened();
    for _ in 0..20 {
        let Ok(ClientEvent::Message { message, .. }) = client.data(id, false, 50_000) else {
            panic!("a message")
        };
        client.connection.consumed(id, message.cost(), &mut client.out);
    }
    let credits = client.sent();
    assert!(credits.iter().any(|frame| frame.stream_id == id));
    assert!(credits.iter().any(|frame| frame.stream_id == 0));
    client.receive(id, FrameKind::End(End::default())).unwrap();
    client.sent();
    client.connection.consumed(id, 50_032, &mut client.out);
    assert_eq!(client.sent(), []);
}

#[test]
fn a_message_waits_for_the_connections_window_although_its_streams_is_open() {
    let mut client = Client::new();
    let body = vec![1; 128 << 10];
    for _ in 0..8 {
        let id = client.open_stream();
        client
            .connection
            .send(id, Compression::NONE, &body, &mut client.out)
            .unwrap();
    }
    let id = client.open_stream();
    let sent = client
        .connection
        .send(id, Compression::NONE, &b"x"[..], &mut client.out);
    assert_eq!(sent, Ok(Sent::Queued));
    client.sent();
    assert!(is_none(
        client.receive(0, FrameKind::Credit(Credit { bytes: 1 << 20 }))
    ));
    assert!(!client.connection.transmit(usize::MAX, &mut client.out));
    assert_eq!(client.sent().len(), 1);
}
