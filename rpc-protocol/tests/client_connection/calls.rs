//! Calls of one frame each way.

use bytes::Bytes;
use rpc_protocol::frame::{AnnouncedLimits, Data, End, GoAway, Ping, Pong, Request, Reset, Response};
use rpc_protocol::{ClientEvent, Code, Frame, FrameKind, OpenError, TooLarge};

use super::{Client, end_code};

#[test]
fn calls_get_increasing_ids_and_their_own_outcomes() {
    let mut client = Client::new();
    assert_eq!((client.open(), client.open()), (Ok(1), Ok(2)));
    let request = Request {
        method: 7,
        body: Bytes::from_static(b"body"),
        ..Request::default()
    };
    assert_eq!(client.sent()[1], Frame::new(2, FrameKind::Request(request)));

    let response = Response {
        body: Bytes::from_static(b"two"),
        ..Response::default()
    };
    let event = client.receive(2, FrameKind::Response(response.clone()));
    let Ok(ClientEvent::Response {
        stream_id: 2,
        response: got,
    }) = event
    else {
        panic!("{event:?}")
    };
    assert_eq!(got, response);
    assert_eq!(
        end_code(client.receive(1, FrameKind::End(End::new(Code::NotFound, "")))),
        Code::NotFound
    );
    assert_eq!(client.connection.open_streams(), 0);
}

#[test]
fn a_one_way_call_waits_for_nothing() {
    let mut client = Client::new();
    let request = Request {
        one_way: true,
        ..Request::default()
    };
    client.connection.open(&request, &(), &mut client.out).unwrap();
    assert_eq!((client.sent().len(), client.connection.open_streams()), (1, 0));
}

#[test]
fn a_call_over_the_servers_stream_limit_is_for_the_caller_to_queue() {
    let mut client = Client::greeted_with(AnnouncedLimits {
        max_streams: 2,
        ..AnnouncedLimits::default()
    });
    client.open().unwrap();
    client.open().unwrap();
    assert_eq!(client.open(), Err(OpenError::NoStreamFree { limit: 2 }));
    client.receive(1, FrameKind::End(End::default())).unwrap();
    assert_eq!(client.open(), Ok(3));
}

#[test]
fn a_request_over_the_servers_limit_is_not_sent() {
    let mut client = Client::greeted_with(AnnouncedLimits {
        max_body_bytes: 100,
        ..AnnouncedLimits::default()
    });
    let body = vec![0; 101];
    let opened = client
        .connection
        .open(&Request::default(), &body, &mut client.out);
    assert!(matches!(
        opened,
        Err(OpenError::TooLarge(TooLarge { limit: 100, .. }))
    ));
    assert_eq!((client.sent(), client.connection.open_streams()), (vec![], 0));
}

#[test]
fn after_a_go_away_no_call_is_opened_and_waiting_ones_finish() {
    let mut client = Client::new();
    client.open().unwrap();
    let event = client.receive(
        0,
        FrameKind::GoAway(GoAway {
            last_stream_id: 1,
            ..GoAway::default()
        }),
    );
    assert!(matches!(event, Ok(ClientEvent::GoAway { .. })));
    assert_eq!(client.open(), Err(OpenError::GoingAway));
    assert!(matches!(
        client.receive(1, FrameKind::Response(Response::default())),
        Ok(ClientEvent::Response { .. })
    ));
}

#[test]
fn a_cancelled_call_is_reset_once_and_what_still_comes_for_it_is_ignored() {
    let mut client = Client::new();
    client.open().unwrap();
    client.sent();
    client.connection.cancel(1, &mut client.out);
    client.connection.cancel(1, &mut client.out);
    assert_eq!(
        client.sent(),
        [Frame::new(1, FrameKind::Reset(Reset { code: 1 }))]
    );
    for kind in [
        FrameKind::Response(Response::default()),
        FrameKind::End(End::default()),
        FrameKind::Data(Data::default()),
    ] {
        assert!(matches!(client.receive(1, kind), Ok(ClientEvent::None)));
    }
}

#[test]
fn an_end_without_an_error_is_no_outcome_of_a_unary_call() {
    let mut client = Client::new();
    client.open().unwrap();
    assert_eq!(
        end_code(client.receive(1, FrameKind::End(End::default()))),
        Code::Internal
    );
}

#[test]
fn a_ping_of_the_server_is_answered() {
    let mut client = Client::new();
    client.receive(0, FrameKind::Ping(Ping { payload: 5 })).unwrap();
    assert_eq!(
        client.sent(),
        [Frame::new(0, FrameKind::Pong(Pong { payload: 5 }))]
    );
}

#[test]
fn the_calls_that_a_lost_connection_fails_are_known() {
    let mut client = Client::new();
    for _ in 0..20 {
        client.open().unwrap();
    }
    for id in (1..=20).filter(|id| id % 3 != 0) {
        client
            .receive(id, FrameKind::Response(Response::default()))
            .unwrap();
    }
    assert_eq!(
        client.connection.waiting().collect::<Vec<_>>(),
        [3, 6, 9, 12, 15, 18]
    );
}
