//! Who the client is, and how far away.

use std::time::Duration;

use bytes::Bytes;
use rpc_protocol::frame::{
    Authenticate, AuthenticationPurpose, Identity, Metadata, Ping, Pong, Request, Status,
};
use rpc_protocol::{Code, ConnectionError, Frame, FrameKind, ServerEvent};

use super::{Server, is_none};

fn bearer(request_id: u64) -> Authenticate {
    Authenticate {
        request_id,
        scheme: "bearer".to_owned(),
        credential: Bytes::from_static(b"token"),
        ..Authenticate::default()
    }
}

/// Sends what is refused for its form, and gives the status.
fn refused(server: &mut Server, authenticate: Authenticate) -> Result<Status, ConnectionError> {
    let sent = authenticate.request_id;
    match server.receive(0, FrameKind::Authenticate(Box::new(authenticate)))? {
        ServerEvent::AuthenticateRefused { request_id, status } => {
            assert_eq!(request_id, sent);
            Ok(status)
        }
        event => panic!("not refused: {event:?}"),
    }
}

#[test]
fn an_authentication_of_each_purpose_comes_out_as_it_was_sent() {
    for purpose in [
        AuthenticationPurpose::Refresh,
        AuthenticationPurpose::ChangeUser,
        AuthenticationPurpose::SignOut,
    ] {
        let mut server = Server::new();
        let sent = Authenticate {
            purpose: purpose as i32,
            metadata: vec![Metadata::text("device", "phone")],
            ..bearer(9)
        };
        let event = server.receive(0, FrameKind::Authenticate(Box::new(sent.clone())));
        let Ok(ServerEvent::Authenticate(authenticate)) = event else {
            panic!("no authentication: {event:?}")
        };
        assert_eq!(*authenticate, sent);
        assert_eq!(server.sent(), [], "the runtime answers");
    }
}

#[test]
fn an_identity_is_written_as_it_is_given() {
    let mut server = Server::new();
    let identity = Identity {
        request_id: 9,
        user_id: "ann".to_owned(),
        expires_in_us: 60_000_000,
        ..Identity::default()
    };
    server.connection.identity(&identity, &mut server.out);
    assert_eq!(
        server.sent(),
        [Frame::new(0, FrameKind::Identity(Box::new(identity)))]
    );
}

#[test]
fn an_authentication_runs_no_call_and_leaves_running_calls_alone() {
    let mut server = Server::new();
    let id = server.open();
    let event = server.receive(0, FrameKind::Authenticate(Box::new(bearer(1))));
    assert!(matches!(event, Ok(ServerEvent::Authenticate(_))));
    assert_eq!(server.connection.open_streams(), 1);
    assert_eq!(server.open(), id + 1);
}

