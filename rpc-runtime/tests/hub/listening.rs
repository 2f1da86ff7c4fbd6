//! How many channels are there because of one user, or of those whom nobody knows at one address.

use std::time::Duration;

use rpc_protocol::frame::AuthenticationPurpose;
use rpc_runtime::{
    Code, ConnectInfo, Server, ServerLimits, Status,
    hub::{Anyone, Asks, Hub, Namespace, OnSubscribe, Right, Snapshot, Subscriber},
    prost::Message,
    services::hub::{SubscribeRequest, SubscribeResponse},
};
use tokio::time::sleep;

use crate::common::{Peer, Said, builder, info, no, said, settle, to};

/// Takes a second to let in everybody but bea, and another to find that there is no snapshot.
struct Slow;

impl Right<(u64,)> for Slow {
    async fn check(&self, asks: &Asks, _: &(u64,)) -> Result<(), Status> {
        sleep(Duration::from_millis(800)).await;
        match asks.user() {
            Some("bea") => no(),
            _ => Ok(()),
        }
    }
}

impl OnSubscribe<(u64,)> for Slow {
    async fn snapshot(&self, _: &Asks, _: &(u64,)) -> Result<Snapshot, Status> {
        sleep(Duration::from_millis(800)).await;
        Ok(Snapshot::none())
    }
}

/// A server on which a user has three channels to itself, and an address two. Some of them are slow.
fn server() -> (Hub, Server) {
    let rooms = Namespace::<(u64,)>::new("room:{id}").subscribe(Anyone);
    let slow = Namespace::<(u64,)>::new("slow:{id}")
        .subscribe(Slow)
        .on_subscribe(Slow);
    let hub = Hub::builder().namespace(rooms).namespace(slow).build().unwrap();
    let limits = ServerLimits {
        channels_per_user: 3,
        channels_per_address: 2,
        ..ServerLimits::default()
    };
    let server = builder(&hub).server_limits(limits).build().unwrap();
    (hub, server)
}

async fn hears(peer: &mut Peer, rooms: impl IntoIterator<Item = u64>) {
    for room in rooms {
        peer.subscribe(&format!("room:{room}")).await;
    }
}

async fn is_refused(peer: &mut Peer, room: u64) {
    let answer = peer.try_subscribe(&format!("room:{room}")).await;
    let code = answer.refused.map(|refused| Code::from_i32(refused.code));
    assert_eq!(code, Some(Code::ResourceExhausted));
    assert_eq!(answer.number, 0);
}

async fn leaves(peer: &mut Peer, room: u64) {
    assert!(peer.unsubscribe(&format!("room:{room}")).await);
}

fn from(address: &str) -> ConnectInfo {
    info("").with_remote_addr((address.parse::<std::net::IpAddr>().unwrap(), 4_321).into())
}

