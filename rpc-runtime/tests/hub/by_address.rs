//! Subscriptions that a client's address asks for.

use std::time::Duration;

use rpc_runtime::{
    Code, ConnectInfo, Endpoint, Status,
    hub::{Asks, Hub, Namespace, Right},
    services::hub::{Subscribed, Unsubscribed, gateway},
};

use crate::{
    by_server::{hub, reason},
    common::{Named, Peer, builder, info, no, said},
};

#[tokio::test(start_paused = true)]
async fn a_client_hears_the_channel_that_its_address_names_under_the_channels_policy() {
    let hub = hub();
    let server = builder(&hub).channel_query("channel_id").build().unwrap();
    let mut ali = Peer::connect_with(&server, info("?channel_id=news")).await;
    let told: Subscribed = ali.hears().await;
    assert_eq!((told.channel.as_str(), told.position), ("news", None));
    hub.channel("news").publish(&said("x")).await.unwrap();
    assert_eq!(ali.event().await.channel, told.number);
    for (query, channel, code) in [
        ("?channel_id=lobby", "lobby", Code::Unauthenticated),
        ("?channel_id=nowhere", "nowhere", Code::Unauthenticated),
        ("?channel_id=room:5", "room:5", Code::Unauthenticated),
        ("?channel_id=%3Cscript%3E", "", Code::InvalidArgument),
        ("?channel_id=", "", Code::InvalidArgument),
    ] {
        let mut peer = Peer::connect_with(&server, info(query)).await;
        let told: Unsubscribed = peer.hears().await;
        assert_eq!(
            (told.channel.as_str(), reason(&told).0),
            (channel, code),
            "{query}"
        );
        // It is connected all the same.
        peer.subscribe("news").await;
    }
}

#[tokio::test(start_paused = true)]
async fn where_authentication_is_required_the_channel_waits_for_it() {
    let hub = hub();
    let endpoint = Endpoint::new()
        .service(gateway())
        .authenticator(Named)
        .require_authentication();
    let server = builder(&hub)
        .endpoint("/known", endpoint.channel_query("channel_id"))
        .build()
        .unwrap();
    let request = http::Request::get("/known?channel_id=room:5").body(()).unwrap();
    let mut ali = Peer::connect_with(&server, ConnectInfo::from_request(&request)).await;
    ali.hears_nothing().await;
    ali.become_user("ali").await;
    assert_eq!(ali.hears::<Subscribed>().await.channel, "room:5");
}

#[tokio::test(start_paused = true)]
async fn who_is_known_only_after_the_channel_of_its_address_was_refused_asks_for_it_by_a_call() {
    let hub = hub();
    let server = builder(&hub).channel_query("channel_id").build().unwrap();
    let mut ali = Peer::connect_with(&server, info("?channel_id=room:5")).await;
    let told: Unsubscribed = ali.hears().await;
    assert_eq!(
        (told.channel.as_str(), reason(&told).0),
        ("room:5", Code::Unauthenticated)
    );
    ali.become_user("ali").await;
    ali.hears_nothing().await;
    ali.subscribe("room:5").await;
}

/// Lets those in who are not known yet, and nobody who is: each after a while.
struct Strangers;

const A_WHILE: Duration = Duration::from_millis(500);

impl Right<()> for Strangers {
    async fn check(&self, asks: &Asks, (): &()) -> Result<(), Status> {
        let is_known = asks.user().is_some();
        tokio::time::sleep(A_WHILE).await;
        if is_known { no() } else { Ok(()) }
    }
}

/// Somebody who hears the channel that its address names, and has just become known.
async fn becomes_known(hub: &Hub) -> Peer {
    let server = builder(hub).channel_query("channel_id").build().unwrap();
    let mut ali = Peer::connect_with(&server, info("?channel_id=slow")).await;
    assert_eq!(ali.hears::<Subscribed>().await.channel, "slow");
    ali.become_user("ali").await;
    ali
}

fn strangers() -> Hub {
    let slow = Namespace::<()>::new("slow").subscribe(Strangers);
    Hub::builder().namespace(slow).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_loses_the_channel_that_its_address_names_is_told_once() {
    let hub = strangers();
    let mut ali = becomes_known(&hub).await;
    let told: Unsubscribed = ali.hears().await;
    assert_eq!(
        (told.channel.as_str(), reason(&told).0),
        ("slow", Code::PermissionDenied)
    );
    tokio::time::sleep(2 * A_WHILE).await;
    // It would be taken for the end of what was asked for since.
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_channel_that_its_address_names_while_its_right_is_asked_for_again_is_told_nothing() {
    let hub = strangers();
    let mut ali = becomes_known(&hub).await;
    assert!(ali.unsubscribe("slow").await);
    tokio::time::sleep(2 * A_WHILE).await;
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_becomes_known_while_the_channel_of_its_address_is_asked_for_does_not_hear_it_and_is_told_once() {
    let server = builder(&strangers()).channel_query("channel_id").build().unwrap();
    let mut ali = Peer::connect_with(&server, info("?channel_id=slow")).await;
    ali.become_user("ali").await;
    let told: Unsubscribed = ali.hears().await;
    assert_eq!(
        (told.channel.as_str(), reason(&told).0),
        ("slow", Code::PermissionDenied)
    );
    tokio::time::sleep(2 * A_WHILE).await;
    ali.hears_nothing().await;
}
