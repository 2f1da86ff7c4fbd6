//! Calls over CMMV's wire: what they answer, and that they pass what every call passes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpc_runtime::{CloseCode, ConnectInfo, Context, Hooks, Limits, Rate, RateLimit, Session, Status};

use crate::{
    peer::{ADD, Changed, DELETE, Deleted, ERRORS, GET_ALL, Item, List, Peer, UPDATE, add_request, id},
    service::{MANY, TaskGateway, builder, server},
};
use prost::Message as _;
use rpc_runtime::prost;

const NOT_FOUND: i32 = 5;
const INVALID_ARGUMENT: i32 = 3;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNAVAILABLE: i32 = 14;

#[tokio::test(start_paused = true)]
async fn every_scalar_of_an_answer_is_written_and_the_id_stands_beside_the_item() {
    let peer = &mut Peer::connect(&server()).await;
    peer.send(ADD, &add_request("Buy milk")).await;
    let added: Changed = peer.answer(ADD + 1).await;
    let milk = Item {
        label: Some("Buy milk".to_owned()),
        checked: Some(false),
        removed: Some(false),
        id: None,
    };
    assert_eq!(added.id.as_deref(), Some("1"));
    assert_eq!(added.item.as_ref(), Some(&milk));

    peer.send(GET_ALL, b"").await;
    let list: List = peer.answer(GET_ALL + 1).await;
    assert_eq!(list.items.unwrap().items, [milk]);

    peer.send(DELETE, &id("2").encode_to_vec()).await;
    let deleted: Deleted = peer.answer(DELETE + 1).await;
    let expected = Deleted {
        success: Some(false),
        affected: Some(0),
        id: Some("2".to_owned()),
    };
    assert_eq!(deleted, expected);
}

