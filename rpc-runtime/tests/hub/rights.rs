//! Rights that take their time to be asked for, and clients that become other users meanwhile.

use std::time::Duration;

use rpc_runtime::{
    Code, Status,
    hub::{Asks, Hub, Namespace, Right},
    prost::Message,
    services::hub::{SubscribeRequest, SubscribeResponse, Unsubscribed},
};

use crate::{
    by_server::reason,
    common::{Peer, no, said, serve, settle, to},
};

#[tokio::test(start_paused = true)]
async fn a_right_that_does_not_answer_in_time_after_a_change_of_user_ends_the_subscription() {
    /// Answers for `ali` alone.
    struct Hangs;
    impl Right<()> for Hangs {
        async fn check(&self, asks: &Asks, (): &()) -> Result<(), Status> {
            match asks.user() {
                Some("ali") => Ok(()),
                _ => std::future::pending().await,
            }
        }
    }
    let hub = Hub::builder()
        .namespace(Namespace::<()>::new("slow").subscribe(Hangs))
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("slow").await;
    ali.become_user("bea").await;
    let told = tokio::time::timeout(Duration::from_secs(1), ali.hears::<Unsubscribed>())
        .await
        .unwrap();
    assert_eq!(reason(&told).0, Code::Unavailable);
}

/// Lets `ali` in, after a while.
struct Slow;

impl Right<()> for Slow {
    async fn check(&self, asks: &Asks, (): &()) -> Result<(), Status> {
        let is_ali = asks.user() == Some("ali");
        tokio::time::sleep(Duration::from_millis(500)).await;
        if is_ali { Ok(()) } else { no() }
    }
}

fn slow() -> Hub {
    Hub::builder()
        .namespace(Namespace::<()>::new("slow").subscribe(Slow))
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_the_server_grants_while_a_right_is_asked_for_again_stays() {
    let hub = slow();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("slow").await;
    ali.become_user("bea").await;
    settle().await;
    assert_eq!(hub.subscribe(ali.id(), "slow").await.unwrap(), 1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        hub.channel("slow").publish(&said("x")).await.unwrap().reached,
        Some(1)
    );
}

#[tokio::test(start_paused = true)]
async fn who_becomes_another_user_while_it_subscribes_does_not_slip_in() {
    let hub = slow();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let request = SubscribeRequest {
        channels: vec![to("slow")],
    };
    let stream_id = ali.begin("Subscribe", &request).await;
    settle().await;
    ali.become_user("bea").await;
    let answer = ali.answer(stream_id).await.unwrap();
    let answer: SubscribeResponse = Message::decode(answer).unwrap();
    let refused = answer.answers[0].refused.as_ref().unwrap();
    assert_eq!(Code::from_i32(refused.code), Code::PermissionDenied);
    assert_eq!(
        hub.channel("slow").publish(&said("x")).await.unwrap().reached,
        Some(0)
    );
}
