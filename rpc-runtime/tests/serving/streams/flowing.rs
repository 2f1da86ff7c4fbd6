//! What holds a stream back, what it may take meanwhile, and that others are not held up by it.

use std::time::Duration;

use bytes::Bytes;
use rpc_protocol::{
    DATA_FRAME_COST, FrameKind,
    frame::{AnnouncedLimits, Data, Request},
};
use rpc_runtime::{Code, Limits, prost::Message as _};

use super::{
    service::{Item, Traces, item, method, server},
    wire::{Peer, Said, one, peers},
};
use crate::probe::until;

fn blob(length: usize) -> Item {
    Item {
        blob: vec![7; length].into(),
        ..Item::default()
    }
}

fn counting(number: u64, length: usize) -> Item {
    Item {
        number,
        ..blob(length)
    }
}

/// What an item counts on the windows.
fn cost(item: &Item) -> usize {
    item.encoded_len() + DATA_FRAME_COST
}

#[tokio::test]
async fn a_stream_whose_client_gives_no_credit_stops_at_its_window_and_holds_up_no_other_call() {
    let (server, traces) = server(Limits::default());
    let mut peer = Peer::connect_with_default_windows(&server).await;
    peer.call(1, "Count", &counting(10_000, 1_000)).await;
    assert!(matches!(peer.said(1).await, Said::Opened(_)));
    let mut taken = 0;
    for _ in 0..250 {
        assert!(matches!(peer.said(1).await, Said::Item(_)));
        taken += 1;
    }
    // Other calls go on, of which the bodies count on the connection's window alone.
    for id in 2..100 {
        peer.call(id, "Echo", &item(id)).await;
        loop {
            match peer.next().await {
                (1, Said::Item(_)) => taken += 1,
                (at, said) => {
                    assert_eq!((at, said), (id, Said::Answer(item(id))));
                    break;
                }
            }
        }
    }
    let produced = Traces::get(&traces.produced);
    assert!(
        taken <= 256,
        "{taken} items of 1,000 bytes fit into the window and one frame"
    );
    assert!(produced <= taken + 1, "{produced} were made, {taken} were taken");
    // One that is granted is one that is made.
    peer.credit(1, 10_000).await;
    for _ in 0..9 {
        assert!(matches!(peer.said(1).await, Said::Item(_)));
    }
    peer.reset(1).await;
    until("it is dropped", || Traces::get(&traces.dropped) == 99).await;
}

#[tokio::test]
async fn a_client_whose_stream_is_not_read_may_send_its_window_and_no_more_and_other_calls_go_on() {
    let (server, traces) = server(Limits::default());
    let mut peer = Peer::connect_with_default_windows(&server).await;
    peer.open(1, "Ignore").await;
    let item = blob(10_000);
    // Up to below zero.
    for _ in 0..(256 * 1024_usize).div_ceil(cost(&item)) {
        peer.item(1, &item).await;
    }
    peer.expect_silence(2).await;
    peer.item(1, &item).await;
    assert_eq!(peer.raw.closed().await.0, 4502);
    until("it is dropped", || Traces::get(&traces.dropped) == 2).await;
}

#[tokio::test]
async fn credit_comes_back_as_a_handler_reads() {
    let (server, traces) = server(Limits::default());
    let mut peer = Peer::connect_with_default_windows(&server).await;
    peer.open(1, "Sum").await;
    let item = blob(10_000);
    let (mut stream, mut connection) = (256 * 1024_i64, 1024 * 1024_i64);
    // 20 MB: eighty windows of the stream.
    for sent in 0..2_000 {
        while stream <= 0 || connection <= 0 {
            let frame = peer.raw.frame().await.expect("credit");
            match frame.kind {
                FrameKind::Credit(credit) if frame.stream_id == 1 => stream += credit.bytes as i64,
                FrameKind::Credit(credit) => connection += credit.bytes as i64,
                other => panic!("after {sent}: {other:?}"),
            }
        }
        peer.item(1, &item).await;
        stream -= cost(&item) as i64;
        connection -= cost(&item) as i64;
    }
    peer.end(1).await;
    assert_eq!(peer.said(1).await, Said::Answer(Item::default()));
    assert_eq!(Traces::get(&traces.read), 2_000);
}

