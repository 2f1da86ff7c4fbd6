//! What each kind of call does when all goes well, and what is said beside the messages.

use rpc_protocol::{
    FrameKind,
    frame::{Data, Request},
};
use rpc_runtime::{Code, Limits, Metadata};

use super::{
    service::{Item, Traces, item},
    wire::{Said, one, open, peers},
};

#[tokio::test]
async fn a_server_streaming_call_opens_gives_its_items_in_order_and_ends() {
    for name in ["Count", "CountApart"] {
        let (_server, mut peer, _) = peers(Limits::default()).await;
        peer.call(1, name, &item(100)).await;
        assert_eq!(peer.said(1).await, Said::Opened(Metadata::new()));
        for number in 0..100 {
            assert_eq!(peer.said(1).await, Said::Item(item(number)), "{name}");
        }
        assert_eq!(peer.said(1).await, Said::Ended(Code::Ok, String::new()));
    }
}

#[tokio::test]
async fn a_client_streaming_call_reads_to_the_end_and_answers_once() {
    for name in ["Sum", "SumApart"] {
        let (_server, mut peer, _) = peers(Limits::default()).await;
        peer.open(1, name).await;
        for number in 1..=1_000 {
            peer.item(1, &item(number)).await;
        }
        peer.end(1).await;
        assert_eq!(peer.said(1).await, Said::Answer(item(500_500)), "{name}");
        peer.expect_silence(2).await;
    }
}

#[tokio::test]
async fn a_client_streaming_call_may_answer_before_its_requests_have_ended_and_what_comes_is_ignored() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    peer.open(1, "Ignore").await;
    peer.item(1, &item(1)).await;
    traces.release.notify_one();
    assert_eq!(peer.said(1).await, Said::Answer(item(7)));
    peer.item(1, &item(2)).await;
    peer.end(1).await;
    peer.expect_silence(2).await;
}

#[tokio::test]
async fn a_bidirectional_call_answers_each_item_and_ends_with_its_client() {
    for name in ["Mirror", "MirrorApart", "Talk", "TalkApart"] {
        let (_server, mut peer, _) = peers(Limits::default()).await;
        peer.open(1, name).await;
        assert_eq!(peer.said(1).await, Said::Opened(Metadata::new()));
        for number in 1..=100 {
            peer.item(1, &item(number)).await;
            assert_eq!(peer.said(1).await, Said::Item(item(number)), "{name}");
        }
        peer.end(1).await;
        if name.starts_with("Talk") {
            assert_eq!(peer.said(1).await, Said::Item(item(99)), "{name}");
        }
        assert_eq!(peer.ended(1).await, Code::Ok, "{name}");
    }
}

