//! What a server does with bytes, sizes and times that are not as they should be.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rpc_protocol::{
    FrameKind,
    frame::{Ping, Pong},
};
use rpc_runtime::Limits;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    probe::{Order, order, server, until},
    raw::{Log, Raw, bytes_of, masked, masked_frame, request_of},
};

/// A machine that is busy with other things ends no turn before its time.
pub(crate) fn patient() -> Limits {
    Limits {
        turn_time: Duration::from_secs(60),
        ..Limits::default()
    }
}

pub(crate) fn echo(stream_id: u64, label: &str) -> Vec<u8> {
    masked(&bytes_of(stream_id, request_of("Echo", &order(label))))
}

#[tokio::test]
async fn a_text_message_closes_with_1003() {
    let (server, _) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    raw.socket.send(Message::text("{}")).await.unwrap();
    assert_eq!(raw.closed().await.0, 1003);
}

#[tokio::test]
async fn text_that_is_no_utf_8_closes_with_1007() {
    let (server, _) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    raw.write(&masked_frame(0x81, &[0xff, 0xff])).await;
    assert_eq!(raw.closed().await.0, 1007);
}

#[tokio::test]
async fn a_message_over_the_limit_closes_with_1009_from_its_header_alone() {
    let (server, _) = server(Limits {
        message_bytes: 1_000,
        ..Limits::default()
    });
    let mut raw = Raw::connect(&server).await;
    // The header says 1,001 bytes, of which none is ever sent.
    raw.write(&[0x82, 0x80 | 126, 0x03, 0xe9, 1, 2, 3, 4]).await;
    assert_eq!(raw.closed().await.0, 1009);
    let mut raw = Raw::connect(&server).await;
    raw.write(&[0x82, 0x80 | 127, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])
        .await;
    assert_eq!(raw.closed().await.0, 1009);
}

#[tokio::test]
async fn the_longest_message_that_is_allowed_is_served_and_fragments_are_added_up() {
    let (server, _) = server(Limits {
        message_bytes: 200_000,
        ..Limits::default()
    });
    let mut raw = Raw::connect(&server).await;
    let request = |length: usize| Order {
        blob: vec![9; length].into(),
        ..Order::default()
    };
    let overhead = bytes_of(1, request_of("Echo", &request(199_000))).len() - 199_000;
    let longest = request(200_000 - overhead);
    assert_eq!(bytes_of(1, request_of("Echo", &longest)).len(), 200_000);
    raw.request(1, "Echo", &longest).await;
    assert_eq!(raw.answer().await, (1, Ok(longest)));
    // Two fragments that are short enough by themselves.
    raw.write(&masked_frame(0x02, &[0; 150_000])).await;
    raw.write(&masked_frame(0x80, &[0; 150_000])).await;
    assert_eq!(raw.closed().await.0, 1009);
}

#[tokio::test]
async fn bad_opcodes_reserved_bits_and_unmasked_frames_close_with_1002() {
    let (server, _) = server(Limits::default());
    let unmasked = [&[0x82, 2][..], &[0, 0]].concat();
    for frame in [
        masked_frame(0x83, &[1]),
        masked_frame(0xc2, &[1]),
        unmasked,
        masked_frame(0x80, &[1]),
    ] {
        let mut raw = Raw::connect(&server).await;
        raw.write(&frame).await;
        assert_eq!(raw.closed().await.0, 1002, "{frame:x?}");
    }
}

#[tokio::test]
async fn a_frame_that_does_not_decode_closes_with_4501_with_one_short_line_and_nothing_is_dispatched() {
    let (log, _guard) = Log::capture();
    let (server, traces) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    let bad = [masked(&[0xff; 5_000]), echo(1, "behind it")].concat();
    raw.write(&bad).await;
    assert_eq!(raw.closed().await.0, 4501);
    assert_eq!(traces.started(), 0);
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].len() <= 256 && lines[0].contains("4501"), "{lines:#?}");
}

#[tokio::test]
async fn a_stream_id_that_does_not_increase_closes_with_4502() {
    let (server, _) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    raw.request(7, "Echo", &order("seven")).await;
    assert_eq!(raw.answer().await, (7, Ok(order("seven"))));
    raw.request(7, "Echo", &order("again")).await;
    assert_eq!(raw.closed().await.0, 4502);
}

