//! What a hostile client cannot make a server hold or do, in calls that stream.

use std::time::Duration;

use rpc_protocol::{
    FrameKind,
    frame::{AnnouncedLimits, Data, Request},
};
use rpc_runtime::{CallError, Client, CloseCode, Code, Limits, Outgoing, Server, ServerLimits, Streaming};
use tokio::net::TcpListener;
use tower::layer::util::Identity;

use super::{
    service::{FlowGateway, Item, Traces, item, method, server, server_within},
    wire::{Peer, Said, one, peers},
};
use crate::probe::until;

fn counting(number: u64, length: usize) -> Item {
    Item {
        number,
        blob: vec![7; length].into(),
        ..Item::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_stream_that_its_client_cannot_take_is_over_only_when_its_task_has_ended() {
    let (server, traces) = server(Limits::default());
    let mut peer = Peer::connect_with_default_windows(&server).await;
    let limits = AnnouncedLimits {
        max_body_bytes: 1_000,
        ..AnnouncedLimits::default()
    };
    peer.greet(limits).await;
    for id in 1..=200 {
        peer.call(id, "CountApart", &counting(1_000, 2_000)).await;
        assert!(matches!(peer.said(id).await, Said::Opened(_)));
        assert_eq!(peer.ended(id).await, Code::ResourceExhausted);
        assert_eq!(Traces::get(&traces.dropped) as u64, id);
    }
}

#[tokio::test]
async fn a_stream_on_a_task_of_its_own_holds_no_more_than_any_other_for_a_client_that_gives_no_credit() {
    let (server, traces) = server(Limits::default());
    let mut peer = Peer::connect_with_default_windows(&server).await;
    // The streams' windows are what holds them back.
    peer.credit(0, 1 << 40).await;
    for id in 1..=4 {
        peer.call(id, "CountApart", &counting(1_000, 120_000)).await;
        assert_eq!(peer.said(id).await, Said::Opened(Default::default()));
        // The third goes below the stream's window.
        for _ in 0..3 {
            assert!(matches!(peer.said(id).await, Said::Item(_)));
        }
    }
    for id in 5..100 {
        peer.expect_silence(id).await;
    }
    // Of each: three that were sent, one that waits to be, one that waits for that, and one that waits for room.
    let produced = Traces::get(&traces.produced);
    assert!(produced <= 4 * 6, "{produced} items of 120 KB were made");
    for id in 1..=4 {
        peer.reset(id).await;
    }
    until("they are dropped", || Traces::get(&traces.dropped) == 99).await;
}

#[tokio::test(start_paused = true)]
async fn streams_of_long_messages_that_nobody_reads_leave_room_for_calls_that_are_answered_once() {
    let limits = Limits::default();
    let queued = limits.queued_bytes;
    let (server, traces) = server(limits);
    let mut peer = Peer::connect_with_default_windows(&server).await;
    // The streams' windows are what holds them back.
    peer.credit(0, 1 << 40).await;
    let streams = 60;
    for id in 1..=streams {
        peer.call(id, "Count", &counting(1_000, 900_000)).await;
    }
    // What their windows let through; the rest waits.
    let quiet = Duration::from_secs(5);
    while tokio::time::timeout(quiet, peer.raw.frame()).await.is_ok() {}
    let made = Traces::get(&traces.produced) * 900_000;
    assert!((queued / 2..queued).contains(&made), "{made} bytes were made");
    for id in streams + 1..=streams + 30 {
        peer.call(id, "Echo", &item(id)).await;
        // Past what the streams have sent as far as their windows go.
        let answer = loop {
            let frame = peer.raw.frame().await.expect("an answer");
            if frame.stream_id > streams {
                break frame;
            }
        };
        assert_eq!(answer.stream_id, id);
        assert!(matches!(answer.kind, FrameKind::Response(_)), "{answer:?}");
    }
    for id in 1..=streams {
        peer.reset(id).await;
    }
    // Those that had begun; the others had their streams' slots only.
    until("all that had begun are dropped", || {
        Traces::get(&traces.dropped) >= made / 900_000
    })
    .await;
}

#[tokio::test]
async fn what_streams_behind_layers_have_read_counts_as_much_as_without_layers() {
    let gateway = FlowGateway::default();
    let traces = gateway.traces.clone();
    let server = Server::builder()
        .service(gateway)
        .layer(Identity::new())
        .build()
        .unwrap();
    let mut peer = Peer::connect(&server).await;
    // 400 KB, which may become 14.4 MB.
    for id in 1..=8 {
        peer.open(id, "Keep").await;
        let bomb = Data {
            body: [0x22, 0x00].repeat(200_000).into(),
            ..Data::default()
        };
        peer.raw.send(id, FrameKind::Data(bomb)).await;
    }
    let mut refused = 0;
    while refused < 4 {
        match peer.next().await {
            (_, Said::Ended(code, _)) => {
                assert_eq!(code, Code::ResourceExhausted);
                refused += 1;
            }
            (_, Said::Stop) => {}
            other => panic!("{other:?}"),
        }
    }
    until("four are kept", || Traces::get(&traces.read) == 4).await;
}

#[tokio::test]
async fn deadlines_of_a_microsecond_and_of_ages_are_kept() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    let hang = Item {
        text: "hang".to_owned(),
        ..Item::default()
    };
    for (id, (name, timeout_us)) in [("Echo", 1), ("Count", 1), ("Echo", u64::MAX), ("Count", u64::MAX)]
        .into_iter()
        .enumerate()
    {
        let id = id as u64 + 1;
        let FrameKind::Request(request) = one(name, &hang) else {
            unreachable!()
        };
        peer.raw
            .send(
                id,
                FrameKind::Request(Request {
                    timeout_us,
                    ..request
                }),
            )
            .await;
        if timeout_us == 1 {
            loop {
                match peer.said(id).await {
                    Said::Opened(_) => {}
                    Said::Ended(code, _) => break assert_eq!(code, Code::DeadlineExceeded),
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    until("all run", || Traces::get(&traces.started) == 4).await;
    peer.reset(3).await;
    peer.reset(4).await;
    until("all are dropped", || Traces::get(&traces.dropped) == 4).await;
}

#[tokio::test]
async fn resets_in_every_state_free_everything_and_nothing_more_is_sent() {
    let limits = Limits {
        resets: 100_000,
        ..Limits::default()
    };
    let (_server, mut peer, traces) = peers(limits).await;
    let kinds = [
        "Sum",
        "SumApart",
        "Mirror",
        "MirrorApart",
        "Talk",
        "TalkApart",
        "Ignore",
    ];
    let (mut id, mut opened) = (0, 0);
    for round in 0..40_u64 {
        for kind in kinds {
            for state in 0..5 {
                id += 1;
                opened += 1;
                peer.open(id, kind).await;
                match state {
                    0 => {}
                    1 => peer.item(id, &item(round)).await,
                    2 => {
                        let part = Data {
                            more: true,
                            body: vec![0x0a; 2_000].into(),
                            ..Data::default()
                        };
                        peer.raw.send(id, FrameKind::Data(part)).await;
                    }
                    3 => {
                        peer.item(id, &item(round)).await;
                        peer.end(id).await;
                    }
                    // Twice.
                    _ => peer.reset(id).await,
                }
                peer.reset(id).await;
            }
        }
        // Those that were answered before their reset came have said so; after it nothing is said of them.
        id += 1;
        peer.call(id, "Echo", &item(id)).await;
        loop {
            let (at, said) = peer.next().await;
            if at == id {
                assert_eq!(said, Said::Answer(item(id)));
                break;
            }
        }
        let all = opened + usize::try_from(round).unwrap() + 1;
        // Spawned ones have to be begun to be ended, so that some are never heard of.
        until("all slots are free", || {
            Traces::get(&traces.started) == Traces::get(&traces.dropped)
                && Traces::get(&traces.closed) == Traces::get(&traces.dropped)
        })
        .await;
        assert!(Traces::get(&traces.started) <= all);
    }
    until("spawned work has seen the end", || {
        Traces::get(&traces.cancelled) == Traces::get(&traces.started)
    })
    .await;
    // All slots are free: as many as there are can be taken.
    for at in 1..=100 {
        peer.open(id + at, "Ignore").await;
    }
    id += 101;
    peer.open(id, "Ignore").await;
    assert_eq!(peer.ended(id).await, Code::ResourceExhausted);
}

#[tokio::test]
async fn resets_of_requests_that_decode_elsewhere_free_their_slots_once_the_decoding_has_ended() {
    let limits = Limits {
        inline_elements: 10,
        resets: 100_000,
        ..Limits::default()
    };
    let (_server, mut peer, traces) = peers(limits).await;
    // Nothing comes back: this peer does not read while it floods.
    let many = Request {
        method: method("Tell").number,
        one_way: true,
        body: [0x22, 0x00].repeat(10_000).into(),
        ..Request::default()
    };
    let mut id = 0;
    for _ in 0..10 {
        for _ in 0..50 {
            id += 1;
            peer.raw.send(id, FrameKind::Request(many.clone())).await;
            peer.reset(id).await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Whatever slots were not free were refused; in the end all are.
    let mut free = 0;
    while free < 100 {
        id += 1;
        peer.open(id, "Ignore").await;
        let mark = id + 1;
        id += 1;
        peer.call(mark, "Echo", &item(0)).await;
        let mut refused = false;
        loop {
            match peer.next().await {
                (at, Said::Ended(Code::ResourceExhausted, _)) if at == mark - 1 => refused = true,
                (at, said) if at == mark => {
                    if free == 99 {
                        // The last slot is taken.
                        assert!(
                            matches!(said, Said::Ended(Code::ResourceExhausted, _)),
                            "{said:?}"
                        );
                    }
                    break;
                }
                _ => {}
            }
        }
        if refused {
            tokio::time::sleep(Duration::from_millis(50)).await;
        } else {
            free += 1;
        }
    }
    until("what ran was dropped", || {
        Traces::get(&traces.started) == Traces::get(&traces.dropped) + 100
    })
    .await;
}

#[tokio::test]
async fn clean_up_that_never_ends_stops_its_own_connections_calls_and_no_others() {
    let limits = Limits {
        streams: 10,
        ..Limits::default()
    };
    let (server, mut peer, traces) = peers(limits).await;
    let mut refused = 0;
    for id in 1..=300 {
        peer.call(id, "Litter", &item(id)).await;
        match peer.said(id).await {
            Said::Answer(_) => {}
            Said::Ended(Code::ResourceExhausted, _) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    let started = Traces::get(&traces.started);
    assert_eq!((started, refused), (101, 199));
    let mut other = Peer::connect(&server).await;
    other.call(1, "Echo", &item(1)).await;
    assert_eq!(other.said(1).await, Said::Answer(item(1)));
    traces.release.notify_waiters();
    until("all is cleaned up", || Traces::get(&traces.closed) >= 101).await;
    peer.call(301, "Echo", &item(3)).await;
    assert_eq!(peer.said(301).await, Said::Answer(item(3)));
}

#[tokio::test]
async fn sessions_that_outlive_their_clients_take_the_places_of_connections_until_they_are_over() {
    let limits = Limits {
        streams: 4,
        session_grace: Duration::from_secs(600),
        ..Limits::default()
    };
    let server_limits = ServerLimits {
        connections: 2,
        ..ServerLimits::default()
    };
    let (server, traces) = server_within(limits, server_limits);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/rpc", listener.local_addr().unwrap());
    let serving = server.clone();
    tokio::spawn(async move {
        serving
            .serve_with_listener(listener, std::future::pending())
            .await
    });
    for round in 1..=2 {
        let client = Client::connect(&url).await.unwrap();
        for _ in 0..4 {
            let client = client.clone();
            tokio::spawn(async move {
                let run = async |_: Outgoing<Item>, mut input: Streaming<Item>| {
                    while input.message().await?.is_some() {}
                    Ok(())
                };
                client.session(method("Linger"), run).await
            });
        }
        until("all are open", || Traces::get(&traces.started) == 4 * round).await;
        client.close(CloseCode::Normal, "gone");
        until("the client is gone", || server.connections() == 0).await;
    }
    let ended = || {
        traces
            .log
            .lock()
            .unwrap()
            .iter()
            .filter(|line| *line == "output closed")
            .count()
    };
    until("all have seen that", || ended() == 8).await;
    match Client::connect(&url).await {
        Err(CallError::Refused(refused)) => assert_eq!(refused.http_status(), Some(503)),
        other => panic!("not refused: {other:?}"),
    }
    traces.release.notify_waiters();
    until("they are over", || Traces::get(&traces.dropped) == 8).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    Client::connect(&url).await.unwrap();
}
