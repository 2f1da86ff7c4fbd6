//! Subscribing, unsubscribing, recovering, snapshots, limits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use prost::Message as _;
use rpc_runtime::{
    Code, Limits,
    hub::{Anyone, Asks, Hub, Namespace, Retention, Snapshot},
    prost,
    services::hub::{
        ChannelPosition, PresenceRequest, PresenceResponse, SubscribeAnswer, SubscribeChannel,
        SubscribeRequest, SubscribeResponse, UnsubscribeRequest, UnsubscribeResponse,
    },
};

use crate::common::{Moved, Peer, Said, builder, client_as, no, rooms, said, serve, settle, to, typed};

fn hub() -> Hub {
    Hub::builder()
        .namespace(rooms())
        .namespace(Namespace::<()>::new("news").subscribe(Anyone))
        .namespace(Namespace::<()>::new("closed").subscribe(|_: &Asks, _: &()| no()))
        .build()
        .unwrap()
}

fn code(answer: &SubscribeAnswer) -> Option<Code> {
    answer
        .refused
        .as_ref()
        .map(|refused| Code::from_i32(refused.code))
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_hears_what_is_published_from_then_on_and_nothing_once_it_has_unsubscribed() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    hub.channel("room:5").publish(&said("before")).await.unwrap();
    let answer = ali.subscribe("room:5").await;
    let position = answer.position.unwrap();
    assert_eq!(
        (position.offset, answer.recovered, answer.events.len()),
        (1, None, 0)
    );
    hub.channel("room:5").publish(&said("hello")).await.unwrap();
    let event = ali.event().await;
    assert_eq!((event.channel, event.offset, event.epoch), (answer.number, 2, 0));
    assert_eq!(Said::decode(event.body).unwrap(), said("hello"));
    assert!(event.time_us > 0 && event.id.is_empty());
    assert!(ali.unsubscribe("room:5").await);
    assert!(!ali.unsubscribe("room:5").await);
    let receipt = hub.channel("room:5").publish(&said("after")).await.unwrap();
    assert_eq!(receipt.reached, Some(0));
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn several_channels_are_answered_each_for_itself_in_their_order() {
    let server = serve(&hub());
    let client = client_as(&server, "ali").await;
    let names = ["room:1", "closed", "room:x", "nowhere", "a b", "news", "room:1"];
    let request = SubscribeRequest {
        channels: names.map(to).to_vec(),
    };
    let response = client.subscribe(request).await.unwrap();
    let answers: Vec<_> = response
        .answers
        .iter()
        .map(|a| (a.channel.as_str(), code(a)))
        .collect();
    let denied = Some(Code::PermissionDenied);
    assert_eq!(
        answers,
        [
            ("room:1", None),
            ("closed", denied),
            ("room:x", denied),
            ("nowhere", denied),
            ("a b", Some(Code::InvalidArgument)),
            ("news", None),
            ("room:1", None)
        ]
    );
    assert_eq!(response.answers[0].number, response.answers[6].number);
    assert_ne!(response.answers[0].number, response.answers[5].number);
    let channels = ["room:1", "closed", "news"].map(str::to_owned).to_vec();
    let response = client.unsubscribe(UnsubscribeRequest { channels }).await.unwrap();
    let answers: Vec<_> = response
        .answers
        .iter()
        .map(|a| (a.channel.as_str(), a.was_subscribed))
        .collect();
    assert_eq!(answers, [("room:1", true), ("closed", false), ("news", true)]);
}

#[tokio::test(start_paused = true)]
async fn unsubscribing_with_a_name_that_is_none_is_refused_for_that_name_alone() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("room:1").await;
    ali.subscribe("room:2").await;
    let channels = ["room:1", "a b", "room:2", "nowhere"].map(str::to_owned).to_vec();
    let response: UnsubscribeResponse = ali
        .call("Unsubscribe", &UnsubscribeRequest { channels })
        .await
        .unwrap();
    let answers: Vec<_> = response
        .answers
        .iter()
        .map(|answer| {
            let refused = answer
                .refused
                .as_ref()
                .map(|refused| Code::from_i32(refused.code));
            (answer.channel.as_str(), answer.was_subscribed, refused)
        })
        .collect();
    assert_eq!(
        answers,
        [
            ("room:1", true, None),
            ("a b", false, Some(Code::InvalidArgument)),
            ("room:2", true, None),
            ("nowhere", false, None)
        ]
    );
    assert!(!ali.unsubscribe("room:1").await);
}

