//! Programs that do not read what they have subscribed to: it costs them a bounded inbox, and others nothing.

use rpc_runtime::{
    ClientLimits,
    hub::client::{GapCause, ReceivedKind},
};

use crate::{
    common::settle,
    typed::{Calls, Counted, gap, hub_of, in_memory, next, numbers, publish, silent},
};

fn few() -> ClientLimits {
    ClientLimits {
        unread_events: 10,
        ..ClientLimits::default()
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_read_is_asked_for_again_and_nothing_is_missed() {
    let hub = hub_of(10_000);
    let server = in_memory(&hub);
    let calls = Calls::default();
    let client = calls.client(&server, few());
    let mut slow = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    let mut other = client.hub().subscribe::<Counted>("log:b").await.unwrap();
    for number in 0..100 {
        publish(&hub, "log:a", [number]).await;
        publish(&hub, "log:b", [number]).await;
        // Another channel goes on, and so does the connection.
        assert_eq!(numbers(&mut other, 1).await, [number]);
        assert!(slow.unread() <= 10);
    }
    assert_eq!(calls.count("Subscribe"), 2);
    let expected: Vec<_> = (0..100).collect();
    assert_eq!(numbers(&mut slow, 100).await, expected);
    assert!(calls.count("Subscribe") > 2);
    publish(&hub, "log:a", [100]).await;
    let live = next(&mut slow).await;
    assert_eq!((live.event.number, live.kind), (100, ReceivedKind::Live));
    silent(&mut slow).await;
}

#[tokio::test(start_paused = true)]
async fn what_history_has_no_more_when_it_is_read_on_is_one_gap() {
    let hub = hub_of(20);
    let server = in_memory(&hub);
    let client = Calls::default().client(&server, few());
    let mut slow = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    publish(&hub, "log:a", 0..1_000).await;
    settle().await;
    let expected: Vec<_> = (0..10).collect();
    assert_eq!(numbers(&mut slow, 10).await, expected);
    let gap = gap(&mut slow).await;
    assert_eq!(gap.cause, GapCause::NotRecovered);
    assert_eq!((gap.last.unwrap().offset, gap.next.unwrap().offset), (10, 1_000));
    publish(&hub, "log:a", [1_000]).await;
    assert_eq!(numbers(&mut slow, 1).await, [1_000]);
    silent(&mut slow).await;
}

#[tokio::test(start_paused = true)]
async fn without_history_the_gap_says_how_many_were_not_read() {
    let hub = hub_of(20);
    let server = in_memory(&hub);
    let client = Calls::default().client(&server, few());
    let mut slow = client.hub().subscribe::<Counted>("wire:a").await.unwrap();
    publish(&hub, "wire:a", 0..100).await;
    settle().await;
    assert_eq!(slow.unread(), 10);
    assert_eq!(numbers(&mut slow, 10).await.len(), 10);
    let gap = gap(&mut slow).await;
    assert_eq!((gap.cause, gap.missed), (GapCause::NotRead, Some(90)));
    publish(&hub, "wire:a", [100]).await;
    assert_eq!(numbers(&mut slow, 1).await, [100]);
}

#[tokio::test(start_paused = true)]
async fn bytes_bound_what_waits_as_well() {
    let hub = hub_of(10_000);
    let server = in_memory(&hub);
    let limits = ClientLimits {
        unread_event_bytes: 1_000,
        ..ClientLimits::default()
    };
    let client = Calls::default().client(&server, limits);
    let mut slow = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    publish(&hub, "log:a", 0..50).await;
    settle().await;
    assert!((1..=3).contains(&slow.unread()), "{}", slow.unread());
    let expected: Vec<_> = (0..50).collect();
    assert_eq!(numbers(&mut slow, 50).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_slow_one_beside_a_fast_one_of_the_same_channel_holds_nobody_up() {
    let hub = hub_of(10_000);
    let server = in_memory(&hub);
    let client = Calls::default().client(&server, few());
    let mut slow = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    let mut fast = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    for number in 0..60 {
        publish(&hub, "log:a", [number]).await;
        assert_eq!(numbers(&mut fast, 1).await, [number]);
        if number == 30 {
            // It comes back while neither of them has read all.
            server.disconnect_all().await;
        }
    }
    let expected: Vec<_> = (0..60).collect();
    assert_eq!(numbers(&mut slow, 60).await, expected);
    silent(&mut slow).await;
    silent(&mut fast).await;
}
