//! Coming to hear a channel without a gap, however slow the broker is and whatever happens meanwhile; and how that is given up.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpc_protocol::{FrameKind, frame::Reset};
use rpc_runtime::{
    Code, Limits,
    hub::{Anyone, Asks, Hub, Namespace, Position, Retention, Snapshot},
    prost::Message,
    services::hub::{ChannelPosition, SubscribeAnswer, SubscribeRequest, Subscribed},
};

use crate::{
    broker::{Step, Stepping, Steps, rooms_of_steps},
    common::{Moved, Peer, Said, builder, said, settle, to},
};

/// Publishes in the room, one number after the other.
fn publishing(hub: &Hub) -> impl Fn() + Send + Sync + Clone + use<> {
    let (hub, count) = (hub.clone(), Arc::new(AtomicI32::new(0)));
    move || {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        let event = Moved { to: number };
        let publishes = async { hub.channel("room:1").publish(&event).await.unwrap() };
        // The broker of these tests publishes at once.
        let receipt = futures_util::FutureExt::now_or_never(publishes).expect("is published");
        assert_eq!(receipt.position.unwrap().offset, number as u64);
    }
}

/// Publishes three events at each step of the broker, of which each takes a second.
fn publish_at_each_step(steps: &Steps, publish: impl Fn() + Send + Sync + Clone + 'static) {
    steps.between(move |_| {
        let publish = publish.clone();
        Box::pin(async move {
            for _ in 0..3 {
                publish();
                tokio::time::sleep(Duration::from_millis(333)).await;
            }
        })
    });
}

/// The numbers that a subscriber has, first those of the answer, then those that came as frames, up to `last`.
async fn numbers(peer: &mut Peer, answer: &SubscribeAnswer, last: i32) -> Vec<i32> {
    let mut numbers: Vec<_> = answer
        .events
        .iter()
        .map(|event| Moved::decode(event.body.clone()).unwrap().to)
        .collect();
    while numbers.last().is_none_or(|number| *number < last) {
        let event = peer.event().await;
        let number = Moved::decode(event.body).unwrap().to;
        assert_eq!(event.offset, number as u64);
        numbers.push(number);
    }
    numbers
}