#[tokio::test]
async fn many_streams_that_are_not_read_leave_room_for_other_calls_and_take_at_most_what_may_be_pending() {
    let limits = Limits::default();
    let pending = limits.pending_bytes;
    let (server, _) = server(limits);
    let mut peer = Peer::connect_with_default_windows(&server).await;
    let item = blob(100_000);
    let (mut sent, mut connection) = (0, 1024 * 1024_i64);
    let mut last = 0;
    'all: for _ in 0..99 {
        last += 1;
        let id = last;
        peer.open(id, "Ignore").await;
        // Three of them are more than the stream's window.
        for _ in 0..3 {
            if connection <= 0 {
                // A call without a body needs no window: its answer comes behind all credit that was on its way.
                last += 1;
                peer.call(last, "Echo", &Item::default()).await;
            }
            while connection <= 0 {
                let frame = peer.raw.frame().await.expect("credit, or an answer");
                match frame.kind {
                    FrameKind::Credit(credit) => connection += credit.bytes as i64,
                    FrameKind::Response(_) if frame.stream_id == last => break 'all,
                    FrameKind::Response(_) => {}
                    other => panic!("{other:?}"),
                }
            }
            peer.item(id, &item).await;
            connection -= cost(&item) as i64;
            sent += cost(&item);
        }
    }
    assert!(sent > pending - 2 * 1024 * 1024, "{sent} bytes were taken");
    assert!(sent <= pending + cost(&item), "{sent} bytes were taken");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_gives_credit_is_answered_up_to_its_window_and_then_refused_with_bounded_memory() {
    let limits = Limits {
        queued_bytes: 4 << 20,
        ..Limits::default()
    };
    let (window, queued) = (1 << 20, limits.queued_bytes);
    let (server, traces) = server(limits);
    let mut peer = Peer::connect_with_default_windows(&server).await;
    let request = blob(100_000);
    let (mut answered, mut refused) = (0, 0);
    for id in 1..=200 {
        peer.call(id, "Echo", &request).await;
    }
    // What was answered and what was refused is sent, and the rest waits for credit.
    loop {
        let next = tokio::time::timeout(Duration::from_secs(5), peer.next());
        match next.await {
            Ok((_, Said::Answer(_))) => answered += 1,
            Ok((_, Said::Ended(code, _))) => {
                assert_eq!(code, Code::ResourceExhausted);
                refused += 1;
            }
            Ok(other) => panic!("{other:?}"),
            Err(_) => break,
        }
    }
    let held = (200 - answered - refused) * 100_000;
    assert_eq!(answered, window / 100_000 + 1);
    assert!(held > queued && held <= queued + 200_000, "{held} bytes wait");
    assert_eq!(
        Traces::get(&traces.started),
        200 - refused,
        "refused without being run"
    );
    // Once it gives credit, all that was run is answered.
    peer.credit(0, 100 << 20).await;
    for _ in 0..200 - answered - refused {
        assert!(matches!(peer.next().await, (_, Said::Answer(_))));
    }
    peer.expect_silence(201).await;
}

#[tokio::test(start_paused = true)]
async fn a_window_of_zero_that_is_held_for_ever_keeps_no_connection_from_being_pinged_and_closed() {
    let (server, traces) = server(Limits::default());
    let mut peer = Peer::connect_with_default_windows(&server).await;
    peer.call(1, "Count", &counting(10_000, 1_000)).await;
    let (code, _) = peer.raw.closed().await;
    assert_eq!(code, 4408);
    until("it is dropped", || Traces::get(&traces.dropped) == 1).await;
}

