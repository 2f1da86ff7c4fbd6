//! Direct events over a gap: each exactly once, in order, or a new session.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use rpc_protocol::FrameKind;
use rpc_protocol::frame::{Acknowledgement, Event, Greeting};
use rpc_runtime::{
    ClientId, Limits, ServerLimits,
    hub::{Asks, Hub, Namespace, Position, Retention, Snapshot},
    prost::Message as _,
    services::hub::Notification,
};

use crate::{
    peer::{Peer, settle},
    support::{Place, cut, limits},
};

/// Sends events to a client, numbered.
async fn send(place: &Place, greeting: &Greeting, numbers: std::ops::Range<u32>) {
    let id: ClientId = greeting.client_id.parse().unwrap();
    let session = place.server.session(id).expect("is there");
    for number in numbers {
        let note = Notification {
            message: number.to_string(),
            ..Notification::default()
        };
        session.hub().client(id).publish(&note).await.expect("is sent");
    }
}

/// The number of the event that comes next.
async fn next(peer: &mut Peer) -> u32 {
    match peer.frame().await.kind {
        FrameKind::Event(event) => number(&event),
        other => panic!("not an event: {other:?}"),
    }
}

fn number(event: &Event) -> u32 {
    let note = Notification::decode(event.body.clone()).expect("a notification");
    note.message.parse().expect("a number")
}

async fn take(peer: &mut Peer, count: usize) -> Vec<u32> {
    let mut numbers = Vec::new();
    for _ in 0..count {
        numbers.push(next(peer).await);
    }
    numbers
}

/// A client that took four of ten events, and then lost its connection.
async fn lost_after_four_of_ten(place: &Place) -> Greeting {
    let (mut peer, greeting) = place.connect().await;
    send(place, &greeting, 0..10).await;
    assert_eq!(take(&mut peer, 4).await, [0, 1, 2, 3]);
    settle().await;
    cut(peer).await;
    greeting
}

