//! How calls end before their time, and that nothing of them is left.

use std::{sync::Arc, time::Duration};

use rpc_protocol::{FrameKind, frame::Request};
use rpc_runtime::{Code, Limits};

use super::{
    service::{Item, Traces, item, server},
    wire::{Peer, Said, one, peers},
};
use crate::probe::until;

/// Every kind of call that hangs, with what opens it.
const KINDS: [&str; 8] = [
    "Echo",
    "Count",
    "CountApart",
    "Sum",
    "SumApart",
    "Mirror",
    "MirrorApart",
    "TalkApart",
];

fn with_text(text: &str) -> Item {
    Item {
        text: text.to_owned(),
        ..item(1)
    }
}

/// Begins a call and has its handler do what `text` says.
async fn begin(peer: &mut Peer, id: u64, name: &str, text: &str) {
    match name {
        "Echo" | "Count" | "CountApart" | "Aside" => peer.call(id, name, &with_text(text)).await,
        _ => {
            peer.open(id, name).await;
            peer.item(id, &with_text(text)).await;
        }
    }
}

/// Waits until nothing is left of so many calls: futures and streams dropped, clean-up run, spawned work told.
async fn until_gone(traces: &Arc<Traces>, calls: usize) {
    until("handlers are dropped", || Traces::get(&traces.dropped) == calls).await;
    until("clean-up has run", || Traces::get(&traces.closed) == calls).await;
    until("spawned work is told", || Traces::get(&traces.cancelled) == calls).await;
}

#[tokio::test]
async fn a_reset_drops_the_handler_at_once_runs_its_clean_up_tells_its_spawned_work_and_nothing_more_is_sent()
{
    for name in KINDS {
        let (_server, mut peer, traces) = peers(Limits::default()).await;
        begin(&mut peer, 1, name, "hang").await;
        until("it runs", || Traces::get(&traces.started) == 1).await;
        // Let what it says before it hangs be read.
        if name.starts_with("Count") {
            assert!(matches!(peer.said(1).await, Said::Opened(_)));
            assert_eq!(peer.said(1).await, Said::Item(item(0)));
        } else if name.starts_with("Mirror") || name.starts_with("Talk") {
            assert!(matches!(peer.said(1).await, Said::Opened(_)));
        }
        peer.reset(1).await;
        until_gone(&traces, 1).await;
        peer.expect_silence(2).await;
    }
}

#[tokio::test]
async fn the_handler_of_a_reset_call_is_dropped_before_the_next_message_is_looked_at() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    for id in 1..=50 {
        peer.open(id, "Sum").await;
        peer.reset(id).await;
    }
    peer.expect_silence(51).await;
    assert_eq!(
        Traces::get(&traces.dropped),
        51,
        "50 of them, and the last call itself"
    );
}

#[tokio::test]
async fn a_disconnect_drops_every_handler_and_runs_its_clean_up() {
    let (server, mut peer, traces) = peers(Limits::default()).await;
    for (id, name) in (1..).zip(KINDS) {
        begin(&mut peer, id, name, "hang").await;
    }
    until("all run", || Traces::get(&traces.started) == KINDS.len()).await;
    drop(peer);
    until("it is gone", || server.connections() == 0).await;
    until_gone(&traces, KINDS.len()).await;
}