#[tokio::test(start_paused = true)]
async fn an_empty_list_is_a_list() {
    let peer = &mut Peer::connect(&server()).await;
    peer.send(GET_ALL, b"").await;
    let list: List = peer.answer(GET_ALL + 1).await;
    assert_eq!(list.items.expect("it is there").items, []);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_an_error_with_the_code_the_text_and_the_name_of_the_message() {
    let peer = &mut Peer::connect(&server()).await;
    let request = Changed {
        item: Some(Item {
            label: Some("x".to_owned()),
            ..Item::default()
        }),
        ..id("9")
    };
    peer.send(UPDATE, &request.encode_to_vec()).await;
    let expected = (
        NOT_FOUND,
        "there is no task \"9\"".to_owned(),
        "UpdateTaskRequest".to_owned(),
    );
    assert_eq!(peer.error().await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_call_passes_rules_guards_and_interceptors() {
    let peer = &mut Peer::connect(&server()).await;
    peer.send(ADD, &add_request("")).await;
    let (code, text, _) = peer.error().await;
    assert_eq!(code, INVALID_ARGUMENT);
    assert!(text.contains("item.label"), "{text}");

    let rude = http::Request::get("/rpc?rude").body(()).unwrap();
    let peer = &mut Peer::connect_as(&server(), ConnectInfo::from_request(&rude), 64 << 10).await;
    peer.send(ADD, &add_request("x")).await;
    assert_eq!(peer.error().await.0, PERMISSION_DENIED);

    let server = builder(TaskGateway::default())
        .interceptor(|_: &mut Context| Err(Status::unavailable("not today")))
        .build()
        .unwrap();
    let peer = &mut Peer::connect(&server).await;
    peer.send(GET_ALL, b"").await;
    assert_eq!(peer.error().await.0, UNAVAILABLE);
}

#[tokio::test(start_paused = true)]
async fn a_call_counts_on_the_rates_of_its_session() {
    let once = RateLimit::messages(Rate::per_minute(1)).each_session();
    let server = builder(TaskGateway::default()).rate_limit(once).build().unwrap();
    let peer = &mut Peer::connect(&server).await;
    peer.send(GET_ALL, b"").await;
    peer.answer::<List>(GET_ALL + 1).await;
    peer.send(GET_ALL, b"").await;
    assert_eq!(peer.error().await.0, RESOURCE_EXHAUSTED);
}

/// Both ways what is longer than a frame goes in parts, which the client sees nothing of.
#[tokio::test(start_paused = true)]
async fn long_messages_and_long_answers_are_whole() {
    let limits = Limits {
        message_bytes: 2 << 20,
        ..Limits::default()
    };
    let server = builder(TaskGateway::default()).limits(limits).build().unwrap();
    let peer = &mut Peer::connect(&server).await;
    // Too long for the rule, which says so: it has arrived.
    peer.send(ADD, &add_request(&"x".repeat(1_500_000))).await;
    // Behind it, while the connection's window is shut: what has no body overtakes.
    peer.send(ADD, &add_request("")).await;
    peer.send(GET_ALL, b"").await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        let call = peer.call().await;
        answers.push((call.contract, call.message));
    }
    answers.sort_unstable();
    assert_eq!(answers, [(0, GET_ALL + 1), (ERRORS, 0), (ERRORS, 0)]);

    peer.send(ADD, &add_request("many")).await;
    peer.answer::<Changed>(ADD + 1).await;
    peer.send(GET_ALL, b"").await;
    let list: List = peer.answer(GET_ALL + 1).await;
    assert_eq!(list.items.unwrap().items.len(), MANY);
}

/// What a long answer takes of the connection's window is given back while the client is in the middle of a message.
#[tokio::test(start_paused = true)]
async fn a_long_answer_comes_while_a_message_is_not_whole() {
    let peer = &mut Peer::connect(&server()).await;
    peer.send(ADD, &add_request("many")).await;
    peer.answer::<Changed>(ADD + 1).await;
    for _ in 0..3 {
        peer.send(GET_ALL, b"").await;
    }
    // `WsCall { message = 8 }` in a frame of its own, whose last byte is missing.
    peer.write(&[0x82, 0x82, 0, 0, 0, 0, 0x10]).await;
    for _ in 0..3 {
        let list: List = peer.answer(GET_ALL + 1).await;
        assert_eq!(list.items.unwrap().items.len(), MANY);
    }
    peer.write(&[0x08]).await;
    peer.answer::<List>(GET_ALL + 1).await;
}

#[tokio::test(start_paused = true)]
async fn answers_come_as_calls_end_and_a_server_that_stops_waits_for_them() {
    let gateway = TaskGateway::default();
    let permits = gateway.permits.clone();
    let server = builder(gateway).build().unwrap();
    let peer = &mut Peer::connect(&server).await;
    peer.send(DELETE, &id("held").encode_to_vec()).await;
    peer.send(GET_ALL, b"").await;
    peer.answer::<List>(GET_ALL + 1).await;

    let stopping = tokio::spawn({
        let server = server.clone();
        async move { server.shutdown().await }
    });
    while server.is_ready() {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    peer.send(GET_ALL, b"").await;
    assert_eq!(peer.error().await.0, UNAVAILABLE);
    permits.add_permits(1);
    let deleted: Deleted = peer.answer(DELETE + 1).await;
    assert_eq!(deleted.id.as_deref(), Some("held"));
    assert_eq!(peer.closed().await.0, 1012);
    stopping.await.unwrap();
}

/// Counts sessions that wait for their clients, and those that are over.
#[derive(Default)]
struct Seen {
    detached: AtomicUsize,
    gone: AtomicUsize,
}

struct Watching(Arc<Seen>);

impl Hooks for Watching {
    fn on_detach(&self, _: &Arc<Session>) {
        self.0.detached.fetch_add(1, Ordering::SeqCst);
    }

    async fn on_disconnect(&self, _: &Arc<Session>, _: CloseCode, _: &str) {
        self.0.gone.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_with_its_connection_because_nobody_could_come_back_to_it() {
    let limits = Limits {
        resume_window: Duration::from_secs(60),
        ..Limits::default()
    };
    let seen = Arc::new(Seen::default());
    let server = builder(TaskGateway::default())
        .limits(limits)
        .hooks(Watching(seen.clone()));
    let mut peer = Peer::connect(&server.build().unwrap()).await;
    peer.send(GET_ALL, b"").await;
    peer.answer::<List>(GET_ALL + 1).await;
    drop(peer.socket);
    peer.serving.await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let counts = (
        seen.detached.load(Ordering::SeqCst),
        seen.gone.load(Ordering::SeqCst),
    );
    assert_eq!(counts, (0, 1));
}