async fn acknowledge(peer: &mut Peer, received: u64) {
    let acknowledgement = Acknowledgement {
        received_frames: received,
        ..Acknowledgement::default()
    };
    peer.send(0, FrameKind::Acknowledgement(acknowledgement)).await;
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn direct_events_of_before_a_cut_and_during_it_come_once_and_in_order() {
    let place = Place::new();
    let greeting = lost_after_four_of_ten(&place).await;
    send(&place, &greeting, 10..15).await;
    let (mut peer, again) = place.come_back(&greeting.resume_token, 4).await;
    assert!(again.resumed);
    assert_eq!(take(&mut peer, 11).await, (4..15).collect::<Vec<_>>());
    send(&place, &greeting, 15..17).await;
    assert_eq!(take(&mut peer, 2).await, [15, 16]);
    peer.hears_nothing().await;
    // And over the next one: the count goes on.
    cut(peer).await;
    let (mut peer, _) = place.come_back(&again.resume_token, 16).await;
    assert_eq!(next(&mut peer).await, 16);
    peer.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn the_greeting_of_a_return_says_how_many_direct_events_are_sent_again() {
    let place = Place::new();
    let greeting = lost_after_four_of_ten(&place).await;
    assert_eq!(greeting.events_again, 0);
    // What is sent while nobody is there is sent for the first time on the next connection.
    send(&place, &greeting, 10..15).await;
    let (mut peer, again) = place.come_back(&greeting.resume_token, 4).await;
    assert_eq!(again.events_again, 6);
    take(&mut peer, 11).await;
    cut(peer).await;
    let (peer, again) = place.come_back(&again.resume_token, 15).await;
    assert_eq!((again.resumed, again.events_again), (true, 0));
    cut(peer).await;
    // And of a new session none are.
    let (_peer, fresh) = place.come_back("nobody has this", 15).await;
    assert_eq!((fresh.resumed, fresh.events_again), (false, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_acknowledged_is_not_kept_and_a_client_that_acknowledges_late_misses_nothing() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    send(&place, &greeting, 0..100).await;
    take(&mut peer, 100).await;
    acknowledge(&mut peer, 90).await;
    cut(peer).await;
    // It says that it has received more than it has acknowledged.
    let (mut peer, again) = place.come_back(&greeting.resume_token, 95).await;
    assert!(again.resumed);
    assert_eq!(take(&mut peer, 5).await, [95, 96, 97, 98, 99]);
    cut(peer).await;
    // Or less, which is not there any more.
    let (_peer, fresh) = place.come_back(&again.resume_token, 80).await;
    assert!(!fresh.resumed);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_misses_events_which_were_given_up_begins_a_new_session_and_is_never_silently_told_less()
 {
    let small = Limits {
        event_queue_bytes: 70 << 10,
        ..limits()
    };
    let place = Place::with(small, ServerLimits::default(), |endpoint| endpoint);
    for received in [0, 2_000] {
        let (mut peer, greeting) = place.connect().await;
        for chunk in 0..20 {
            send(&place, &greeting, chunk * 100..(chunk + 1) * 100).await;
            take(&mut peer, 100).await;
        }
        // Nothing was acknowledged, and more was sent than is kept.
        cut(peer).await;
        let (mut peer, again) = place.come_back(&greeting.resume_token, received).await;
        assert_eq!(again.resumed, received == 2_000);
        peer.hears_nothing().await;
    }
    let lines = place.journal.lines();
    assert_eq!(lines[..4], ["connect", "detach", "disconnect 1006 ", "connect"]);
}

#[tokio::test(start_paused = true)]
async fn events_that_find_no_room_while_nobody_is_there_end_the_session() {
    let small = Limits {
        event_queue_bytes: 70 << 10,
        ..limits()
    };
    let place = Place::with(small, ServerLimits::default(), |endpoint| endpoint);
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    let id: ClientId = greeting.client_id.parse().unwrap();
    let session = place.server.session(id).unwrap();
    for _ in 0..3 {
        let note = Notification {
            message: "x".repeat(30_000),
            ..Notification::default()
        };
        session.hub().client(id).publish(&note).await.unwrap();
    }
    settle().await;
    assert_eq!(place.state(&greeting), None);
    assert_eq!(place.journal.of("disconnect ").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_waits_with_events_does_not_spin() {
    let place = Place::new();
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    send(&place, &greeting, 0..3).await;
    // With a paused clock, time passes only while nobody has anything to do.
    tokio::time::sleep(Duration::from_secs(30)).await;
    let (mut peer, _) = place.come_back(&greeting.resume_token, 0).await;
    assert_eq!(take(&mut peer, 3).await, [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn what_a_server_has_subscribed_its_client_to_comes_once_behind_its_snapshot_over_a_cut_too() {
    let taken = Arc::<OnceLock<Position>>::default();
    let at = taken.clone();
    let state = Namespace::<()>::new("state")
        .keep(Retention::of(10, Duration::from_secs(600)))
        .on_subscribe(move |_: &Asks, (): &()| {
            Ok(Snapshot::at(*at.get().unwrap(), &Notification::info("state", "")))
        });
    let hub = Hub::builder().namespace(state).build().unwrap();
    let place = Place::of_hub(&hub);
    let publish = async |title: &str| {
        let note = Notification::info(title, "");
        hub.channel("state")
            .publish(&note)
            .await
            .unwrap()
            .position
            .unwrap()
    };
    taken.set(publish("one").await).unwrap();
    for title in ["two", "three"] {
        publish(title).await;
    }
    let (mut peer, greeting) = place.connect().await;
    let id: ClientId = greeting.client_id.parse().unwrap();
    hub.subscribe(id, "state").await.unwrap();
    hub.client(id)
        .publish(&Notification::info("direct", ""))
        .await
        .unwrap();
    let mut come = Vec::new();
    for _ in 0..4 {
        let FrameKind::Event(event) = peer.frame().await.kind else {
            panic!("not an event");
        };
        // Each of them is one that a client counts.
        assert_eq!(event.channel, 0);
        come.push((event.type_name, event.offset));
    }
    let note = "rpc.hub.v1.Notification".to_owned();
    let subscribed = "rpc.hub.v1.Subscribed".to_owned();
    assert_eq!(
        come,
        [(subscribed, 0), (note.clone(), 2), (note.clone(), 3), (note, 0)]
    );
    settle().await;
    cut(peer).await;
    // It has had two of them, and is given the other two, each once.
    let (mut peer, again) = place.come_back(&greeting.resume_token, 2).await;
    assert!(again.resumed);
    for (_, offset) in &come[2..] {
        let FrameKind::Event(event) = peer.frame().await.kind else {
            panic!("not an event");
        };
        assert_eq!((event.channel, event.offset), (0, *offset));
    }
    peer.hears_nothing().await;
    cut(peer).await;
    let (mut peer, _) = place.come_back(&again.resume_token, 4).await;
    peer.hears_nothing().await;
}
