//! Too much of what is allowed, and silence.

use std::time::Duration;

use rpc_protocol::frame::{End, Ping, Pong, Request, Response};
use rpc_protocol::{Code, ConnectionError, Frame, FrameKind, ServerEvent};

use super::{Server, is_none};

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

#[test]
fn more_opens_in_ten_seconds_than_the_limit_are_resource_exhausted() {
    let mut server = Server::with(|limits| limits.max_opens = 5);
    for _ in 0..5 {
        let id = server.open();
        server.connection.finished(id);
    }
    assert!(is_none(server.request(Request::default())));
    assert_eq!(server.sent_end(), (6, Code::ResourceExhausted));
    server.pass(11.0);
    server.open();
}

#[test]
fn a_connection_of_no_use_is_closed_with_1001_although_it_answers_pings() {
    let mut server = Server::new();
    let began = server.now;
    let error = loop {
        server.now = server.connection.poll_timeout().expect("a timer");
        if let Err(error) = server.connection.handle_timeout(server.now, &mut server.out) {
            break error;
        }
        if !server.sent().is_empty() {
            server.receive(0, FrameKind::Pong(Pong::default())).unwrap();
            server.receive(0, FrameKind::Ping(Ping::default())).unwrap();
            server.connection.handle_flushed();
            server.sent();
        }
    };
    assert_eq!(error, ConnectionError::Idle);
    assert_eq!(error.close_code().as_u16(), 1001);
    assert_eq!(server.now - began, Duration::from_secs(24 * 60 * 60));
}

#[test]
fn an_idle_time_begins_when_the_last_stream_has_ended() {
    let day = Duration::from_secs(24 * 60 * 60);
    let mut server = Server::with(|limits| limits.keep_alive_interval = None);
    let id = server.open();
    let step = |server: &mut Server| {
        server.now = server.connection.poll_timeout().expect("a timer");
        server.connection.handle_timeout(server.now, &mut server.out)
    };
    let began = server.now;
    assert_eq!(step(&mut server), Ok(()), "a stream is open");
    server
        .connection
        .respond(id, &Response::default(), &(), &mut server.out)
        .unwrap();
    assert_eq!(
        step(&mut server),
        Ok(()),
        "it ended a while ago, nobody knows when"
    );
    assert_eq!(step(&mut server), Err(ConnectionError::Idle));
    assert_eq!(server.now - began, 3 * day);
}
