//! What waits for a client: queues, turns, parts, and who is told that he may send.

use rpc_protocol::frame::{AnnouncedLimits, Compression, Credit, Metadata, Response};
use rpc_protocol::{ConnectionError, FrameKind, Sent};

use super::{Server, is_none};

fn credit(server: &mut Server, stream_id: u64, bytes: u64) {
    assert!(is_none(
        server.receive(stream_id, FrameKind::Credit(Credit { bytes }))
    ));
}

#[test]
fn a_window_of_zero_held_for_ever_holds_one_message_a_stream_and_keep_alive_still_applies() {
    let mut server = Server::new();
    let id = server.open();
    let body = vec![1; 100_000];
    let mut sent = 0;
    while server.connection.is_writable(id) {
        server
            .connection
            .send(id, Compression::NONE, &body, &mut server.out)
            .unwrap();
        sent += 1;
    }
    assert_eq!(sent, 3, "256 KiB, and one frame over it");
    let queued = server
        .connection
        .send(id, Compression::NONE, &body, &mut server.out);
    assert_eq!(queued, Ok(Sent::Queued));
    assert_eq!(server.connection.queued_bytes(), body.len());
    server.sent();
    assert!(!server.connection.transmit(usize::MAX, &mut server.out));
    assert_eq!(server.sent(), []);
    server.now = server.connection.poll_timeout().expect("a timer");
    server
        .connection
        .handle_timeout(server.now, &mut server.out)
        .unwrap();
    assert!(matches!(server.sent()[0].kind, FrameKind::Ping(_)));
    server.now = server.connection.poll_timeout().expect("a timer");
    let error = server.connection.handle_timeout(server.now, &mut server.out);
    assert_eq!(error, Err(ConnectionError::PeerSilent));
}

#[test]
fn credit_lets_go_what_waits_and_tells_what_became_writable() {
    let mut server = Server::new();
    let id = server.open();
    let body = vec![1; 128 << 10];
    while server
        .connection
        .send(id, Compression::NONE, &body, &mut server.out)
        .unwrap()
        == Sent::Written
    {}
    server.sent();
    assert_eq!(server.connection.poll_writable(), None);
    credit(&mut server, id, 1 << 20);
    assert_eq!(server.connection.poll_writable(), None, "a message waits still");
    assert!(!server.connection.transmit(usize::MAX, &mut server.out));
    assert_eq!(server.sent().len(), 1);
    assert_eq!(server.connection.poll_writable(), Some(id));
    assert_eq!(server.connection.poll_writable(), None, "each once");
}

#[test]
fn a_shut_window_of_the_connection_holds_all_and_its_credit_tells_all() {
    let mut server = Server::new();
    let body = vec![1; 128 << 10];
    let ids: Vec<u64> = (0..8).map(|_| server.open()).collect();
    let idle = server.open();
    for id in ids.iter().cycle() {
        if !server.connection.is_writable(*id) {
            break;
        }
        server
            .connection
            .send(*id, Compression::NONE, &body[..], &mut server.out)
            .unwrap();
    }
    assert!(!server.connection.is_writable(idle));
    server
        .connection
        .respond(idle, &Response::default(), &b"waits"[..], &mut server.out)
        .unwrap();
    server.sent();
    credit(&mut server, 0, 1 << 20);
    let mut writable = Vec::new();
    while let Some(id) = server.connection.poll_writable() {
        writable.push(id);
    }
    assert_eq!(writable, ids);
    assert!(!server.connection.transmit(usize::MAX, &mut server.out));
    assert!(matches!(server.sent()[0].kind, FrameKind::Response(_)));
}

#[test]
fn long_messages_take_turns_and_short_ones_overtake_them() {
    let mut server = Server::new();
    server.greeting(AnnouncedLimits {
        stream_window_bytes: u64::MAX,
        connection_window_bytes: u64::MAX,
        ..AnnouncedLimits::default()
    });
    let ids: Vec<u64> = (0..3).map(|_| server.open()).collect();
    let short = server.open();
    for id in &ids {
        server
            .connection
            .send(*id, Compression::NONE, &vec![1; 300 << 10], &mut server.out)
            .unwrap();
    }
    server.sent();
    assert!(server.connection.transmit(1, &mut server.out));
    server
        .connection
        .respond(short, &Response::default(), &b"short"[..], &mut server.out)
        .unwrap();
    assert!(
        server.connection.transmit(128 << 10, &mut server.out),
        "room is kept to"
    );
    assert!(!server.connection.transmit(usize::MAX, &mut server.out));
    let order: Vec<u64> = server.sent().iter().map(|frame| frame.stream_id).collect();
    let [a, b, c] = ids[..] else { unreachable!() };
    assert_eq!(order, [a, short, b, c, a, b, c, a, b, c]);
}

