//! Large events and slow rights: what one client publishes and sends keeps its order, and holds up no others.

use std::{future::Future, sync::Arc, time::Duration};

use rpc_runtime::{
    Code, Contract, Limits, Status,
    hub::{Anyone, Asks, Hub, Right},
    prost::Message,
    services::hub::{SendToClientsRequest, SendToUsersRequest},
};
use tokio::sync::Semaphore;

use crate::{
    common::{Peer, Said, builder, said, serve, typed},
    validating::{ManyLaid, OnBoard, broken, hub, in_channel, many, publish},
};

#[tokio::test(start_paused = true)]
async fn an_event_of_many_parts_keeps_its_place() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    bea.subscribe("board:5").await;
    for round in 0..20 {
        let first = ali.begin("Publish", &in_channel("board:5", many(20_000))).await;
        let request = in_channel("board:5", typed(&said(&round.to_string())));
        let second = ali.begin("Publish", &request).await;
        for published in [first, second] {
            ali.answer(published).await.unwrap();
        }
        let event = bea.event().await;
        assert_eq!(event.type_name, ManyLaid::FULL_NAME);
        assert_eq!(
            <ManyLaid as Message>::decode(event.body).unwrap().stones.len(),
            20_000
        );
        assert_eq!(bea.hears::<Said>().await, said(&round.to_string()));
    }
    // What is wrong with such a one is told as well.
    let mut wrong = many(20_000);
    wrong.body = [&wrong.body[..], &[10, 2, 8, 19]].concat().into();
    let refused = publish(&mut ali, "board:5", wrong).await.unwrap_err();
    assert_eq!(broken(&refused), ["stones[20000].column int32.gte_lte"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_would_take_too_much_memory_is_not_decoded() {
    let limits = Limits {
        decode_bytes: 256 << 10,
        ..Limits::default()
    };
    let server = builder(&hub()).limits(limits).build().unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    publish(&mut ali, "board:5", many(1_000)).await.unwrap();
    let refused = publish(&mut ali, "board:5", many(20_000)).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message.as_str()),
        (Code::ResourceExhausted, "the event would take too much memory")
    );
}

/// Runs on one thread, beside one for blocking work, which does nothing until it is told to go on.
fn beside_a_busy_thread<F: Future<Output = ()>>(test: impl FnOnce(std::sync::mpsc::Sender<()>) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let (go_on, waiting) = std::sync::mpsc::channel::<()>();
    runtime.block_on(async move {
        tokio::task::spawn_blocking(move || waiting.recv());
        let test = tokio::time::timeout(Duration::from_secs(60), test(go_on)).await;
        test.expect("goes on");
    });
}

#[test]
fn while_a_large_event_waits_for_another_thread_the_connection_goes_on() {
    beside_a_busy_thread(|go_on| async move {
        let server = serve(&hub());
        let mut ali = Peer::connect_as(&server, "ali").await;
        let mut bea = Peer::connect_as(&server, "bea").await;
        bea.subscribe("board:5").await;
        let given_up = ali.begin("Publish", &in_channel("board:5", many(20_000))).await;
        let behind = ali
            .begin("Publish", &in_channel("board:5", typed(&said("behind"))))
            .await;
        let large = ali.begin("Publish", &in_channel("board:6", many(20_000))).await;
        // Other channels are not held up, and nobody has looked into the first yet.
        publish(&mut ali, "board:7", typed(&said("elsewhere")))
            .await
            .unwrap();
        ali.cancel(given_up).await;
        // What was behind it is next.
        ali.answer(behind).await.unwrap();
        assert_eq!(bea.hears::<Said>().await, said("behind"));
        go_on.send(()).unwrap();
        ali.answer(large).await.unwrap();
        publish(&mut ali, "board:5", typed(&said("last"))).await.unwrap();
        assert_eq!(
            bea.hears::<Said>().await,
            said("last"),
            "what was given up is not there"
        );
    });
}

#[tokio::test(start_paused = true)]
async fn what_a_client_sends_comes_in_the_order_of_its_requests_however_long_it_is_validated() {
    let hub = Hub::builder()
        .send_to_users(Anyone)
        .events_to_users::<OnBoard>()
        .send_to_clients(Anyone)
        .events_to_clients::<OnBoard>()
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    let client = bea.greeting.client_id.clone();
    for round in 0..10 {
        let mut begun = Vec::new();
        for event in [many(20_000), typed(&said(&round.to_string()))] {
            let to_users = SendToUsersRequest {
                users: vec!["bea".to_owned()],
                event: event.clone(),
                ..SendToUsersRequest::default()
            };
            begun.push(ali.begin("SendToUsers", &to_users).await);
            let to_clients = SendToClientsRequest {
                clients: vec![client.clone()],
                event,
            };
            begun.push(ali.begin("SendToClients", &to_clients).await);
        }
        for sent in begun {
            ali.answer(sent).await.unwrap();
        }
        for type_name in [
            ManyLaid::FULL_NAME,
            ManyLaid::FULL_NAME,
            Said::FULL_NAME,
            Said::FULL_NAME,
        ] {
            assert_eq!(bea.event().await.type_name, type_name);
        }
    }
}

/// A right that takes a permit.
struct Permit(Arc<Semaphore>);

impl Right<Arc<str>> for Permit {
    async fn check(&self, _: &Asks, _: &Arc<str>) -> Result<(), Status> {
        self.0.acquire().await.expect("is open").forget();
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_right_to_send_that_is_not_asked_for_in_time_refuses() {
    let hub = Hub::builder()
        .send_to_users(Permit(Arc::new(Semaphore::new(0))))
        .send_to_clients(Anyone)
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let to_users = SendToUsersRequest {
        users: vec!["bea".to_owned()],
        event: typed(&said("hi")),
        ..SendToUsersRequest::default()
    };
    let late = ali.begin("SendToUsers", &to_users).await;
    let own_channel = in_channel(&ali.greeting.own_channel, typed(&said("behind")));
    let behind = ali.begin("Publish", &own_channel).await;
    let begun = tokio::time::Instant::now();
    assert_eq!(ali.answer(late).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(begun.elapsed().as_secs(), 5);
    ali.answer(behind).await.unwrap();
    assert_eq!(ali.hears::<Said>().await, said("behind"));
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_behind_a_right_that_waits_comes_behind_it_also_in_a_clients_own_channel() {
    let slow = Arc::new(Semaphore::new(0));
    let hub = Hub::builder()
        .send_to_users(Permit(slow.clone()))
        .send_to_clients(Anyone)
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    let to_users = SendToUsersRequest {
        users: vec!["bea".to_owned()],
        event: typed(&said("first")),
        ..SendToUsersRequest::default()
    };
    let to_clients = SendToClientsRequest {
        clients: vec![bea.greeting.client_id.clone()],
        event: typed(&said("second")),
    };
    let own_channel = in_channel(&bea.greeting.own_channel, typed(&said("third")));
    let begun = [
        ali.begin("SendToUsers", &to_users).await,
        ali.begin("SendToClients", &to_clients).await,
        ali.begin("Publish", &own_channel).await,
    ];
    bea.hears_nothing().await;
    slow.add_permits(1);
    for sent in begun {
        ali.answer(sent).await.unwrap();
    }
    for text in ["first", "second", "third"] {
        assert_eq!(bea.hears::<Said>().await, said(text));
    }
}