#[test]
fn an_unknown_purpose_is_refused_as_an_invalid_argument() {
    let mut server = Server::new();
    let unknown = Authenticate {
        purpose: 3,
        ..bearer(7)
    };
    let status = refused(&mut server, unknown).unwrap();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[test]
fn metadata_of_an_authentication_is_held_to_the_limits() {
    let mut server = Server::new();
    let mut authenticate = bearer(7);
    authenticate.metadata = vec![Metadata::text("key", "value"); 129];
    let status = refused(&mut server, authenticate.clone()).unwrap();
    assert_eq!(status.code(), Code::ResourceExhausted);
    authenticate.metadata.pop();
    let event = server.receive(0, FrameKind::Authenticate(Box::new(authenticate)));
    assert!(matches!(event, Ok(ServerEvent::Authenticate(_))));
}

#[test]
fn more_than_32_malformed_authentications_in_ten_seconds_close_with_4429() {
    let mut server = Server::new();
    let unknown = Authenticate {
        purpose: -1,
        ..bearer(7)
    };
    for _ in 0..32 {
        refused(&mut server, unknown.clone()).unwrap();
    }
    let error = refused(&mut server, unknown).unwrap_err();
    assert_eq!(error, ConnectionError::TooManyFaults);
    assert_eq!(error.close_code().as_u16(), 4429);
}

#[test]
fn requests_in_parts_are_refused_at_their_first_while_nobody_is_known_who_has_to_be() {
    let mut server = Server::new();
    server.connection.await_authentication(true);
    let part = |one_way| Request {
        method: 7,
        more: true,
        one_way,
        body: vec![7; 1_000].into(),
        ..Request::default()
    };
    assert!(is_none(server.request(part(false))));
    assert_eq!(server.sent_end(), (1, Code::Unauthenticated));
    assert!(is_none(server.request(part(true))));
    let [told] = &server.sent()[..] else {
        panic!("one frame")
    };
    assert!(
        matches!(told.kind, FrameKind::Reset(_)),
        "who sends one-way is told to stop: {told:?}"
    );
    assert_eq!(server.connection.open_streams(), 0, "nothing is kept");
    // What is on its way of them is dropped.
    assert!(is_none(server.data(1, true, 1_000)));
    assert!(is_none(server.data(2, false, 1_000)));
    // What is whole is the application's to refuse.
    let whole = Request {
        more: false,
        ..part(false)
    };
    assert!(matches!(server.request(whole), Ok(ServerEvent::Request(_))));
    server.connection.await_authentication(false);
    assert!(is_none(server.request(part(false))));
    assert!(matches!(server.data(4, false, 1), Ok(ServerEvent::Request(_))));
}

#[test]
fn requests_in_parts_that_nobody_known_sends_count_as_refused_calls() {
    let mut server = Server::new();
    server.connection.await_authentication(true);
    let part = || Request {
        method: 7,
        more: true,
        ..Request::default()
    };
    for _ in 1..1_000 {
        assert!(is_none(server.request(part())));
    }
    let error = server.request(part()).unwrap_err();
    assert_eq!(error.close_code().as_u16(), 4429);
}

#[test]
fn a_credential_is_not_shown_by_debug() {
    let mut authenticate = bearer(1);
    authenticate.metadata = vec![Metadata::text("one-time-code", "314159")];
    let event = Server::new().receive(0, FrameKind::Authenticate(Box::new(authenticate)));
    let shown = format!("{event:?}");
    assert!(
        shown.contains("bearer") && shown.contains("one-time-code"),
        "{shown}"
    );
    for secret in ["token", "116", "314159"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// What the one ping that was sent says.
fn sent_ping(server: &mut Server) -> Ping {
    match &server.sent()[..] {
        [
            Frame {
                stream_id: 0,
                kind: FrameKind::Ping(ping),
            },
        ] => *ping,
        other => panic!("not one ping: {other:?}"),
    }
}

fn pong(server: &mut Server, payload: u64) {
    assert!(is_none(server.receive(0, FrameKind::Pong(Pong { payload }))));
}

#[test]
fn the_round_trip_time_is_that_of_a_ping_on_demand() {
    let mut server = Server::new();
    assert_eq!(server.connection.round_trip_time(), None);
    assert!(server.connection.ping(server.now, &mut server.out));
    let ping = sent_ping(&mut server);
    server.pass(0.08);
    pong(&mut server, ping.payload);
    assert_eq!(
        server.connection.round_trip_time(),
        Some(Duration::from_millis(80))
    );
}

#[test]
fn the_round_trip_time_is_also_that_of_a_ping_that_keeps_alive() {
    let mut server = Server::new();
    server.now = server.connection.poll_timeout().expect("a timer");
    server
        .connection
        .handle_timeout(server.now, &mut server.out)
        .unwrap();
    let ping = sent_ping(&mut server);
    server.pass(0.5);
    pong(&mut server, ping.payload);
    assert_eq!(
        server.connection.round_trip_time(),
        Some(Duration::from_millis(500))
    );
}

#[test]
fn a_pong_that_nobody_waits_for_tells_no_round_trip_time() {
    let mut server = Server::new();
    pong(&mut server, 1);
    assert_eq!(server.connection.round_trip_time(), None);
    assert!(server.connection.ping(server.now, &mut server.out));
    let ping = sent_ping(&mut server);
    server.pass(1.0);
    pong(&mut server, ping.payload + 1);
    assert_eq!(server.connection.round_trip_time(), None);
    pong(&mut server, ping.payload);
    server.pass(1.0);
    pong(&mut server, ping.payload);
    assert_eq!(
        server.connection.round_trip_time(),
        Some(Duration::from_secs(1)),
        "the first of two counts"
    );
}

#[test]
fn pings_on_demand_stay_below_what_a_peer_allows() {
    let mut server = Server::new();
    let mut pings = 0;
    // Asked a hundred times a second, and answered at once.
    for _ in 0..1_000 {
        if server.connection.ping(server.now, &mut server.out) {
            pings += 1;
            let ping = sent_ping(&mut server);
            pong(&mut server, ping.payload);
        }
        server.pass(0.01);
    }
    assert_eq!(pings, 5, "one in two seconds");
}

#[test]
fn a_ping_that_is_never_answered_does_not_stop_measuring() {
    let mut server = Server::new();
    assert!(server.connection.ping(server.now, &mut server.out));
    let lost = sent_ping(&mut server);
    server.pass(9.9);
    assert!(!server.connection.ping(server.now, &mut server.out));
    server.pass(0.1);
    assert!(server.connection.ping(server.now, &mut server.out));
    let ping = sent_ping(&mut server);
    assert_ne!(ping.payload, lost.payload);
    server.pass(0.25);
    pong(&mut server, ping.payload);
    assert_eq!(
        server.connection.round_trip_time(),
        Some(Duration::from_millis(250))
    );
}

#[test]
fn a_pong_that_answers_two_pings_tells_the_time_of_the_first() {
    let mut server = Server::with(|limits| limits.keep_alive_interval = Some(Duration::from_secs(1)));
    assert!(server.connection.ping(server.now, &mut server.out));
    let first = sent_ping(&mut server);
    server.pass(1.0);
    server
        .connection
        .handle_timeout(server.now, &mut server.out)
        .unwrap();
    assert_ne!(sent_ping(&mut server), first);
    server.pass(1.0);
    pong(&mut server, first.payload);
    assert_eq!(server.connection.round_trip_time(), Some(Duration::from_secs(2)));
}