#[tokio::test(start_paused = true)]
async fn an_empty_list_and_one_that_is_too_long_are_invalid() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    for count in [0, 101] {
        let channels = vec![to("news"); count];
        let refused = ali
            .call::<SubscribeResponse>("Subscribe", &SubscribeRequest { channels })
            .await;
        assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument, "{count}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_with_a_position_gets_what_it_has_missed_and_then_what_comes() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let since = ali.subscribe("room:5").await.position.unwrap();
    ali.vanish().await;
    for text in ["one", "two", "three"] {
        hub.channel("room:5").publish(&said(text)).await.unwrap();
    }
    let mut ali = Peer::connect_as(&server, "ali").await;
    let answer = ali.recover("room:5", since).await;
    assert_eq!(answer.recovered, Some(true));
    let offsets: Vec<_> = answer.events.iter().map(|event| event.offset).collect();
    assert_eq!((offsets, answer.position.unwrap().offset), (vec![1, 2, 3], 3));
    hub.channel("room:5").publish(&said("four")).await.unwrap();
    assert_eq!(ali.event().await.offset, 4);
}

#[tokio::test(start_paused = true)]
async fn positions_that_are_forged_future_or_too_old_are_not_recovered_and_bring_no_data() {
    let hub = Hub::builder()
        .namespace(rooms().keep(Retention::of(2, Duration::from_secs(60))))
        .namespace(Namespace::<()>::new("news").subscribe(Anyone))
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let other = ali.subscribe("room:6").await.position.unwrap();
    let start = ali.subscribe("room:5").await.position.unwrap();
    for _ in 0..3 {
        hub.channel("room:5").publish(&said("x")).await.unwrap();
    }
    let at = |epoch, offset| ChannelPosition { epoch, offset };
    let epoch = start.epoch;
    for since in [
        at(epoch.wrapping_add(1), 1),
        at(other.epoch, 0),
        at(0, 0),
        at(epoch, 4),
        at(epoch, u64::MAX),
        at(epoch, 0),
    ] {
        let mut bea = Peer::connect_as(&server, "bea").await;
        let answer = bea.recover("room:5", since).await;
        assert_eq!(
            (answer.recovered, answer.events.len()),
            (Some(false), 0),
            "{since:?}"
        );
        assert_eq!(answer.position, Some(at(epoch, 3)));
    }
    // Without history nothing is recovered, and there is no position.
    let answer = ali.recover("news", at(epoch, 0)).await;
    assert_eq!((answer.recovered, answer.position), (Some(false), None));
}

#[tokio::test(start_paused = true)]
async fn a_recovery_that_is_longer_than_the_answer_may_be_is_none() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let since = ali.subscribe("room:5").await.position.unwrap();
    for _ in 0..20 {
        hub.channel("room:5")
            .publish(&said(&"x".repeat(1_000)))
            .await
            .unwrap();
    }
    for (most, recovered) in [(16 << 10, false), (32 << 10, true)] {
        let mut bea = Peer::connect_as(&server, "bea").await;
        bea.announce(most).await;
        let answer = bea.recover("room:5", since).await;
        assert_eq!(answer.recovered, Some(recovered), "{most}");
        assert_eq!(answer.position.unwrap().offset, 20);
        assert!(answer.encoded_len() < most);
    }
    // All channels of one answer share its room.
    let mut bea = Peer::connect_as(&server, "bea").await;
    hub.channel("room:6").publish(&said("")).await.unwrap();
    bea.announce(32 << 10).await;
    let asked = |channel: &str, since| rpc_runtime::services::hub::SubscribeChannel {
        since: Some(since),
        ..to(channel)
    };
    let request = SubscribeRequest {
        channels: vec![asked("room:5", since), asked("room:5", since)],
    };
    let response: SubscribeResponse = bea.call("Subscribe", &request).await.unwrap();
    let recovered: Vec<_> = response.answers.iter().map(|answer| answer.recovered).collect();
    assert_eq!(recovered, [Some(true), Some(false)]);
}

