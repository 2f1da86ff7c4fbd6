//! What the typed client does when its connection is lost: every event once and in order, or a gap that says so.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rpc_runtime::{
    ClientLimits, Code, Status,
    hub::{
        Asks, Hub, Namespace, Right, SlowConsumer,
        client::{GapCause, ReceivedKind, SubscriptionError},
    },
};

use tokio::sync::mpsc;

use crate::{
    common::{Said, said, serve},
    typed::{
        Calls, Counted, gap, hearers, hub_of, in_memory, item, logs, next, numbers, publish, silent, wires,
    },
};

#[tokio::test(start_paused = true)]
async fn over_connections_that_are_cut_every_event_comes_once_and_in_order() {
    let hub = hub_of(1_000);
    let server = in_memory(&hub);
    let client = server.client();
    let mut events = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    let mut published = 0;
    for round in 0..40_u64 {
        publish(&hub, "log:a", published..published + round % 7).await;
        published += round % 7;
        server.disconnect_all().await;
        publish(&hub, "log:a", published..published + round % 5).await;
        published += round % 5;
        if round % 3 == 0 {
            client.ready().await.unwrap();
            publish(&hub, "log:a", published..published + 2).await;
            published += 2;
        }
    }
    let expected: Vec<_> = (0..published).collect();
    assert_eq!(numbers(&mut events, expected.len()).await, expected);
    silent(&mut events).await;
    assert_eq!(hearers(&hub, "log:a").await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_marked_as_recovered_and_positions_go_on() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    let mut events = server.client().hub().subscribe::<Counted>("log:a").await.unwrap();
    server.disconnect_all().await;
    publish(&hub, "log:a", [1]).await;
    let missed = next(&mut events).await;
    assert_eq!((missed.event.number, missed.kind), (1, ReceivedKind::Recovered));
    publish(&hub, "log:a", [2]).await;
    let live = next(&mut events).await;
    assert_eq!((live.event.number, live.kind), (2, ReceivedKind::Live));
    assert_eq!(live.position.unwrap().offset, 2);
    assert_eq!(live.position.unwrap().epoch, missed.position.unwrap().epoch);
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_too_short_is_one_gap_and_then_it_goes_on() {
    let hub = hub_of(5);
    let server = in_memory(&hub);
    let client = server.client();
    let mut events = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    publish(&hub, "log:a", [1]).await;
    assert_eq!(numbers(&mut events, 1).await, [1]);
    server.disconnect_all().await;
    publish(&hub, "log:a", 2..=20).await;
    let gap = gap(&mut events).await;
    assert_eq!(gap.cause, GapCause::NotRecovered);
    let offsets = (gap.last.unwrap().offset, gap.next.unwrap().offset);
    assert_eq!(offsets, (1, 20));
    assert_eq!(events.position(), gap.next);
    publish(&hub, "log:a", [21]).await;
    assert_eq!(numbers(&mut events, 1).await, [21]);
    silent(&mut events).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_lost_its_history_is_a_gap() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    let mut events = server.client().hub().subscribe::<Counted>("log:a").await.unwrap();
    publish(&hub, "log:a", 1..=3).await;
    assert_eq!(numbers(&mut events, 3).await, [1, 2, 3]);
    server.kill().await;
    let next_hub = hub_of(100);
    // The same offsets, of other events, in another epoch.
    publish(&next_hub, "log:a", 101..=103).await;
    server.restart(serve(&next_hub));
    let gap = gap(&mut events).await;
    assert_ne!(gap.last.unwrap().epoch, gap.next.unwrap().epoch);
    publish(&next_hub, "log:a", [104]).await;
    let next = next(&mut events).await;
    assert_eq!((next.event.number, next.position.unwrap().offset), (104, 4));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_and_is_replaced_is_a_gap_and_no_end() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    let mut events = server.client().hub().subscribe::<Counted>("log:a").await.unwrap();
    publish(&hub, "log:a", [1]).await;
    server.stop().await;
    assert_eq!(numbers(&mut events, 1).await, [1]);
    // What it knew is gone with it: its history was in its memory.
    let next_hub = hub_of(100);
    server.restart(serve(&next_hub));
    assert_eq!(gap(&mut events).await.cause, GapCause::NotRecovered);
    publish(&next_hub, "log:a", [2]).await;
    assert_eq!(numbers(&mut events, 1).await, [2]);
    silent(&mut events).await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_without_history_has_a_gap_after_each_reconnect() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    let mut events = server
        .client()
        .hub()
        .subscribe::<Counted>("wire:a")
        .await
        .unwrap();
    publish(&hub, "wire:a", [1, 2]).await;
    assert_eq!(numbers(&mut events, 2).await, [1, 2]);
    for number in 3..6 {
        server.disconnect_all().await;
        publish(&hub, "wire:a", [100]).await;
        let gap = gap(&mut events).await;
        assert_eq!((gap.cause, gap.next), (GapCause::NoHistory, None));
        publish(&hub, "wire:a", [number]).await;
        let event = next(&mut events).await;
        assert_eq!((event.event.number, event.position), (number, None));
        assert!(!event.id.is_empty());
    }
    silent(&mut events).await;
}

#[tokio::test(start_paused = true)]
async fn a_program_goes_on_from_a_position_that_it_has_kept() {
    let hub = hub_of(10);
    let server = in_memory(&hub);
    let mut events = server.client().hub().subscribe::<Counted>("log:a").await.unwrap();
    publish(&hub, "log:a", [1]).await;
    numbers(&mut events, 1).await;
    let position = events.position().unwrap();
    drop(events);
    publish(&hub, "log:a", 2..=4).await;
    let client = server.client();
    let mut again = client
        .hub()
        .subscribe::<Counted>("log:a")
        .since(position)
        .await
        .unwrap();
    assert_eq!(numbers(&mut again, 3).await, [2, 3, 4]);
    // Another one, beside it, from the same position on; and one from a position that is known to nobody.
    let mut other = client
        .hub()
        .subscribe::<Counted>("log:a")
        .since(position)
        .await
        .unwrap();
    assert_eq!(numbers(&mut other, 3).await, [2, 3, 4]);
    let mut forged = position;
    forged.offset = 1_000;
    let mut lost = client
        .hub()
        .subscribe::<Counted>("log:a")
        .since(forged)
        .await
        .unwrap();
    assert_eq!(gap(&mut lost).await.next.unwrap().offset, 4);
    publish(&hub, "log:a", [5]).await;
    for events in [&mut again, &mut other, &mut lost] {
        assert_eq!(numbers(events, 1).await, [5]);
    }
}

#[tokio::test(start_paused = true)]
async fn all_channels_are_asked_for_again_a_hundred_at_a_time() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    let calls = Calls::default();
    let client = calls.client(&server, ClientLimits::default());
    let names: Vec<_> = (0..90).map(|number| format!("log:{number}")).collect();
    let mut events = Vec::new();
    for answer in client.hub().subscribe_all::<Counted>(&names).await {
        events.push(answer.unwrap());
    }
    assert_eq!(calls.count("Subscribe"), 1);
    server.disconnect_all().await;
    for name in &names {
        publish(&hub, name, [7]).await;
    }
    for events in &mut events {
        assert_eq!(numbers(events, 1).await, [7]);
    }
    assert_eq!(calls.count("Subscribe"), 2);
}

#[tokio::test(start_paused = true)]
async fn who_has_lost_the_right_meanwhile_is_told_by_the_last_item() {
    let open = Arc::new(AtomicBool::new(true));
    let asked = open.clone();
    let right = move |_: &Asks, _: &(u64,)| match asked.load(Ordering::SeqCst) {
        true => Ok(()),
        false => Err(Status::permission_denied("not any more")),
    };
    let rooms = Namespace::<(u64,)>::new("room:{id}").subscribe(right);
    let hub = Hub::builder()
        .namespace(rooms)
        .namespace(logs(10))
        .build()
        .unwrap();
    let server = in_memory(&hub);
    let client = server.client();
    let mut room = client.hub().subscribe::<Said>("room:5").await.unwrap();
    let mut log = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    open.store(false, Ordering::SeqCst);
    server.disconnect_all().await;
    match item(&mut room).await {
        Err(SubscriptionError::Refused(status)) => assert_eq!(status.code(), Code::Unauthenticated),
        other => panic!("not refused: {other:?}"),
    }
    assert!(room.next().await.is_none());
    // Others are not touched by that.
    publish(&hub, "log:a", [1]).await;
    assert_eq!(numbers(&mut log, 1).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_is_begun_without_a_connection_waits_for_it() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    server.kill().await;
    let client = server.client();
    let begun = tokio::spawn(async move { client.hub().subscribe::<Counted>("log:a").await });
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert!(!begun.is_finished());
    server.restart(serve(&hub_of(100)));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(begun.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_a_server_drops_for_a_slow_client_is_recovered_from_history() {
    let hub = Hub::builder()
        .namespace(logs(10_000).slow(SlowConsumer::DropOldest))
        .build()
        .unwrap();
    let limits = rpc_runtime::Limits {
        event_queue_bytes: 70_000,
        ..rpc_runtime::Limits::default()
    };
    let server = rpc_runtime::testing::serve(crate::common::builder(&hub).limits(limits).build().unwrap());
    let calls = Calls::default();
    let client = calls.client(&server, ClientLimits::default());
    let mut events = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    // All at once: nobody else runs in between, and so most of it finds the queue full.
    publish(&hub, "log:a", 0..5_000).await;
    let expected: Vec<_> = (0..5_000).collect();
    assert_eq!(numbers(&mut events, 5_000).await, expected);
    assert!(calls.count("Subscribe") > 1);
    silent(&mut events).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_event_of_a_channel_is_not_missed_where_others_fill_the_queue_and_nothing_follows_it() {
    let hub = Hub::builder()
        .namespace(logs(10_000).slow(SlowConsumer::DropOldest))
        .namespace(wires().slow(SlowConsumer::DropOldest))
        .build()
        .unwrap();
    let limits = rpc_runtime::Limits {
        event_queue_bytes: 70_000,
        ..rpc_runtime::Limits::default()
    };
    let server = rpc_runtime::testing::serve(crate::common::builder(&hub).limits(limits).build().unwrap());
    let client = Calls::default().client(&server, ClientLimits::default());
    let mut log = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    let mut wire = client.hub().subscribe::<Counted>("wire:a").await.unwrap();
    // All at once, so that the queue is full of the wire's.
    publish(&hub, "wire:a", 0..5_000).await;
    publish(&hub, "log:a", [7]).await;
    assert_eq!(
        numbers(&mut log, 1).await,
        [7],
        "nothing has to be published behind it"
    );
    silent(&mut log).await;
    // Where there is no history, the gap is counted, and stands where it is.
    let mut next = 0;
    let mut missed = 0;
    while next < 5_000 {
        match item(&mut wire).await {
            Ok(event) => {
                assert_eq!(event.event.number, next);
                next += 1;
            }
            Err(SubscriptionError::Gap(gap)) => {
                missed += gap.missed.unwrap();
                next += gap.missed.unwrap();
            }
            Err(end) => panic!("{end}"),
        }
    }
    assert!(missed > 1_000, "{missed}");
}

#[tokio::test(start_paused = true)]
async fn an_event_of_another_subscription_is_no_event_of_this_one_after_a_restart() {
    // Numbers of channels count from 1 again in another server.
    let server = in_memory(&hub_of(100));
    let client = server.client();
    let mut one = client.hub().subscribe::<Counted>("log:one").await.unwrap();
    let mut two = client.hub().subscribe::<Said>("log:two").await.unwrap();
    server.kill().await;
    let hub = hub_of(100);
    server.restart(serve(&hub));
    assert!(matches!(item(&mut two).await, Err(SubscriptionError::Gap(_))));
    gap(&mut one).await;
    hub.channel("log:two").publish(&said("two")).await.unwrap();
    publish(&hub, "log:one", [1]).await;
    assert_eq!(next(&mut two).await.event, said("two"));
    assert_eq!(numbers(&mut one, 1).await, [1]);
    assert_eq!((one.skipped(), two.skipped()), (0, 0));
}

/// Lets in while it is open, says so otherwise and does not answer.
struct Door {
    is_open: Arc<AtomicBool>,
    asked: mpsc::UnboundedSender<()>,
}

impl Right<(u64,)> for Door {
    async fn check(&self, _: &Asks, _: &(u64,)) -> Result<(), Status> {
        if !self.is_open.load(Ordering::SeqCst) {
            self.asked.send(()).unwrap();
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_is_on_its_way_when_the_connection_is_cut_is_asked_for_on_the_next() {
    let (asked, mut asks) = mpsc::unbounded_channel();
    let is_open = Arc::new(AtomicBool::new(false));
    let door = Door {
        is_open: is_open.clone(),
        asked,
    };
    let rooms = Namespace::<(u64,)>::new("room:{id}").subscribe(door);
    let hub = Hub::builder().namespace(rooms).build().unwrap();
    let server = in_memory(&hub);
    // Who of a client learns of it first is another each time.
    let mut subscribing = Vec::new();
    for _ in 0..400 {
        let client = server.client();
        subscribing.push(tokio::spawn(async move {
            let subscribed = client.hub().subscribe::<Said>("room:1").await;
            subscribed.map(drop)
        }));
        asks.recv().await.unwrap();
    }
    is_open.store(true, Ordering::SeqCst);
    server.disconnect_all().await;
    for subscribing in subscribing {
        subscribing.await.unwrap().unwrap();
    }
}