#[tokio::test(start_paused = true)]
async fn whoever_subscribes_at_a_slow_broker_misses_nothing_and_has_nothing_twice() {
    for since in [None, Some(0), Some(2)] {
        let (hub, steps) = rooms_of_steps();
        let publish = publishing(&hub);
        for _ in 0..5 {
            publish();
        }
        let server = builder(&hub).build().unwrap();
        let mut ali = Peer::connect(&server).await;
        let epoch = ali.subscribe("room:1").await.position.unwrap().epoch;
        ali.unsubscribe("room:1").await;
        publish_at_each_step(&steps, publish.clone());
        let answer = match since {
            None => ali.subscribe("room:1").await,
            Some(offset) => ali.recover("room:1", ChannelPosition { epoch, offset }).await,
        };
        publish();
        let behind = match since {
            None => answer.position.as_ref().unwrap().offset as i32,
            Some(offset) => offset as i32,
        };
        assert_eq!(answer.recovered, since.map(|_| true));
        let last = hub.channel("room:1").publish(&Moved { to: -1 }).await.unwrap();
        let last = last.position.unwrap().offset as i32 - 1;
        assert!(last >= 5 + 6, "it was published at each step");
        assert_eq!(
            numbers(&mut ali, &answer, last).await,
            (behind + 1..=last).collect::<Vec<_>>()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_and_what_comes_after_it_make_up_the_state_whenever_it_was_taken() {
    for at in [true, false] {
        let (broker, steps) = Stepping::new();
        // How often something was published, and where; kept together.
        let state = Arc::new(Mutex::new((0, None::<Position>)));
        let taken = state.clone();
        let counts = Namespace::<(u64,)>::new("room:{id}")
            .subscribe(Anyone)
            .keep(Retention::of(2_000, Duration::from_secs(3_600)))
            .on_subscribe(move |_: &Asks, _: &(u64,)| {
                let (count, position) = *taken.lock().unwrap();
                Ok(match position {
                    Some(position) if at => Snapshot::at(position, &Moved { to: count }),
                    _ => Snapshot::now(&Moved { to: count }),
                })
            });
        let hub = Hub::builder().namespace(counts).broker(broker).build().unwrap();
        let publish = {
            let (hub, state) = (hub.clone(), state.clone());
            move || {
                let mut state = state.lock().unwrap();
                state.0 += 1;
                let event = said("one more");
                let publishes = async { hub.channel("room:1").publish(&event).await.unwrap() };
                state.1 = futures_util::FutureExt::now_or_never(publishes)
                    .expect("is published")
                    .position;
            }
        };
        publish();
        let at_steps = publish.clone();
        steps.between(move |_| {
            at_steps();
            Box::pin(tokio::time::sleep(Duration::from_secs(1)))
        });
        let server = builder(&hub).build().unwrap();
        let mut ali = Peer::connect(&server).await;
        let answer = ali.subscribe("room:1").await;
        publish();
        let snapshot = Moved::decode(answer.snapshot.unwrap().body).unwrap().to;
        let (count, last) = *state.lock().unwrap();
        let mut after = answer.events.len() as i32;
        let mut offset = answer.position.unwrap().offset;
        while offset < last.unwrap().offset {
            let event = ali.event().await;
            offset += 1;
            assert_eq!(event.offset, offset);
            after += 1;
        }
        ali.hears_nothing().await;
        if at {
            assert_eq!(snapshot + after, count);
        } else {
            // What was published while it was taken may be in it and come after it, and nothing is missing.
            assert!(snapshot + after >= count, "{snapshot} and {after} of {count}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_an_epoch_that_is_over_is_taken_as_it_is() {
    let kept = Arc::new(Mutex::new(None::<Position>));
    let taken = kept.clone();
    let rooms = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Anyone)
        .keep(Retention::of(100, Duration::from_secs(60)))
        .on_subscribe(move |_: &Asks, _: &(u64,)| {
            let position = taken.lock().unwrap().unwrap();
            Ok(Snapshot::at(position, &Moved { to: 7 }))
        });
    let hub = Hub::builder().namespace(rooms).build().unwrap();
    for _ in 0..5 {
        *kept.lock().unwrap() = hub
            .channel("room:1")
            .publish(&said("old"))
            .await
            .unwrap()
            .position;
    }
    // Nobody hears the channel, and its history expires: what is published next is of another epoch.
    tokio::time::advance(Duration::from_secs(61)).await;
    let server = builder(&hub).build().unwrap();
    let (mut ali, mut cid) = (Peer::connect(&server).await, Peer::connect(&server).await);
    let answer = ali.subscribe("room:1").await;
    let snapshot = answer.snapshot.unwrap();
    // As a place of this epoch it would be behind events that nobody has published yet.
    assert_eq!(snapshot.offset, 0);
    assert_eq!(Moved::decode(snapshot.body).unwrap().to, 7);
    assert_eq!((answer.events.len(), answer.position.unwrap().offset), (0, 0));
    assert_eq!(hub.subscribe(cid.id(), "room:1").await.unwrap(), 1);
    let told = cid.hears::<Subscribed>().await;
    assert_eq!(told.snapshot.unwrap().offset, 0);
    hub.channel("room:1").publish(&said("new")).await.unwrap();
    assert_eq!(ali.hears::<Said>().await, said("new"));
    let mut bea = Peer::connect(&server).await;
    let answer = bea.subscribe("room:1").await;
    assert_eq!((answer.events.len(), answer.position.unwrap().offset), (1, 1));
}

/// Nobody has subscribed to the room, and the broker knows.
async fn assert_nothing_is_left(hub: &Hub, steps: &Steps) {
    // Less than a client may be silent for.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let receipt = hub.channel("room:1").publish(&said("nobody")).await.unwrap();
    assert_eq!(receipt.reached, Some(0));
    assert_eq!(
        steps.taken().last(),
        Some(&Step::Unsubscribed),
        "{:?}",
        steps.taken()
    );
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_is_given_up_at_any_step_leaves_nothing_behind() {
    // Two steps of subscribing, and two of reading.
    for seconds in 0..4 {
        for vanishes in [false, true] {
            let (hub, steps) = rooms_of_steps();
            let server = builder(&hub).build().unwrap();
            let mut ali = Peer::connect(&server).await;
            steps.take(Duration::from_secs(1));
            let mut asked = to("room:1");
            asked.since = Some(ChannelPosition { epoch: 1, offset: 1 });
            let request = SubscribeRequest {
                channels: vec![asked],
            };
            let stream_id = ali.begin("Subscribe", &request).await;
            tokio::time::sleep(Duration::from_millis(seconds * 1_000 + 500)).await;
            assert_eq!(
                steps.taken().len(),
                if seconds == 0 || seconds == 1 { 1 } else { 2 }
            );
            if vanishes {
                ali.vanish().await;
                assert_nothing_is_left(&hub, &steps).await;
                continue;
            }
            let code = Code::Cancelled as i32;
            ali.send(stream_id, FrameKind::Reset(Reset { code })).await;
            settle().await;
            assert_nothing_is_left(&hub, &steps).await;
            // And it may subscribe again.
            ali.subscribe("room:1").await;
            hub.channel("room:1").publish(&said("hello")).await.unwrap();
            assert_eq!(ali.hears::<Said>().await, said("hello"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_unsubscribes_while_it_is_being_subscribed_is_not() {
    let (hub, steps) = rooms_of_steps();
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect(&server).await;
    steps.take(Duration::from_secs(1));
    let stream_id = ali.begin_to_subscribe(to("room:1")).await;
    ali.unsubscribe("room:1").await;
    let refused = ali.subscribed(stream_id).await.refused.unwrap();
    assert_eq!(refused.code, Code::Aborted as i32);
    assert_nothing_is_left(&hub, &steps).await;
}

/// Somebody comes back to a room with more published than is kept for one meanwhile, each time that its history is read, so often.
async fn comes_back_to_floods(floods: usize) -> (Hub, Arc<Steps>, Peer, SubscribeAnswer) {
    let (hub, steps) = rooms_of_steps();
    let limits = Limits {
        event_queue_bytes: 68 << 10,
        ..Limits::default()
    };
    let server = builder(&hub).limits(limits).build().unwrap();
    let mut ali = Peer::connect(&server).await;
    let (to, left) = (hub.clone(), Arc::new(AtomicUsize::new(floods)));
    steps.between(move |step| {
        let is_flood = step == Step::HasRead
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_ok();
        let to = to.clone();
        Box::pin(async move {
            // More than is kept for one; of two there is room in an answer's window.
            for _ in 0..if is_flood { 20 } else { 0 } {
                to.channel("room:1")
                    .publish(&said(&"x".repeat(4 << 10)))
                    .await
                    .unwrap();
            }
        })
    });
    let receipt = hub.channel("room:1").publish(&said("first")).await.unwrap();
    let answer = ali.recover("room:1", receipt.position.unwrap().into()).await;
    (hub, steps, ali, answer)
}

#[tokio::test(start_paused = true)]
async fn who_could_not_be_kept_all_while_it_subscribed_catches_up_again() {
    for floods in 1..=2 {
        let (hub, _steps, mut ali, answer) = comes_back_to_floods(floods).await;
        assert_eq!((answer.refused, answer.recovered), (None, Some(true)));
        assert_eq!(answer.events.len(), floods * 20);
        let receipt = hub.channel("room:1").publish(&said("hello")).await.unwrap();
        assert_eq!(ali.hears::<Said>().await, said("hello"));
        let next = answer.position.unwrap().offset + 1;
        assert_eq!(receipt.position.unwrap().offset, next);
    }
}

#[tokio::test(start_paused = true)]
async fn more_than_can_be_kept_while_somebody_subscribes_is_told_and_leaves_nothing_behind() {
    let (hub, steps, mut ali, answer) = comes_back_to_floods(usize::MAX).await;
    let refused = answer.refused.unwrap();
    assert_eq!(refused.code, Code::Unavailable as i32, "{}", refused.message);
    let receipt = hub.channel("room:1").publish(&said("last")).await.unwrap();
    let floods = (receipt.position.unwrap().offset - 2) / 20;
    assert_eq!(floods, 3, "it is tried so often");
    assert_nothing_is_left(&hub, &steps).await;
    ali.hears_nothing().await;
}