#[tokio::test]
async fn input_may_be_split_anywhere_and_fragmented_with_pings_in_between() {
    let (server, _) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    let large = Order {
        blob: vec![3; 40_000].into(),
        ..order("large")
    };
    let request = bytes_of(3, request_of("Echo", &large));
    let (begin, end) = request.split_at(10_000);
    let input = [
        echo(1, "one"),
        masked_frame(0x02, &bytes_of(2, request_of("Echo", &order("two")))[..5]),
        masked_frame(0x89, b"are you there?"),
        masked_frame(0x80, &bytes_of(2, request_of("Echo", &order("two")))[5..]),
        masked_frame(0x02, begin),
        masked_frame(0x80, end),
        masked(&bytes_of(4, request_of("Echo", &large))),
        echo(5, "five"),
    ]
    .concat();
    let (mut pieces, mut at) = (0, 0);
    while at < input.len() {
        // One byte at a time first, and then ever more.
        pieces += 1;
        let next = (at + 1 + pieces / 200).min(input.len());
        raw.write(&input[at..next]).await;
        at = next;
        tokio::task::yield_now().await;
    }
    for expected in [
        (1, order("one")),
        (2, order("two")),
        (3, large.clone()),
        (4, large),
        (5, order("five")),
    ] {
        assert_eq!(raw.answer().await, (expected.0, Ok(expected.1)));
    }
}