#[tokio::test(start_paused = true)]
async fn events_that_are_not_for_a_client_are_not_recovered_by_it_either() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let since = ali.subscribe("room:5").await.position.unwrap();
    ali.unsubscribe("room:5").await;
    hub.channel("room:5")
        .except(ali.id())
        .publish(&said("not for ali"))
        .await
        .unwrap();
    hub.channel("room:5").publish(&said("for all")).await.unwrap();
    let answer = ali.recover("room:5", since).await;
    assert_eq!(answer.recovered, Some(true));
    let offsets: Vec<_> = answer.events.iter().map(|event| event.offset).collect();
    assert_eq!((offsets, answer.position.unwrap().offset), (vec![2], 2));
}

/// Counts up, and keeps the position that publishing gave beside the count.
#[tokio::test(start_paused = true)]
async fn a_snapshot_comes_first_and_then_every_later_event() {
    let (sender, state) = tokio::sync::watch::channel((0, None));
    let counter = Namespace::<()>::new("count")
        .subscribe(Anyone)
        .keep(Retention::of(10, Duration::from_secs(60)))
        .on_subscribe(move |_: &Asks, (): &()| {
            let (to, position) = *state.borrow();
            Ok(match position {
                Some(position) => Snapshot::at(position, &Moved { to }),
                None => Snapshot::none(),
            })
        });
    let hub = Hub::builder().namespace(counter).build().unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect(&server).await;
    assert_eq!(ali.subscribe("count").await.snapshot, None);
    let count = async |to| {
        let receipt = hub.channel("count").publish(&Moved { to }).await.unwrap();
        receipt.position
    };
    let position = count(1).await;
    sender.send_replace((1, position));
    // These came after the snapshot was taken.
    count(2).await;
    count(3).await;
    let mut bea = Peer::connect(&server).await;
    let answer = bea.subscribe("count").await;
    let snapshot = answer.snapshot.unwrap();
    assert_eq!(
        (snapshot.offset, Moved::decode(snapshot.body).unwrap().to),
        (1, 1)
    );
    let later: Vec<_> = answer.events.iter().map(|event| event.offset).collect();
    assert_eq!((later, answer.position.unwrap().offset), (vec![2, 3], 3));
    // Who recovers needs none.
    bea.unsubscribe("count").await;
    let answer = bea.recover("count", answer.position.unwrap()).await;
    assert_eq!((answer.recovered, answer.snapshot), (Some(true), None));
}

#[tokio::test(start_paused = true)]
async fn where_presence_alone_is_new_in_a_channel_without_history_no_snapshot_is_made() {
    let (made, count) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let counts = count.clone();
    let desk = Namespace::<()>::new("desk")
        .subscribe(Anyone)
        .presence(Anyone)
        .on_subscribe(move |_: &Asks, (): &()| {
            counts.fetch_add(1, Ordering::SeqCst);
            Ok(Snapshot::now(&said("state")))
        });
    let hub = Hub::builder().namespace(desk).build().unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect(&server).await;
    let says = async |ali: &mut Peer, text: &str, since| {
        let asked = SubscribeChannel {
            since,
            presence: Some(typed(&said(text))),
            ..to("desk")
        };
        let answer = ali.ask(asked).await;
        assert_eq!((answer.refused, answer.recovered), (None, None));
        let request = PresenceRequest {
            channel: "desk".to_owned(),
            ..PresenceRequest::default()
        };
        let presence: PresenceResponse = ali.call("Presence", &request).await.unwrap();
        assert_eq!(presence.members[0].presence, Some(typed(&said(text))));
        let more = count.load(Ordering::SeqCst) - made.swap(count.load(Ordering::SeqCst), Ordering::SeqCst);
        (answer.snapshot.is_some(), more)
    };
    let nothing = Some(ChannelPosition::default());
    // Who does not hear it begins with one, whatever it asks for.
    assert_eq!(says(&mut ali, "here", nothing).await, (true, 1));
    assert_eq!(says(&mut ali, "busy", nothing).await, (false, 0));
    // Another part of the same program, which knows nothing yet.
    assert_eq!(says(&mut ali, "back", None).await, (true, 1));
}

