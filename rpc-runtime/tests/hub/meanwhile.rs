//! What becomes of a subscription that is still on its way when its client becomes another user, or when somebody puts it out.

use std::{sync::Arc, time::Duration};

use rpc_runtime::{
    Code, Status,
    hub::{Asks, Hub, HubError, Namespace, OnSubscribe, Retention, Right, Snapshot, Subscriber},
    prost::Message,
    services::hub::{Subscribed, Unsubscribed},
};
use tokio::time::sleep;

use crate::{
    broker::{Step, Stepping, Steps},
    by_server::reason,
    common::{Peer, Said, builder, info, no, said, settle, to},
};

/// Takes half a second to let in those whose names it has.
struct Slow(&'static [&'static str]);

impl Right<(u64,)> for Slow {
    async fn check(&self, asks: &Asks, _: &(u64,)) -> Result<(), Status> {
        sleep(Duration::from_millis(500)).await;
        match asks.user().is_some_and(|user| self.0.contains(&user)) {
            true => Ok(()),
            false => no(),
        }
    }
}

/// Says whom it is for.
struct ForWhom;

impl OnSubscribe<(u64,)> for ForWhom {
    async fn snapshot(&self, asks: &Asks, _: &(u64,)) -> Result<Snapshot, Status> {
        Ok(Snapshot::now(&said(asks.user().unwrap_or("nobody"))))
    }
}

/// Rooms that these may hear, whose broker takes two seconds for each thing.
fn rooms(who: &'static [&'static str]) -> (Hub, Arc<Steps>) {
    let (broker, steps) = Stepping::new();
    steps.take(Duration::from_secs(1));
    let rooms = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Slow(who))
        .keep(Retention::of(100, Duration::from_secs(60)))
        .on_subscribe(ForWhom);
    let hub = Hub::builder().namespace(rooms).broker(broker).build().unwrap();
    (hub, steps)
}