#[tokio::test]
async fn an_end_inside_a_frame_cancels_calls_and_dispatches_nothing() {
    let (server, traces) = server(Limits::default());
    for cut in [1, 5, 20] {
        let before = (traces.started(), traces.dropped());
        let mut raw = Raw::connect(&server).await;
        raw.request(1, "Wait", &order("cancelled")).await;
        until("it runs", || traces.started() == before.0 + 1).await;
        let behind = echo(2, "cut off");
        raw.write(&behind[..behind.len() - cut]).await;
        drop(raw);
        until("it is dropped", || traces.dropped() == before.1 + 1).await;
        until("the connection is gone", || server.connections() == 0).await;
        assert_eq!(traces.started(), before.0 + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_begun_and_not_finished_in_30_s_closes_with_4408() {
    let (server, _) = server(Limits::default());
    let whole = masked(&bytes_of(
        2,
        request_of(
            "Echo",
            &Order {
                blob: vec![0; 50_000].into(),
                ..order("")
            },
        ),
    ));
    // In the header, in a short message, in one with a buffer of its own, and between fragments.
    for begun in [
        &whole[..1],
        &echo(2, "short")[..10],
        &whole[..30_000],
        &masked_frame(0x02, &[1]),
    ] {
        let mut raw = Raw::connect(&server).await;
        raw.request(1, "Echo", &order("before")).await;
        raw.answer().await.1.unwrap();
        let began = Instant::now();
        raw.write(begun).await;
        // It stays alive as far as pings are concerned.
        let pongs = async {
            loop {
                match raw.socket.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => break u16::from(frame.code),
                    Some(Ok(_)) => {}
                    other => panic!("no close frame: {other:?}"),
                }
            }
        };
        assert_eq!(pongs.await, 4408);
        assert_eq!(began.elapsed().as_secs(), 30);
    }
}

#[tokio::test(start_paused = true)]
async fn pongs_between_the_fragments_of_a_message_do_not_give_it_more_than_30_s() {
    let (server, _) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    raw.write(&masked_frame(0x02, b"begun")).await;
    let began = tokio::time::Instant::now();
    let (mut reader, mut writer) = (raw, 0);
    let closed = loop {
        tokio::select! {
            closed = reader.closed() => break closed,
            () = tokio::time::sleep(Duration::from_secs(5)) => writer += 1,
        }
        assert!(writer < 10, "still open");
        reader.write(&masked_frame(0x8a, b"")).await;
    };
    assert_eq!(closed.0, 4408, "{closed:?}");
    assert!(
        began.elapsed() <= Duration::from_secs(31),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_pinged_after_25_s_and_gone_after_35() {
    let (server, traces) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    let began = Instant::now();
    raw.request(1, "Wait", &order("waits")).await;
    until("it runs", || traces.started() == 1).await;
    // Two rounds are answered, the third is not.
    for round in 1..=3 {
        let frame = raw.frame().await.unwrap();
        let FrameKind::Ping(Ping { payload }) = frame.kind else {
            panic!("not a ping: {frame:?}")
        };
        assert_eq!(began.elapsed().as_secs(), round * 25);
        if round < 3 {
            raw.send(0, FrameKind::Pong(Pong { payload })).await;
        }
    }
    assert_eq!(raw.closed().await.0, 4408);
    assert_eq!(began.elapsed().as_secs(), 85);
    assert_eq!(traces.dropped(), 1);
    until("it is off the list", || server.connections() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn more_than_10_pings_in_10_s_close_with_4429_and_slower_ones_are_answered() {
    let (server, _) = server(Limits::default());
    let ping = |websocket: bool| {
        if websocket {
            masked_frame(0x89, b"x")
        } else {
            masked(&bytes_of(0, FrameKind::Ping(Ping { payload: 7 })))
        }
    };
    for websocket in [true, false] {
        let mut raw = Raw::connect(&server).await;
        for _ in 0..30 {
            raw.write(&ping(websocket)).await;
            match raw.socket.next().await {
                Some(Ok(Message::Pong(payload))) if websocket => assert_eq!(&payload[..], b"x"),
                Some(Ok(Message::Binary(_))) if !websocket => {}
                other => panic!("not a pong: {other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(1_200)).await;
        }
        tokio::time::sleep(Duration::from_secs(11)).await;
        for _ in 0..11 {
            raw.write(&ping(websocket)).await;
        }
        assert_eq!(raw.closed().await.0, 4429);
    }
}

#[tokio::test(start_paused = true)]
async fn while_over_1_mib_waits_for_the_peer_nothing_more_is_read_and_all_is_answered_once_it_reads() {
    let (server, traces) = server(Limits::default());
    let mut raw = Raw::connect_with_room(&server, 64 * 1024).await;
    // Each asks for 100 KB with some 30 bytes.
    let large = |id| {
        masked(&bytes_of(
            id,
            request_of(
                "Large",
                &Order {
                    amount: 100_000,
                    ..Order::default()
                },
            ),
        ))
    };
    raw.write(&(1..=200).flat_map(large).collect::<Vec<u8>>()).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    // The eleventh reply exceeds 1 MiB, and the pipe to the peer holds a little.
    assert!((11..=12).contains(&traces.started()), "{}", traces.started());
    for id in 1..=200 {
        let (stream_id, answer) = raw.answer().await;
        assert_eq!((stream_id, answer.unwrap().blob.len()), (id, 100_000));
    }
    assert_eq!(traces.started(), 200);
}

#[tokio::test(start_paused = true)]
async fn while_over_1_mib_waits_for_the_peer_parked_calls_do_not_go_on() {
    let (server, traces) = server(Limits::default());
    let mut raw = Raw::connect_with_room(&server, 64 * 1024).await;
    let large = Order {
        blob: vec![7; 300_000].into(),
        ..Order::default()
    };
    for id in 1..=100 {
        raw.request(id, "Wait", &large).await;
    }
    until("all wait", || traces.started() == 100).await;
    traces.release.notify_waiters();
    tokio::time::sleep(Duration::from_secs(5)).await;
    // The fourth answer exceeds 1 MiB, and the pipe to the peer holds a little.
    assert!((4..=5).contains(&traces.dropped()), "{}", traces.dropped());
    for _ in 0..100 {
        let (_, answer) = raw.answer().await;
        assert_eq!(answer.unwrap().blob.len(), 300_000);
    }
    assert_eq!(traces.dropped(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_for_10_s_is_dropped_and_its_calls_with_it() {
    let (server, traces) = server(Limits::default());
    let mut raw = Raw::connect_with_room(&server, 64 * 1024).await;
    raw.request(1, "Wait", &order("waits")).await;
    for id in 2..50 {
        raw.request(
            id,
            "Large",
            &Order {
                amount: 100_000,
                ..Order::default()
            },
        )
        .await;
    }
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!((server.connections(), traces.dropped()), (1, 0));
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!((server.connections(), traces.dropped()), (0, 1));
    drop(raw);
}