#[test]
fn a_long_response_goes_out_in_parts_no_longer_than_the_client_takes() {
    let mut server = Server::new();
    server.greeting(AnnouncedLimits {
        max_message_bytes: 10_000,
        max_frame_body_bytes: 1,
        ..AnnouncedLimits::default()
    });
    let id = server.open();
    let body: Vec<u8> = (0..5_000_u32).map(|byte| byte as u8).collect();
    let response = Response {
        trailers: vec![Metadata::text("k", "v")],
        compression: Compression::DEFLATE,
        ..Response::default()
    };
    server
        .connection
        .respond(id, &response, &body, &mut server.out)
        .unwrap();
    assert_eq!(server.connection.open_streams(), 1, "until it has left");
    server.connection.transmit(usize::MAX, &mut server.out);
    assert_eq!(server.connection.open_streams(), 0);
    let sent = server.sent();
    // Parts of less than 1 KiB are nobody's wish.
    assert_eq!(sent.len(), 5);
    let mut whole = Vec::new();
    for (index, frame) in sent.iter().enumerate() {
        let (more, part) = match &frame.kind {
            FrameKind::Response(first) => {
                assert_eq!((index, first.trailers.len()), (0, 1));
                assert_eq!(first.compression, Compression::DEFLATE);
                (first.more, &first.body)
            }
            FrameKind::Data(data) => {
                assert_eq!(data.compression, Compression::NONE, "said once");
                (data.more, &data.body)
            }
            kind => panic!("{kind:?}"),
        };
        assert_eq!(more, index < 4);
        assert!(part.len() <= 1_024);
        whole.extend_from_slice(part);
    }
    assert_eq!(whole, body);
}

#[test]
fn what_waits_for_a_client_that_does_not_read_is_bounded() {
    let mut server = Server::with(|limits| limits.max_queued_bytes = 1 << 20);
    let body = vec![1; 300 << 10];
    let answers: Vec<bool> = (0..10)
        .map(|_| {
            let id = server.open();
            server
                .connection
                .respond(id, &Response::default(), &body, &mut server.out)
                .is_ok()
        })
        .collect();
    assert_eq!(answers.iter().filter(|answered| **answered).count(), 3);
    assert_eq!(server.connection.queued_bytes(), 3 * body.len());
    let ends = server.sent();
    let refused = ends
        .iter()
        .filter(|frame| matches!(frame.kind, FrameKind::End(_)));
    assert_eq!(refused.count(), 7);
}

#[test]
fn credit_without_measure_is_as_good_as_a_full_window() {
    let mut server = Server::new();
    let id = server.open();
    for _ in 0..10 {
        credit(&mut server, 0, u64::MAX);
        credit(&mut server, id, u64::MAX);
    }
    server
        .connection
        .send(id, Compression::NONE, &b"x"[..], &mut server.out)
        .unwrap();
    assert!(server.connection.is_writable(id));
}

#[test]
fn credit_before_the_first_message_of_a_stream_counts() {
    let mut server = Server::new();
    let id = server.open();
    credit(&mut server, id, 1 << 20);
    let body = vec![1; 128 << 10];
    let mut sent = 0;
    while server.connection.is_writable(id) && sent < 8 {
        server
            .connection
            .send(id, Compression::NONE, &body[..], &mut server.out)
            .unwrap();
        sent += 1;
    }
    assert_eq!(sent, 8, "the connection's window is what ends it");
}

#[test]
fn a_message_waits_for_the_connections_window_although_its_streams_is_open() {
    let mut server = Server::new();
    let others: Vec<u64> = (0..8).map(|_| server.open()).collect();
    let id = server.open();
    for other in others {
        server
            .connection
            .send(other, Compression::NONE, &vec![1; 128 << 10], &mut server.out)
            .unwrap();
    }
    let sent = server
        .connection
        .send(id, Compression::NONE, &b"x"[..], &mut server.out);
    assert_eq!(sent, Ok(Sent::Queued));
    server.sent();
    credit(&mut server, 0, 1 << 20);
    assert!(!server.connection.transmit(usize::MAX, &mut server.out));
    assert_eq!(server.connection.queued_bytes(), 0);
}

#[test]
fn a_window_announced_below_the_default_is_the_default() {
    let mut server = Server::new();
    let before = server.open();
    server.greeting(AnnouncedLimits {
        stream_window_bytes: 1,
        connection_window_bytes: 1,
        ..AnnouncedLimits::default()
    });
    let after = server.open();
    for id in [before, after] {
        let mut sent = 0;
        while server.connection.is_writable(id) {
            server
                .connection
                .send(id, Compression::NONE, &vec![1; 64 << 10], &mut server.out)
                .unwrap();
            sent += 1;
        }
        assert_eq!(sent, 4);
    }
}
