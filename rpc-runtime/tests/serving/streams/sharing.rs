//! How calls of one connection share it: counted in frames and turns, never in time.

use rpc_protocol::FrameKind;
use rpc_runtime::{Limits, prost::Message as _};

use super::{
    service::{Item, Traces, item, server},
    wire::{Peer, Said, peers},
};

fn counting(number: u64, length: usize) -> Item {
    Item {
        number,
        blob: vec![7; length].into(),
        ..Item::default()
    }
}

#[tokio::test]
async fn beside_a_stream_of_64_mib_every_other_call_is_answered_within_what_waits_for_the_socket() {
    let (server, _) = server(Limits::default());
    let mut peer = Peer::connect_with_default_windows(&server).await;
    const ITEMS: u64 = 1024;
    // 64 KiB each.
    peer.call(1, "Count", &counting(ITEMS, 64 << 10)).await;
    assert!(matches!(peer.said(1).await, Said::Opened(_)));
    let (mut taken, mut asked, mut most) = (0, 2, 0);
    let mut since = 0;
    peer.call(asked, "Echo", &item(asked)).await;
    while taken < ITEMS {
        match peer.next().await {
            (1, Said::Item(item)) => {
                assert_eq!(item.number, taken);
                taken += 1;
                since += item.encoded_len();
                let credit = (item.encoded_len() + rpc_protocol::DATA_FRAME_COST) as u64;
                peer.credit(1, credit).await;
                peer.credit(0, credit).await;
            }
            (id, said) => {
                assert_eq!((id, said), (asked, Said::Answer(item(asked))));
                most = most.max(since);
                since = 0;
                asked += 1;
                peer.call(asked, "Echo", &item(asked)).await;
            }
        }
    }
    assert!(asked > 64, "{asked} calls were answered beside the stream");
    // The window, in which the stream is ahead of its reader, and what waits for the socket.
    assert!(
        most <= 512 << 10,
        "{most} bytes of the stream came before an answer"
    );
}

#[tokio::test]
async fn two_streams_take_turns() {
    let (_server, mut peer, _) = peers(Limits::default()).await;
    peer.call(1, "Count", &counting(2_000, 1_000)).await;
    peer.call(2, "Count", &counting(2_000, 1_000)).await;
    let (mut taken, mut ended) = ([0_u64; 3], 0);
    while ended < 2 {
        match peer.next().await {
            (id, Said::Item(item)) => {
                assert_eq!(item.number, taken[id as usize]);
                taken[id as usize] += 1;
                // Until one has ended, neither is more than a few shares of 16 items ahead of the other.
                if ended == 0 && taken.iter().all(|taken| *taken < 2_000) && taken[1] > 100 && taken[2] > 100
                {
                    let ahead = taken[1].abs_diff(taken[2]);
                    assert!(ahead <= 64, "{taken:?}");
                }
            }
            (_, Said::Ended(..)) => ended += 1,
            (_, Said::Opened(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(taken, [0, 2_000, 2_000]);
}

#[tokio::test]
async fn a_stream_of_small_items_writes_no_more_than_a_share_before_a_call_that_came_behind_it() {
    let (_server, mut peer, _) = peers(Limits::default()).await;
    // In one batch: a stream without an end in sight, and a call.
    peer.call(1, "Count", &counting(100_000, 10)).await;
    peer.call(2, "Echo", &item(5)).await;
    let mut before = 0;
    loop {
        match peer.next().await {
            (1, Said::Item(_)) => before += 1,
            (1, Said::Opened(_)) => {}
            (id, said) => {
                assert_eq!((id, said), (2, Said::Answer(item(5))));
                break;
            }
        }
    }
    // A turn may have passed between the two messages, which the test sends one by one.
    assert!(before <= 64 * 1024 / 10, "{before} items came before the answer");
    peer.reset(1).await;
}

#[tokio::test]
async fn while_a_client_reads_nothing_its_stream_makes_no_more_than_fits_in_between() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    peer.call(1, "Count", &counting(100_000, 1_000)).await;
    // The pipe between them holds 256 KiB; everything else would have to be held by the server.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    let produced = Traces::get(&traces.produced);
    assert!(
        produced <= (256 + 64 + 32) * 1024 / 1_000,
        "{produced} items of 1,000 bytes were made"
    );
    for number in 0..100_000 {
        match peer.said(1).await {
            Said::Opened(_) => assert!(matches!(peer.said(1).await, Said::Item(_))),
            Said::Item(item) => assert_eq!(item.number, number),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(peer.said(1).await, Said::Ended(..)));
}

#[tokio::test]
async fn what_a_handler_says_to_an_item_goes_out_with_the_batch_that_brought_it() {
    let (_server, mut peer, _) = peers(Limits::default()).await;
    for id in 1..=50 {
        peer.open(id, "Mirror").await;
    }
    for id in 1..=50 {
        assert!(matches!(peer.said(id).await, Said::Opened(_)));
    }
    // One write of ours, and so one readable batch; the pipe gives all of the answers at once.
    let mut batch = Vec::new();
    for id in 1..=50 {
        let bytes = crate::raw::bytes_of(id, super::wire::data(&item(id)));
        batch.extend(crate::raw::masked(&bytes));
    }
    peer.raw.write(&batch).await;
    for id in 1..=50 {
        match peer.raw.frame().await.expect("an item") {
            frame if frame.stream_id == id => assert!(matches!(frame.kind, FrameKind::Data(_))),
            other => panic!("{other:?}"),
        }
    }
}