#[tokio::test(start_paused = true)]
async fn one_channel_more_than_a_client_may_hear_is_refused_whatever_it_is() {
    let hub = hub();
    let limits = Limits {
        subscriptions: 2,
        ..Limits::default()
    };
    let server = builder(&hub).limits(limits).build().unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("room:1").await;
    ali.subscribe("news").await;
    for channel in ["room:2", "closed", "nowhere"] {
        let answer = ali.try_subscribe(channel).await;
        assert_eq!(code(&answer), Some(Code::ResourceExhausted), "{channel}");
    }
    // Again is not one more.
    ali.subscribe("news").await;
    ali.unsubscribe("news").await;
    ali.subscribe("room:2").await;
    assert_eq!(
        hub.channel("room:2").publish(&said("")).await.unwrap().reached,
        Some(1)
    );
}

#[tokio::test(start_paused = true)]
async fn calls_at_once_do_not_get_more_channels_than_the_limit() {
    /// Takes its time.
    struct Slow;
    impl<P: Sync> rpc_runtime::hub::Right<P> for Slow {
        async fn check(&self, _: &Asks, _: &P) -> Result<(), rpc_runtime::Status> {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(())
        }
    }
    let slow = Namespace::<(u64,)>::new("slow:{id}").subscribe(Slow);
    let hub = Hub::builder().namespace(slow).build().unwrap();
    let limits = Limits {
        subscriptions: 5,
        ..Limits::default()
    };
    let server = builder(&hub).limits(limits).build().unwrap();
    let client = client_as(&server, "ali").await;
    let calls = (0..50).map(|id| {
        let channels = vec![to(&format!("slow:{id}"))];
        client.subscribe(SubscribeRequest { channels }).into_future()
    });
    let answers = futures_util::future::join_all(calls).await;
    let made = answers
        .into_iter()
        .filter(|answer| answer.as_ref().unwrap().answers[0].refused.is_none());
    assert_eq!(made.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn calls_at_once_for_one_channel_subscribe_once_and_all_are_answered() {
    let hub = hub();
    let server = serve(&hub);
    let client = client_as(&server, "ali").await;
    let calls = (0..10).map(|_| {
        let channels = vec![to("room:1")];
        client.subscribe(SubscribeRequest { channels }).into_future()
    });
    let answers = futures_util::future::join_all(calls).await;
    let numbers: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.unwrap().answers[0].number)
        .collect();
    assert!(numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
    let receipt = hub.channel("room:1").publish(&said("")).await.unwrap();
    assert_eq!(receipt.reached, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_channel_has_no_more_subscribers_than_its_namespace_says() {
    let few = Namespace::<()>::new("few").subscribe(Anyone).most_subscribers(1);
    let hub = Hub::builder().namespace(few).build().unwrap();
    let server = serve(&hub);
    let (mut ali, mut bea) = (Peer::connect(&server).await, Peer::connect(&server).await);
    ali.subscribe("few").await;
    assert_eq!(
        code(&bea.try_subscribe("few").await),
        Some(Code::ResourceExhausted)
    );
    ali.vanish().await;
    bea.subscribe("few").await;
}

#[tokio::test(start_paused = true)]
async fn who_has_gone_is_a_subscriber_no_more_and_its_channels_are_forgotten() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("room:1").await;
    assert_eq!(
        hub.channel("room:1").publish(&said("")).await.unwrap().reached,
        Some(1)
    );
    ali.vanish().await;
    settle().await;
    assert_eq!(
        hub.channel("room:1").publish(&said("")).await.unwrap().reached,
        Some(0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_right_that_is_lost_ends_the_subscription_when_it_is_asked_for_again() {
    let (open, is_open) = tokio::sync::watch::channel(true);
    let door = Namespace::<()>::new("door").subscribe(move |_: &Asks, (): &()| match *is_open.borrow() {
        true => Ok(()),
        false => no(),
    });
    let hub = Hub::builder().namespace(door).build().unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect(&server).await;
    ali.subscribe("door").await;
    open.send_replace(false);
    assert_eq!(
        code(&ali.try_subscribe("door").await),
        Some(Code::Unauthenticated)
    );
    assert_eq!(
        hub.channel("door").publish(&said("")).await.unwrap().reached,
        Some(0)
    );
    ali.hears_nothing().await;
}