#[tokio::test]
async fn many_calls_of_all_kinds_run_at_a_time_on_one_connection() {
    let (_server, mut peer, _) = peers(Limits::default()).await;
    for id in 1..=90 {
        match id % 3 {
            0 => peer.call(id, "Count", &item(10)).await,
            1 => peer.open(id, "Mirror").await,
            _ => peer.open(id, "Sum").await,
        }
    }
    for round in 0..10 {
        for id in (1..=90).filter(|id| id % 3 != 0) {
            peer.item(id, &item(round)).await;
        }
    }
    for id in (1..=90).filter(|id| id % 3 != 0) {
        peer.end(id).await;
    }
    let (mut items, mut ended) = (vec![0; 91], 0);
    while ended < 90 {
        match peer.next().await {
            (id, Said::Item(item)) => {
                assert_eq!(item.number, items[id as usize], "in order");
                items[id as usize] += 1;
            }
            (_, Said::Opened(_)) => {}
            (id, Said::Answer(item)) => {
                assert_eq!((id % 3, item.number), (2, 45));
                ended += 1;
            }
            (id, Said::Ended(code, _)) => {
                assert_eq!((code, items[id as usize]), (Code::Ok, 10));
                ended += 1;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_call_of_the_wrong_kind_is_invalid_and_told_what_the_method_takes() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    for (id, name) in [(1, "Sum"), (2, "Mirror"), (3, "Talk")] {
        peer.raw.send(id, one(name, &item(1))).await;
        match peer.said(id).await {
            Said::Ended(Code::InvalidArgument, text) => assert!(text.contains("takes a stream"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
    for (id, name) in [(4, "Echo"), (5, "Count")] {
        peer.raw.send(id, open(name)).await;
        peer.item(id, &item(1)).await;
        match peer.said(id).await {
            Said::Ended(Code::InvalidArgument, text) => assert!(text.contains("takes one request"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(Traces::get(&traces.started), 0);
    peer.expect_silence(6).await;
}

#[tokio::test]
async fn an_item_that_breaks_a_rule_or_does_not_decode_ends_the_call_and_32_of_the_latter_the_connection() {
    let (_server, mut peer, _) = peers(Limits::default()).await;
    peer.open(1, "Sum").await;
    let broken = Item {
        text: "x".repeat(101),
        ..Item::default()
    };
    peer.item(1, &broken).await;
    match peer.said(1).await {
        Said::Ended(Code::InvalidArgument, text) => assert!(text.contains("text: must be at most"), "{text}"),
        other => panic!("{other:?}"),
    }
    let garbage = || {
        FrameKind::Data(Data {
            body: vec![0xff].into(),
            ..Data::default()
        })
    };
    for id in 2..=33 {
        peer.open(id, "Sum").await;
        peer.raw.send(id, garbage()).await;
        assert_eq!(peer.ended(id).await, Code::InvalidArgument);
    }
    peer.open(34, "Sum").await;
    peer.raw.send(34, garbage()).await;
    assert_eq!(peer.raw.closed().await.0, 4429);
}

/// Frames of a call: the initial metadata, and the trailers with the code.
async fn beside(name: &str, text: &str) -> (Metadata, Metadata, Code) {
    let (_server, mut peer, _) = peers(Limits::default()).await;
    let request = Item {
        text: text.to_owned(),
        ..Item::default()
    };
    match name {
        "AsideSession" => {
            peer.open(1, name).await;
            peer.end(1).await;
        }
        _ => peer.call(1, name, &request).await,
    }
    let mut initial = Metadata::new();
    loop {
        match peer.raw.frame().await.expect("an answer").kind {
            FrameKind::Response(response) if response.open => initial = response.metadata.into(),
            FrameKind::Response(response) => {
                return (response.metadata.into(), response.trailers.into(), Code::Ok);
            }
            FrameKind::End(end) => {
                return (
                    initial,
                    end.trailers.into(),
                    end.status.unwrap_or_default().code(),
                );
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn metadata_is_sent_ahead_and_behind_of_every_kind_of_answer() {
    for (name, last) in [("Aside", false), ("AsideStream", true), ("AsideSession", true)] {
        let (initial, trailers, code) = beside(name, "").await;
        assert_eq!(code, Code::Ok);
        assert_eq!(initial.get("ahead"), Some("of it"), "{name}");
        assert_eq!(initial.get_bin("ahead-bin"), Some(&[1, 2][..]), "{name}");
        assert_eq!(trailers.get("behind"), Some("it"), "{name}");
        assert_eq!(trailers.get("last").is_some(), last, "{name}");
    }
}

#[tokio::test]
async fn of_a_call_that_fails_all_metadata_that_was_not_sent_comes_with_its_status() {
    let (_, trailers, code) = beside("Aside", "fail").await;
    assert_eq!(code, Code::DataLoss);
    assert_eq!(trailers.get("ahead"), Some("of it"));
    assert_eq!(trailers.get("behind"), Some("it"));
    let (initial, trailers, code) = beside("AsideStream", "fail").await;
    assert_eq!(code, Code::DataLoss);
    assert_eq!(
        (initial.get("ahead"), trailers.get("ahead")),
        (Some("of it"), None)
    );
    assert_eq!(trailers.get("last"), Some("words"));
}

#[tokio::test]
async fn the_greeting_tells_all_limits() {
    let limits = Limits {
        streams: 7,
        body_bytes: 3 << 20,
        stream_window: 512 << 10,
        connection_window: 2 << 20,
        pending_bytes: 32 << 20,
        frame_body_bytes: 64 << 10,
        metadata_entries: 5,
        metadata_bytes: 500,
        opens: 1_000,
        resets: 20,
        ..Limits::default()
    };
    let (_server, peer, _) = peers(limits).await;
    let told = peer.greeting.limits.expect("limits");
    assert_eq!((told.max_streams, told.max_body_bytes), (7, 3 << 20));
    assert_eq!(
        (told.stream_window_bytes, told.connection_window_bytes),
        (512 << 10, 2 << 20)
    );
    assert_eq!(
        (told.max_pending_bytes, told.max_frame_body_bytes),
        (32 << 20, 64 << 10)
    );
    assert_eq!((told.max_metadata_entries, told.max_metadata_bytes), (5, 500));
    assert_eq!((told.max_opens, told.max_resets), (1_000, 20));
    assert_eq!(told.idle_timeout_us, 24 * 60 * 60 * 1_000_000);
}

#[tokio::test]
async fn metadata_over_the_limits_is_refused_and_the_connection_lives() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    for (id, count, length) in [(1, 129, 1), (2, 2, 10_000)] {
        let FrameKind::Request(request) = one("Echo", &item(1)) else {
            unreachable!()
        };
        let mut metadata = Metadata::new();
        for _ in 0..count {
            metadata.append("key", "x".repeat(length));
        }
        let metadata = metadata
            .get_all("key")
            .map(|value| rpc_protocol::frame::Metadata::text("key", value))
            .collect();
        peer.raw
            .send(id, FrameKind::Request(Request { metadata, ..request }))
            .await;
        assert_eq!(peer.ended(id).await, Code::ResourceExhausted);
    }
    assert_eq!(Traces::get(&traces.started), 0);
    peer.expect_silence(3).await;
}
