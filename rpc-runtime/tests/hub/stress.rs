//! Publishers, subscribers, and clients that come and go, on several threads at once: everybody has everything, in one order.

use std::collections::HashMap;

use rpc_runtime::{
    Code, Contract,
    hub::{Anyone, Hub, Namespace, Retention},
    prost::Message,
};

use crate::common::{Moved, Peer, Said, builder, said};

const PUBLISHERS: i32 = 6;
const EVENTS: i32 = 200;

fn hub(keep: Retention) -> Hub {
    let rooms = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Anyone)
        .keep(keep)
        .most_subscribers(12);
    Hub::builder().namespace(rooms).build().unwrap()
}

/// Reads numbers until `Said` comes.
async fn heard(mut peer: Peer) -> Vec<(u64, i32)> {
    let mut heard = Vec::new();
    loop {
        let event = peer.event().await;
        if event.type_name == Said::FULL_NAME {
            return heard;
        }
        heard.push((event.offset, Moved::decode(event.body).unwrap().to));
    }
}

async fn everybody_has_everything_in_one_order(keep: Retention) {
    let hub = hub(keep);
    let server = builder(&hub).build().unwrap();
    let mut subscribers = Vec::new();
    for _ in 0..4 {
        let mut peer = Peer::connect(&server).await;
        peer.subscribe("room:1").await;
        subscribers.push(tokio::spawn(heard(peer)));
    }
    let left_out = {
        let mut peer = Peer::connect(&server).await;
        peer.subscribe("room:1").await;
        peer
    };
    let nobody = left_out.id();
    let left_out = tokio::spawn(heard(left_out));
    let mut coming_and_going = Vec::new();
    for _ in 0..4 {
        let server = server.clone();
        coming_and_going.push(tokio::spawn(async move {
            let mut peer = Peer::connect(&server).await;
            for _ in 0..50 {
                peer.subscribe("room:1").await;
                assert!(peer.unsubscribe("room:1").await);
            }
            // What came before it unsubscribed is all that it ever hears.
            peer.events.clear();
            peer.hears_nothing().await;
        }));
    }
    let mut publishers = Vec::new();
    for publisher in 0..PUBLISHERS {
        let hub = hub.clone();
        publishers.push(tokio::spawn(async move {
            for number in 0..EVENTS {
                let to = publisher * EVENTS + number;
                let receipt = hub.channel("room:1").except(nobody).publish(&Moved { to }).await;
                assert!((4..=8).contains(&receipt.unwrap().reached.unwrap()));
                tokio::task::yield_now().await;
            }
        }));
    }
    for done in publishers.into_iter().chain(coming_and_going) {
        done.await.unwrap();
    }
    let receipt = hub.channel("room:1").publish(&said("the end")).await.unwrap();
    assert_eq!(receipt.reached, Some(5), "whoever has gone is counted no more");
    assert!(left_out.await.unwrap().is_empty());
    let mut first: Option<Vec<_>> = None;
    for subscriber in subscribers {
        let heard = subscriber.await.unwrap();
        assert_eq!(heard.len(), (PUBLISHERS * EVENTS) as usize, "each once");
        let mut next = HashMap::new();
        for (place, (offset, number)) in heard.iter().enumerate() {
            let expected = if keep == Retention::NONE {
                0
            } else {
                place as u64 + 1
            };
            assert_eq!(*offset, expected);
            let before = next.insert(number / EVENTS, number % EVENTS);
            assert_eq!(
                before.map_or(0, |before| before + 1),
                number % EVENTS,
                "in each publisher's order"
            );
        }
        assert_eq!(*first.get_or_insert(heard.clone()), heard, "all have one order");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_subscribers_have_everything_in_one_order_while_others_come_and_go() {
    everybody_has_everything_in_one_order(Retention::NONE).await;
    everybody_has_everything_in_one_order(Retention::of(10, std::time::Duration::from_secs(60))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_who_come_at_once_no_more_subscribe_than_may() {
    let hub = hub(Retention::NONE);
    let server = builder(&hub).build().unwrap();
    let mut coming = Vec::new();
    for _ in 0..30 {
        let server = server.clone();
        coming.push(tokio::spawn(async move {
            let mut peer = Peer::connect(&server).await;
            let refused = peer.try_subscribe("room:1").await.refused;
            (peer, refused.map(|refused| refused.code))
        }));
    }
    let mut peers = Vec::new();
    let mut refused = 0;
    for coming in coming {
        let (peer, code) = coming.await.unwrap();
        if let Some(code) = code {
            assert_eq!(code, Code::ResourceExhausted as i32);
            refused += 1;
        }
        peers.push(peer);
    }
    assert_eq!(refused, 30 - 12);
    let receipt = hub.channel("room:1").publish(&said("hello")).await.unwrap();
    assert_eq!(receipt.reached, Some(12));
}