/// Says something in the room every tenth of a second, for ten seconds.
async fn talk(hub: &Hub) {
    for _ in 0..100 {
        hub.channel("room:1").publish(&said("psst")).await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_becomes_another_user_while_it_catches_up_hears_nothing() {
    // At each moment of the right, and of both steps of subscribing and of reading.
    for tenths in (3..45).step_by(4) {
        let (hub, _steps) = rooms(&["ali"]);
        let server = builder(&hub).build().unwrap();
        let mut ali = Peer::connect_as(&server, "ali").await;
        let stream_id = ali.begin_to_subscribe(to("room:1")).await;
        sleep(Duration::from_millis(tenths * 100)).await;
        ali.become_user("bea").await;
        talk(&hub).await;
        let refused = ali.subscribed(stream_id).await.refused;
        let code = refused.map(|refused| Code::from_i32(refused.code));
        assert_eq!(code, Some(Code::PermissionDenied), "{tenths}");
        ali.hears_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_becomes_another_user_right_behind_its_answer_hears_nothing_after_a_second() {
    let (hub, _steps) = rooms(&["ali"]);
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    assert_eq!(ali.subscribe("room:1").await.refused, None);
    ali.become_user("bea").await;
    sleep(Duration::from_secs(1)).await;
    talk(&hub).await;
    assert_eq!(
        reason(&ali.hears::<Unsubscribed>().await).0,
        Code::PermissionDenied
    );
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_becomes_another_user_while_it_catches_up_is_given_what_is_for_that_user() {
    let (hub, _steps) = rooms(&["ali", "bea"]);
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    let stream_id = ali.begin_to_subscribe(to("room:1")).await;
    sleep(Duration::from_secs(3)).await;
    ali.become_user("bea").await;
    let answered = ali.subscribed(stream_id).await;
    assert_eq!(answered.refused, None);
    let snapshot = Said::decode(answered.snapshot.unwrap().body).unwrap();
    assert_eq!(snapshot, said("bea"));
}

#[tokio::test(start_paused = true)]
async fn who_becomes_another_user_while_it_asks_once_more_is_given_what_is_for_that_user() {
    let (hub, _steps) = rooms(&["ali", "bea"]);
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    assert_eq!(ali.subscribe("room:1").await.refused, None);
    let stream_id = ali.begin_to_subscribe(to("room:1")).await;
    sleep(Duration::from_secs(1)).await;
    ali.become_user("bea").await;
    let answered = ali.subscribed(stream_id).await;
    assert_eq!(answered.refused, None);
    let snapshot = Said::decode(answered.snapshot.unwrap().body).unwrap();
    assert_eq!(snapshot, said("bea"));
    // Again and again it is told so, and hears the channel as before.
    let stream_id = ali.begin_to_subscribe(to("room:1")).await;
    for user in ["ali", "bea", "ali"] {
        sleep(Duration::from_secs(1)).await;
        ali.become_user(user).await;
        sleep(Duration::from_millis(1_400)).await;
    }
    let answered = ali.subscribed(stream_id).await;
    let refused = answered.refused.unwrap();
    assert_eq!(Code::from_i32(refused.code), Code::Unavailable);
    assert!(refused.message.contains("another user"), "{}", refused.message);
    assert_ne!(answered.number, 0);
    hub.channel("room:1").publish(&said("psst")).await.unwrap();
    assert_eq!(ali.hears::<Said>().await, said("psst"));
}

#[tokio::test(start_paused = true)]
async fn who_becomes_another_user_again_and_again_is_told_to_try_again() {
    let (hub, steps) = rooms(&["ali", "bea"]);
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    let stream_id = ali.begin_to_subscribe(to("room:1")).await;
    // Each time it catches up, which takes more than two seconds.
    for user in ["bea", "ali", "bea", "ali"] {
        ali.become_user(user).await;
        sleep(Duration::from_secs(3)).await;
    }
    let refused = ali.subscribed(stream_id).await.refused.unwrap();
    assert_eq!(Code::from_i32(refused.code), Code::Unavailable);
    assert!(refused.message.contains("another user"), "{}", refused.message);
    sleep(Duration::from_secs(6)).await;
    assert_eq!(steps.taken().last(), Some(&Step::Unsubscribed));
}

#[tokio::test(start_paused = true)]
async fn who_is_put_out_while_it_subscribes_is_counted_and_told_why() {
    let (hub, steps) = rooms(&["ali"]);
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    let stream_id = ali.begin_to_subscribe(to("room:1")).await;
    let kick = Status::permission_denied("be polite");
    let kicked = |times| {
        let counted = hub.unsubscribe(Subscriber::user("ali"), "room:1", &kick);
        assert_eq!(counted.unwrap(), times);
    };
    kicked(1);
    // It is on its way out already.
    kicked(0);
    let refused = ali.subscribed(stream_id).await.refused.unwrap();
    assert_eq!(
        (Code::from_i32(refused.code), &*refused.message),
        (Code::PermissionDenied, "be polite")
    );
    assert_eq!(
        reason(&ali.hears::<Unsubscribed>().await),
        (Code::PermissionDenied, "be polite")
    );
    sleep(Duration::from_secs(6)).await;
    assert_eq!(steps.taken().last(), Some(&Step::Unsubscribed));
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_put_out_while_the_server_subscribes_it_is_told_so_once() {
    let (hub, _steps) = rooms(&[]);
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    let id = ali.id();
    let subscribing = tokio::spawn({
        let hub = hub.clone();
        async move { hub.subscribe(id, "room:1").await }
    });
    settle().await;
    let kick = Status::aborted("the game is over");
    assert_eq!(hub.unsubscribe(id, "room:1", &kick).unwrap(), 1);
    match subscribing.await.unwrap() {
        Err(HubError::NotSubscribed(why)) => assert_eq!(why.message(), "the game is over"),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        reason(&ali.hears::<Unsubscribed>().await),
        (Code::Aborted, "the game is over")
    );
    sleep(Duration::from_secs(6)).await;
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_another_user_s_meanwhile_is_not_subscribed_for_the_user_before() {
    let (hub, _steps) = rooms(&["ali"]);
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    let subscribing = tokio::spawn({
        let hub = hub.clone();
        async move { hub.subscribe(Subscriber::user("ali"), "room:1").await }
    });
    sleep(Duration::from_secs(1)).await;
    ali.become_user("bea").await;
    assert_eq!(subscribing.await.unwrap().unwrap(), 0);
    assert!(ali.events.is_empty());
    sleep(Duration::from_secs(6)).await;
    ali.hears_nothing().await;
    let mut other = Peer::connect_as(&server, "ali").await;
    assert_eq!(hub.subscribe(Subscriber::user("ali"), "room:1").await.unwrap(), 1);
    other.hears::<Subscribed>().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_put_out_while_it_is_refused_is_told_why_it_was_put_out_and_once() {
    // By a call, and by its address.
    let (hub, _steps) = rooms(&[]);
    let server = builder(&hub).channel_query("channel_id").build().unwrap();
    let kick = Status::permission_denied("be polite");
    let mut ali = Peer::connect_as(&server, "ali").await;
    let stream_id = ali.begin_to_subscribe(to("room:1")).await;
    assert_eq!(hub.unsubscribe(ali.id(), "room:1", &kick).unwrap(), 1);
    let refused = ali.subscribed(stream_id).await.refused.unwrap();
    assert_eq!(refused.message, "be polite");
    let mut bea = Peer::connect_with(&server, info("?channel_id=room:1")).await;
    settle().await;
    assert_eq!(hub.unsubscribe(bea.id(), "room:1", &kick).unwrap(), 1);
    for peer in [&mut ali, &mut bea] {
        let told = peer.hears::<Unsubscribed>().await;
        assert_eq!(reason(&told), (Code::PermissionDenied, "be polite"));
        sleep(Duration::from_secs(2)).await;
        peer.hears_nothing().await;
    }
}