#[tokio::test]
async fn a_deadline_drops_every_kind_of_handler_and_sends_exactly_one_end() {
    for name in KINDS {
        let (_server, mut peer, traces) = peers(Limits::default()).await;
        let mut request = match one(name, &with_text("hang")) {
            FrameKind::Request(request) => request,
            _ => unreachable!(),
        };
        request.timeout_us = 30_000;
        if !matches!(name, "Echo" | "Count" | "CountApart") {
            request.open = true;
            request.body.clear();
        }
        let open = request.open;
        peer.raw.send(1, FrameKind::Request(Request { ..request })).await;
        if open {
            peer.item(1, &with_text("hang")).await;
        }
        let code = loop {
            match peer.said(1).await {
                Said::Ended(code, _) => break code,
                Said::Opened(_) | Said::Item(_) => {}
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(code, Code::DeadlineExceeded, "{name}");
        until_gone(&traces, 1).await;
        peer.expect_silence(2).await;
    }
}

#[tokio::test]
async fn the_methods_own_deadline_ends_its_stream() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    peer.call(1, "Late", &with_text("hang")).await;
    assert!(matches!(peer.said(1).await, Said::Opened(_)));
    assert_eq!(peer.said(1).await, Said::Item(item(0)));
    assert_eq!(peer.ended(1).await, Code::DeadlineExceeded);
    until_gone(&traces, 1).await;
}

#[tokio::test]
async fn a_panic_ends_its_call_with_internal_and_siblings_live() {
    for name in KINDS {
        let (_server, mut peer, traces) = peers(Limits::default()).await;
        begin(&mut peer, 1, "Mirror", "").await;
        assert!(matches!(peer.said(1).await, Said::Opened(_)));
        assert!(matches!(peer.said(1).await, Said::Item(_)));
        begin(&mut peer, 2, name, "panic").await;
        let text = loop {
            match peer.said(2).await {
                Said::Ended(Code::Internal, text) => break text,
                Said::Opened(_) | Said::Item(_) | Said::Stop => {}
                other => panic!("{other:?}"),
            }
        };
        assert!(text.starts_with("internal error, logged under call"), "{text}");
        until_gone(&traces, 1).await;
        peer.item(1, &item(5)).await;
        assert_eq!(peer.said(1).await, Said::Item(item(5)), "{name}");
    }
}

#[tokio::test]
async fn a_failure_ends_its_call_with_its_status_behind_what_was_sent() {
    for name in KINDS {
        let (_server, mut peer, traces) = peers(Limits::default()).await;
        begin(&mut peer, 1, name, "fail").await;
        let mut items = 0;
        loop {
            match peer.said(1).await {
                Said::Ended(code, text) => {
                    assert_eq!((code, text.as_str()), (Code::DataLoss, "as told"));
                    break;
                }
                // On a task of its own, a handler has dropped its input before its failure is known.
                Said::Opened(_) | Said::Stop => {}
                Said::Item(_) => items += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(items, usize::from(name.starts_with("Count")), "{name}");
        until_gone(&traces, 1).await;
        peer.expect_silence(2).await;
    }
}

#[tokio::test]
async fn a_call_that_goes_well_leaves_nothing_either() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    peer.call(1, "Echo", &item(1)).await;
    peer.call(2, "Count", &item(1)).await;
    peer.open(3, "Sum").await;
    peer.open(4, "Talk").await;
    peer.end(3).await;
    peer.end(4).await;
    until_gone(&traces, 4).await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_drain_sends_each_running_call_exactly_one_end_and_drops_its_handler() {
    let (server, mut peer, traces) = peers(Limits::default()).await;
    let kinds = [
        "Echo",
        "Count",
        "CountApart",
        "Sum",
        "SumApart",
        "Mirror",
        "Talk",
        "TalkApart",
    ];
    for (id, name) in (1..).zip(kinds) {
        begin(&mut peer, id, name, "hang").await;
    }
    until("all run", || Traces::get(&traces.started) == kinds.len()).await;
    let stopping = tokio::spawn(async move { server.shutdown().await });
    let mut ends = vec![0; kinds.len() + 1];
    while ends.iter().sum::<usize>() < kinds.len() {
        match peer.next().await {
            (id, Said::Ended(code, _)) => {
                assert_eq!(code, Code::Unavailable);
                ends[id as usize] += 1;
            }
            (_, Said::Opened(_) | Said::Item(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(ends[1..].iter().all(|ends| *ends == 1), "{ends:?}");
    // Nothing but the close frame follows.
    assert_eq!(peer.raw.closed().await.0, 1012);
    stopping.await.unwrap();
    assert_eq!(Traces::get(&traces.dropped), kinds.len());
    assert_eq!(
        Traces::get(&traces.closed),
        kinds.len(),
        "the stop has waited for clean-up"
    );
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_drain_ends_answers_that_wait_for_credit_and_requests_that_are_not_whole() {
    let (server, traces) = server(Limits::default());
    let long = Item {
        blob: vec![7; 100_000].into(),
        ..Item::default()
    };
    let mut peer = Peer::connect_with_default_windows(&server).await;
    for id in 1..=12 {
        peer.call(id, "Echo", &long).await;
    }
    until("all have run", || Traces::get(&traces.dropped) == 12).await;
    let FrameKind::Request(mut request) = one("Echo", &item(13)) else {
        unreachable!()
    };
    request.more = true;
    peer.raw.send(13, FrameKind::Request(request)).await;
    let stopping = tokio::spawn(async move { server.shutdown().await });
    for id in 1..=11 {
        assert!(matches!(peer.next().await, (other, Said::Answer(_)) if other == id));
    }
    for id in 12..=13 {
        let (other, said) = peer.next().await;
        assert_eq!(other, id);
        assert!(matches!(said, Said::Ended(Code::Unavailable, _)), "{said:?}");
    }
    assert_eq!(peer.raw.closed().await.0, 1012);
    stopping.await.unwrap();
}

#[tokio::test]
async fn one_way_calls_that_fail_are_counted_and_nothing_is_sent_back() {
    let (server, mut peer, traces) = peers(Limits::default()).await;
    let tell = |request: &Item| {
        let FrameKind::Request(request) = one("Tell", request) else {
            unreachable!()
        };
        FrameKind::Request(Request {
            one_way: true,
            ..request
        })
    };
    for (id, text) in [(1, ""), (2, "fail"), (3, "panic")] {
        peer.raw.send(id, tell(&with_text(text))).await;
    }
    peer.raw.send(4, tell(&with_text(&"x".repeat(101)))).await;
    let FrameKind::Request(garbage) = tell(&item(1)) else {
        unreachable!()
    };
    let garbage = Request {
        body: vec![0xff].into(),
        ..garbage
    };
    peer.raw.send(5, FrameKind::Request(garbage)).await;
    let FrameKind::Request(late) = tell(&with_text("hang")) else {
        unreachable!()
    };
    let late = Request {
        timeout_us: 20_000,
        ..late
    };
    peer.raw.send(6, FrameKind::Request(late)).await;
    until("five have failed", || server.counters().one_way_failures == 5).await;
    until_gone(&traces, 4).await;
    peer.expect_silence(7).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_place_of_a_stream_on_a_task_of_its_own_is_free_only_when_that_task_has_ended() {
    let limits = Limits {
        streams: 1,
        ..Limits::default()
    };
    let (_server, mut peer, traces) = peers(limits).await;
    for round in 0..20_u64 {
        let id = 1 + round * 1_000;
        peer.call(id, "CountApart", &with_text("hang")).await;
        until("it runs", || {
            Traces::get(&traces.started) == 1 + round as usize * 2
        })
        .await;
        peer.reset(id).await;
        // Refused until the task has ended, and the guard with it.
        'refused: for next in id + 1.. {
            peer.call(next, "Echo", &item(1)).await;
            loop {
                match peer.next().await {
                    // Was on its way when it was reset.
                    (at, Said::Opened(_) | Said::Item(_)) if at == id => {}
                    (at, Said::Ended(Code::ResourceExhausted, _)) if at == next => break,
                    (at, Said::Answer(_)) if at == next => break 'refused,
                    other => panic!("{other:?}"),
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        until("both are dropped", || {
            Traces::get(&traces.dropped) == 2 + round as usize * 2
        })
        .await;
    }
}

#[tokio::test]
async fn a_storm_of_streams_that_are_opened_and_reset_closes_with_4429() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    for id in 1..=201 {
        peer.open(id, "Mirror").await;
        peer.reset(id).await;
    }
    assert_eq!(peer.raw.closed().await.0, 4429);
    let started = Traces::get(&traces.started);
    until("all are dropped", || Traces::get(&traces.dropped) == started).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_any_use_is_closed_with_1001_though_its_peer_answers_pings() {
    let (_server, mut peer, _) = peers(Limits {
        idle_timeout: Duration::from_secs(100),
        ..Limits::default()
    })
    .await;
    peer.expect_silence(1).await;
    let began = tokio::time::Instant::now();
    while let Some(frame) = peer.raw.frame().await {
        let FrameKind::Ping(ping) = frame.kind else {
            panic!("{frame:?}")
        };
        let payload = ping.payload;
        let pong = rpc_protocol::frame::Pong { payload };
        peer.raw.send(0, FrameKind::Pong(pong)).await;
    }
    let lasted = began.elapsed().as_secs();
    assert!((100..=200).contains(&lasted), "{lasted} s");
}