#[tokio::test]
async fn a_body_in_parts_is_put_together_and_one_over_the_limit_ends_its_call_only() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    let parts = |id: u64, body: Bytes| {
        let request = Request {
            method: method("Echo").number,
            more: true,
            body: body.slice(..100_000),
            ..Request::default()
        };
        let mut frames = vec![(id, FrameKind::Request(request))];
        let mut rest = body.slice(100_000..);
        while !rest.is_empty() {
            let body = rest.split_to(rest.len().min(100_000));
            let data = Data {
                more: !rest.is_empty(),
                body,
                ..Data::default()
            };
            frames.push((id, FrameKind::Data(data)));
        }
        frames
    };
    let large = blob(3_000_000);
    for (id, frame) in parts(1, large.encode_to_vec().into()) {
        peer.raw.send(id, frame).await;
    }
    // In frames of their own as well: the peer takes no message of more than 1 MiB.
    let mut body = Vec::new();
    let answer = loop {
        match peer.raw.frame().await.expect("an answer").kind {
            FrameKind::Response(response) => {
                body.extend_from_slice(&response.body);
                assert!(response.more);
            }
            FrameKind::Data(data) => {
                body.extend_from_slice(&data.body);
                if !data.more {
                    break Item::decode(&*body).unwrap();
                }
            }
            FrameKind::Credit(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(answer, large);
    let started = Traces::get(&traces.started);
    for (id, frame) in parts(2, blob(5_000_000).encode_to_vec().into()) {
        peer.raw.send(id, frame).await;
    }
    assert_eq!(peer.ended(2).await, Code::ResourceExhausted);
    assert_eq!(Traces::get(&traces.started), started);
    peer.expect_silence(3).await;
}

#[tokio::test]
async fn a_stream_of_items_over_the_clients_limit_ends_with_resource_exhausted() {
    let (server, _) = server(Limits::default());
    let mut peer = Peer::connect_with_default_windows(&server).await;
    peer.greet(AnnouncedLimits {
        max_body_bytes: 1_000,
        ..AnnouncedLimits::default()
    })
    .await;
    peer.call(1, "Count", &counting(3, 10)).await;
    assert!(matches!(peer.said(1).await, Said::Opened(_)));
    for _ in 0..3 {
        assert!(matches!(peer.said(1).await, Said::Item(_)));
    }
    assert_eq!(peer.ended(1).await, Code::Ok);
    peer.call(2, "Count", &counting(3, 2_000)).await;
    assert!(matches!(peer.said(2).await, Said::Opened(_)));
    assert_eq!(peer.ended(2).await, Code::ResourceExhausted);
    peer.expect_silence(3).await;
}

#[tokio::test]
async fn data_for_a_call_that_is_no_stream_closes_with_4502() {
    for after_end in [false, true] {
        let (_server, mut peer, _) = peers(Limits::default()).await;
        if after_end {
            peer.open(1, "Ignore").await;
            peer.end(1).await;
        } else {
            let hang = Item {
                text: "hang".to_owned(),
                ..item(1)
            };
            peer.raw.send(1, one("Echo", &hang)).await;
        }
        peer.item(1, &item(1)).await;
        assert_eq!(peer.raw.closed().await.0, 4502);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_holds_while_the_client_takes_nothing() {
    let (server, traces) = server(Limits {
        ping_interval: Duration::from_secs(1_000),
        ..Limits::default()
    });
    let mut peer = Peer::connect_with_default_windows(&server).await;
    let hang = |timeout| {
        let FrameKind::Request(request) = one(
            "Echo",
            &Item {
                text: "hang".to_owned(),
                ..item(1)
            },
        ) else {
            unreachable!()
        };
        FrameKind::Request(Request {
            timeout_us: timeout,
            ..request
        })
    };
    peer.raw.send(1, hang(20_000_000)).await;
    // More than may wait for credit, so that no call goes on.
    for id in 2..=60 {
        peer.call(id, "Echo", &blob(100_000)).await;
    }
    loop {
        match peer.next().await {
            (1, Said::Ended(code, _)) => {
                assert_eq!(code, Code::DeadlineExceeded);
                break;
            }
            (_, Said::Answer(_) | Said::Ended(Code::ResourceExhausted, _)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(Traces::get(&traces.dropped), Traces::get(&traces.started));
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_answers_that_wait_for_their_clients_credit() {
    let (server, traces) = server(Limits::default());
    let mut peer = Peer::connect_with_default_windows(&server).await;
    for id in 1..=15 {
        peer.call(id, "Echo", &blob(100_000)).await;
    }
    until("all have run", || Traces::get(&traces.dropped) == 15).await;
    let stopping = tokio::spawn(async move { server.shutdown().await });
    for _ in 0..11 {
        assert!(matches!(peer.next().await, (_, Said::Answer(_))));
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!stopping.is_finished());
    peer.credit(0, 1 << 20).await;
    for _ in 0..4 {
        assert!(matches!(peer.next().await, (_, Said::Answer(_))));
    }
    assert_eq!(peer.raw.closed().await.0, 1012);
    stopping.await.unwrap();
}

#[tokio::test]
async fn what_the_streams_of_one_connection_have_read_takes_at_most_64_mib_of_decoded_messages_together() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    // 400 KB, which may become 14.4 MB: empty lines, two bytes on the wire, a whole struct in memory.
    let bomb = || {
        FrameKind::Data(Data {
            body: [0x22, 0x00].repeat(200_000).into(),
            ..Data::default()
        })
    };
    for id in 1..=6 {
        peer.open(id, "Keep").await;
        peer.raw.send(id, bomb()).await;
    }
    let mut refused = Vec::new();
    while refused.len() < 2 {
        match peer.next().await {
            (id, Said::Ended(code, text)) => {
                assert_eq!(code, Code::ResourceExhausted);
                assert_eq!(text, "the streams of this connection take too much memory");
                refused.push(id);
            }
            (_, Said::Stop) => {}
            other => panic!("{other:?}"),
        }
    }
    until("four are kept", || Traces::get(&traces.read) == 4).await;
    // One that is given up makes room for another.
    let kept = (1..=6).find(|id| !refused.contains(id)).unwrap();
    peer.reset(kept).await;
    peer.open(7, "Keep").await;
    peer.raw.send(7, bomb()).await;
    until("another is kept", || Traces::get(&traces.read) == 5).await;
}