#[tokio::test(start_paused = true)]
async fn one_users_connections_do_not_have_all_channels_that_may_be_heard() {
    let (_hub, server) = server();
    let mut first = Peer::connect_as(&server, "ali").await;
    let mut second = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    hears(&mut first, 1..=2).await;
    // What others hear takes nothing more.
    hears(&mut bea, 4..=5).await;
    hears(&mut first, 4..=5).await;
    hears(&mut second, [1, 3]).await;
    is_refused(&mut first, 6).await;
    is_refused(&mut second, 6).await;
    // Nobody else is concerned.
    hears(&mut bea, [6]).await;
    leaves(&mut first, 2).await;
    hears(&mut second, [7]).await;
    is_refused(&mut first, 8).await;
    // With its connections everything goes.
    first.vanish().await;
    second.vanish().await;
    let mut third = Peer::connect_as(&server, "ali").await;
    hears(&mut third, 11..=13).await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_left_is_on_the_account_of_one_who_is_left_also_where_that_is_full() {
    let (_hub, server) = server();
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    hears(&mut ali, 1..=3).await;
    hears(&mut bea, (1..=2).chain(4..=6)).await;
    leaves(&mut ali, 1).await;
    hears(&mut ali, [7]).await;
    is_refused(&mut ali, 8).await;
    // It has four of its own now: one has to go, and then another, before there is room.
    is_refused(&mut bea, 8).await;
    leaves(&mut bea, 4).await;
    is_refused(&mut bea, 8).await;
    leaves(&mut bea, 1).await;
    hears(&mut bea, [8]).await;
    is_refused(&mut bea, 9).await;
}

#[tokio::test(start_paused = true)]
async fn two_who_take_turns_have_no_more_channels_than_both_may_have() {
    let (hub, server) = server();
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    hears(&mut ali, 1..=3).await;
    hears(&mut bea, 1..=3).await;
    for room in 1..=3 {
        leaves(&mut ali, room).await;
    }
    hears(&mut ali, 4..=6).await;
    // They could be left to bea, which has as many as it may have. What is on bea's own account takes nothing.
    for room in 4..=6 {
        is_refused(&mut bea, room).await;
    }
    hears(&mut Peer::connect_as(&server, "bea").await, 1..=3).await;
    // The server may, and whoever has room.
    assert_eq!(hub.subscribe(bea.id(), "room:4").await.unwrap(), 1);
    leaves(&mut bea, 3).await;
    hears(&mut bea, [5]).await;
}

#[tokio::test(start_paused = true)]
async fn who_becomes_another_user_takes_its_channels_along() {
    let (_hub, server) = server();
    let mut ali = Peer::connect_as(&server, "ali").await;
    hears(&mut ali, 1..=3).await;
    let mut other = Peer::connect_as(&server, "ali").await;
    is_refused(&mut other, 4).await;
    ali.become_user("bea").await;
    settle().await;
    hears(&mut other, 4..=6).await;
    is_refused(&mut ali, 7).await;
}

#[tokio::test(start_paused = true)]
async fn those_whom_nobody_knows_have_one_account_for_each_address() {
    let (_hub, server) = server();
    let mut first = Peer::connect_with(&server, from("192.0.2.1")).await;
    let mut second = Peer::connect_with(&server, from("192.0.2.1")).await;
    hears(&mut first, [1]).await;
    hears(&mut second, [2]).await;
    is_refused(&mut first, 3).await;
    let mut elsewhere = Peer::connect_with(&server, from("192.0.2.2")).await;
    hears(&mut elsewhere, 3..=4).await;
    is_refused(&mut elsewhere, 5).await;
    // Of IPv6 a host has a whole network of addresses.
    let mut here = Peer::connect_with(&server, from("2001:db8::1")).await;
    let mut there = Peer::connect_with(&server, from("2001:db8::2")).await;
    hears(&mut here, [6]).await;
    hears(&mut there, [7]).await;
    is_refused(&mut here, 8).await;
    // Who is known is on an account of its own.
    first.become_user("ali").await;
    settle().await;
    hears(&mut first, 9..=10).await;
    is_refused(&mut first, 11).await;
    hears(&mut second, [11]).await;
}

/// Is another from now on, so many milliseconds later.
async fn becomes(peer: &mut Peer, after: u64, user: &str) {
    sleep(Duration::from_millis(after)).await;
    let purpose = match user {
        "" => AuthenticationPurpose::SignOut,
        _ => AuthenticationPurpose::ChangeUser,
    };
    peer.authenticate(purpose, user).await;
}

#[tokio::test(start_paused = true)]
async fn channels_are_on_the_account_of_whom_a_session_is_in_the_end_also_where_it_changes_on_its_way_in() {
    // While the snapshots are made; or nobody again, where it was somebody when the right was there.
    for changes in [&[(1_200, "ali")][..], &[(400, "ali"), (800, "")]] {
        let (_hub, server) = server();
        let mut first = Peer::connect_with(&server, from("192.0.2.1")).await;
        let channels = ["slow:1", "slow:2"].map(to).to_vec();
        let stream_id = first.begin("Subscribe", &SubscribeRequest { channels }).await;
        for &(after, user) in changes {
            becomes(&mut first, after, user).await;
        }
        let answers = SubscribeResponse::decode(first.answer(stream_id).await.unwrap()).unwrap();
        assert!(answers.answers.iter().all(|answer| answer.refused.is_none()));
        let mut second = Peer::connect_with(&server, from("192.0.2.1")).await;
        let mut ali = Peer::connect_as(&server, "ali").await;
        if changes.len() == 1 {
            hears(&mut second, 1..=2).await;
            hears(&mut ali, [3]).await;
        } else {
            is_refused(&mut second, 1).await;
            hears(&mut ali, 1..=3).await;
        }
        is_refused(&mut second, 4).await;
        is_refused(&mut ali, 4).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_server_grants_somebody_who_hears_it_already_is_on_no_account_any_more() {
    let (hub, server) = server();
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut cid = Peer::connect_as(&server, "cid").await;
    hears(&mut ali, 1..=3).await;
    hears(&mut cid, [2]).await;
    is_refused(&mut ali, 4).await;
    assert_eq!(hub.subscribe(ali.id(), "room:1").await.unwrap(), 1);
    hears(&mut ali, [4]).await;
    // One that is left to another is on the other's.
    assert_eq!(hub.subscribe(ali.id(), "room:2").await.unwrap(), 1);
    hears(&mut ali, [5]).await;
    is_refused(&mut ali, 6).await;
    hears(&mut cid, 7..=8).await;
    is_refused(&mut cid, 9).await;
    leaves(&mut cid, 2).await;
    hears(&mut cid, [9]).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_server_grants_somebody_who_loses_the_right_is_not_on_the_account_of_whom_it_was_before() {
    let (hub, server) = server();
    let mut ali = Peer::connect_as(&server, "ali").await;
    assert_eq!(ali.subscribe("slow:1").await.refused, None);
    ali.become_user("bea").await;
    settle().await;
    assert_eq!(hub.subscribe(ali.id(), "slow:1").await.unwrap(), 1);
    sleep(Duration::from_secs(2)).await;
    hub.channel("slow:1").publish(&said("x")).await.unwrap();
    assert_eq!(ali.hears::<Said>().await, said("x"), "it still hears the channel");
    for name in ["ali", "bea"] {
        let mut other = Peer::connect_as(&server, name).await;
        hears(&mut other, 1..=3).await;
        is_refused(&mut other, 4).await;
        other.vanish().await;
    }
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_server_subscribes_somebody_to_is_on_no_account() {
    let (hub, server) = server();
    let mut ali = Peer::connect_as(&server, "ali").await;
    for room in 1..=10 {
        let heard = hub
            .subscribe(Subscriber::user("ali"), format!("room:{room}"))
            .await;
        assert_eq!(heard.unwrap(), 1);
        ali.event().await;
    }
    hears(&mut ali, 11..=13).await;
    is_refused(&mut ali, 14).await;
    // Nor is a channel in which only such a one is left.
    let mut bea = Peer::connect_as(&server, "bea").await;
    hears(&mut bea, 1..=3).await;
    is_refused(&mut bea, 21).await;
    leaves(&mut bea, 1).await;
    hears(&mut bea, [21]).await;
    is_refused(&mut ali, 14).await;
    let reason = Status::aborted("it is over");
    assert_eq!(
        hub.unsubscribe(Subscriber::user("ali"), "room:11", &reason)
            .unwrap(),
        1
    );
    ali.event().await;
    hears(&mut ali, [14]).await;
}
