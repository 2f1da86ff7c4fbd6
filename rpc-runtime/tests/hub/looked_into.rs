//! What clients publish, send and have presence say is looked into where its types are named: it decodes, in bounded memory, and keeps its rules.

use std::{future::Future, time::Duration};

use rpc_protocol::frame;
use rpc_runtime::{
    Code, Contract, Events, Limits, contract,
    hub::{Anyone, Asks, Event, HistoryQuery, Hub, Namespace, Retention, Users},
    prost::{Message, bytes::Bytes},
    services::hub::{
        PublishRequest, PublishResponse, SendToClientsRequest, SendToClientsResponse, SendToUsersRequest,
        SendToUsersResponse, SubscribeChannel, TypedMessage,
    },
    validate::Violations,
};

use crate::common::{Moved, Peer, Said, builder, no, said, serve, to, typed};

/// A stone was laid.
#[contract(package = "hubtest", detached)]
pub struct Laid {
    #[field(range = 0..=18)]
    pub column: i32,
    #[field(max_len = 5)]
    pub remark: String,
}

impl Event for Laid {}

/// Many stones were laid.
#[contract(package = "hubtest", detached)]
pub struct ManyLaid {
    pub stones: Vec<Laid>,
}

impl Event for ManyLaid {}

/// All that happens on a board.
#[derive(Debug, Events)]
#[allow(dead_code, reason = "what a server allows, and nobody here reads")]
enum OnBoard {
    Laid(Laid),
    ManyLaid(ManyLaid),
    Said(Said),
}

fn hub() -> Hub {
    Hub::builder()
        .namespace(
            Namespace::<(u64,)>::new("board:{id}")
                .events::<OnBoard>()
                .subscribe(Users)
                .publish(Users)
                .keep(Retention::of(100, Duration::from_secs(3_600))),
        )
        .namespace(
            Namespace::<()>::new("closed")
                .events::<OnBoard>()
                .publish(|_: &Asks, (): &()| no()),
        )
        .namespace(Namespace::<()>::new("anything").subscribe(Anyone).publish(Anyone))
        .build()
        .unwrap()
}

fn laid(column: i32) -> Laid {
    Laid {
        column,
        remark: String::new(),
    }
}

/// An event of a type with any body.
fn with_body<E: Contract>(body: &'static [u8]) -> TypedMessage {
    TypedMessage {
        type_name: E::FULL_NAME.to_owned(),
        body: Bytes::from_static(body),
    }
}

fn in_channel(channel: &str, event: TypedMessage) -> PublishRequest {
    PublishRequest {
        channel: channel.to_owned(),
        event,
        ..PublishRequest::default()
    }
}

async fn publish(
    peer: &mut Peer,
    channel: &str,
    event: TypedMessage,
) -> Result<PublishResponse, frame::Status> {
    peer.call("Publish", &in_channel(channel, event)).await
}

/// The rules that a status says were broken, as `field rule`.
fn broken(refused: &frame::Status) -> Vec<String> {
    assert_eq!(refused.code(), Code::InvalidArgument, "{}", refused.message);
    let [detail] = refused.details.as_slice() else {
        panic!("{} details", refused.details.len());
    };
    assert!(
        detail.type_url.ends_with(Violations::FULL_NAME),
        "{}",
        detail.type_url
    );
    let all = <Violations as Message>::decode(detail.value.clone()).unwrap();
    let violations = all.violations.iter();
    violations
        .map(|violation| format!("{} {}", violation.path(), violation.rule_id()))
        .collect()
}

async fn kept(hub: &Hub) -> usize {
    let query = HistoryQuery {
        limit: 100,
        ..HistoryQuery::default()
    };
    hub.history("board:5", &query).await.unwrap().events.len()
}

#[tokio::test(start_paused = true)]
async fn an_event_that_a_client_publishes_keeps_the_rules_of_its_fields_or_reaches_nobody() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("board:5").await;
    let wrong = Laid {
        column: 19,
        remark: "too long".to_owned(),
    };
    let refused = publish(&mut ali, "board:5", typed(&wrong)).await.unwrap_err();
    assert_eq!(
        refused.message,
        "column: must be greater than or equal to 0 and less than or equal to 18 [int32.gte_lte]; remark: must be at most 5 \
         characters [string.max_len]"
    );
    assert_eq!(
        broken(&refused),
        ["column int32.gte_lte", "remark string.max_len"]
    );
    let inside = ManyLaid {
        stones: vec![laid(3), laid(-1)],
    };
    let refused = publish(&mut ali, "board:5", typed(&inside)).await.unwrap_err();
    assert_eq!(broken(&refused), ["stones[1].column int32.gte_lte"]);
    assert_eq!(kept(&hub).await, 0);
    publish(&mut ali, "board:5", typed(&laid(18))).await.unwrap();
    assert_eq!(ali.hears::<Laid>().await, laid(18));
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_of_a_client_that_does_not_decode_reaches_nobody_and_is_a_fault() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("board:5").await;
    for (body, told) in [
        // Invalid UTF-8, and a length that is longer than what is there.
        (
            [18, 1, 0xff].as_slice(),
            "the event does not decode, at field remark",
        ),
        (&[18, 9], "the event does not decode, at field remark"),
        (&[0xff], "the event does not decode"),
    ] {
        let refused = publish(&mut ali, "board:5", with_body::<Laid>(body))
            .await
            .unwrap_err();
        assert_eq!(
            (refused.code(), refused.message.as_str()),
            (Code::InvalidArgument, told)
        );
    }
    // Whoever breaks rules is no attacker.
    for _ in 0..40 {
        let refused = publish(&mut ali, "board:5", typed(&laid(19))).await;
        assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    }
    ali.hears_nothing().await;
    assert_eq!(kept(&hub).await, 0);
    for _ in 3..32 {
        publish(&mut ali, "board:5", with_body::<Laid>(&[0xff]))
            .await
            .unwrap_err();
    }
    let last = in_channel("board:5", with_body::<Laid>(&[0xff]));
    ali.begin("Publish", &last).await;
    assert_eq!(ali.closed().await.0, 4_429);
}

#[tokio::test(start_paused = true)]
async fn what_else_a_newer_client_writes_into_an_event_goes_through_as_it_came() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("board:5").await;
    // Column 3, and a field 15 that nobody here knows.
    let body: &[u8] = &[8, 3, 122, 2, b'h', b'i'];
    publish(&mut ali, "board:5", with_body::<Laid>(body))
        .await
        .unwrap();
    assert_eq!(ali.event().await.body, body);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_publish_is_not_told_what_is_wrong_with_its_event() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    for channel in ["closed", "nowhere"] {
        let refused = publish(&mut ali, channel, with_body::<Laid>(&[0xff]))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{channel}");
    }
    let mut nobody = Peer::connect(&server).await;
    let refused = publish(&mut nobody, "board:5", typed(&laid(19))).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test(start_paused = true)]
async fn nobody_looks_into_what_has_no_name_and_what_the_server_publishes_itself() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("anything").await;
    ali.subscribe("board:5").await;
    publish(&mut ali, "anything", with_body::<Laid>(&[0xff]))
        .await
        .unwrap();
    assert_eq!(ali.event().await.body, [0xff].as_slice());
    hub.channel("board:5").publish(&laid(19)).await.unwrap();
    assert_eq!(ali.hears::<Laid>().await, laid(19));
}

/// So many stones that they are decoded on another thread.
fn many(stones: usize) -> TypedMessage {
    typed(&ManyLaid {
        stones: vec![laid(0); stones],
    })
}

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
        test(go_on).await;
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
async fn what_a_client_sends_comes_in_the_order_of_its_requests_however_long_it_is_looked_into() {
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

#[tokio::test(start_paused = true)]
async fn what_clients_send_to_users_and_clients_is_looked_into_where_events_are_named() {
    let hub = Hub::builder()
        .send_to_users(Anyone)
        .events_to_users::<Laid>()
        .send_to_clients(Anyone)
        .events_to_clients::<OnBoard>()
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    let own_channel = bea.greeting.own_channel.clone();
    for (column, wanted) in [(19, Err(vec!["column int32.gte_lte".to_owned()])), (18, Ok(()))] {
        let event = typed(&laid(column));
        let to_users = SendToUsersRequest {
            users: vec!["bea".to_owned()],
            event: event.clone(),
            ..SendToUsersRequest::default()
        };
        let to_clients = SendToClientsRequest {
            clients: vec![bea.greeting.client_id.clone()],
            event: event.clone(),
        };
        let sent = [
            ali.call::<SendToUsersResponse>("SendToUsers", &to_users)
                .await
                .map(drop),
            ali.call::<SendToClientsResponse>("SendToClients", &to_clients)
                .await
                .map(drop),
            publish(&mut ali, &own_channel, event).await.map(drop),
        ];
        for sent in sent {
            assert_eq!(sent.map_err(|refused| broken(&refused)), wanted);
        }
    }
    for _ in 0..3 {
        assert_eq!(bea.hears::<Laid>().await, laid(18));
    }
    bea.hears_nothing().await;
    // What does not decode is told as well, and to nobody who may not send.
    let garbage = SendToUsersRequest {
        users: vec!["bea".to_owned()],
        event: with_body::<Laid>(&[0xff]),
        ..SendToUsersRequest::default()
    };
    let refused = ali
        .call::<SendToUsersResponse>("SendToUsers", &garbage)
        .await
        .unwrap_err();
    assert_eq!(refused.message, "the event does not decode");
    let closed = Hub::builder().events_to_users::<Laid>().build().unwrap();
    let mut eve = Peer::connect_as(&serve(&closed), "eve").await;
    let refused = eve
        .call::<SendToUsersResponse>("SendToUsers", &garbage)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    // What is not allowed at all is told as before.
    let refused = publish(&mut ali, &own_channel, typed(&Moved { to: 1 }))
        .await
        .unwrap_err();
    assert!(refused.message.contains("not allowed"), "{}", refused.message);
}

/// What others see of somebody at a board.
#[contract(package = "hubtest", detached)]
pub struct Card {
    #[field(max_len = 5)]
    pub doing: String,
}

fn card(doing: &str) -> TypedMessage {
    typed(&Card {
        doing: doing.to_owned(),
    })
}

/// Subscribes, with what presence is to say of the client. Gives the code and text of a refusal.
async fn enter(peer: &mut Peer, channel: &str, presence: TypedMessage) -> Result<(), (Code, String)> {
    let asked = SubscribeChannel {
        presence: Some(presence),
        ..to(channel)
    };
    match peer.ask(asked).await.refused {
        Some(refused) => Err((Code::from_i32(refused.code), refused.message)),
        None => Ok(()),
    }
}

#[tokio::test(start_paused = true)]
async fn what_presence_is_to_say_is_looked_into_where_its_type_is_named() {
    let hub = Hub::builder()
        .namespace(
            Namespace::<(u64,)>::new("board:{id}")
                .subscribe(Users)
                .presence(Users)
                .presence_data::<Card>(),
        )
        .namespace(
            Namespace::<()>::new("closed")
                .subscribe(|_: &Asks, (): &()| no())
                .presence_data::<Card>(),
        )
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let wrong = [
        (
            typed(&said("hi")),
            "presence data is a `hubtest.Card` here, and this is a `hubtest.Said`",
        ),
        (
            card("sleeping"),
            "doing: must be at most 5 characters [string.max_len]",
        ),
        (
            with_body::<Card>(&[10, 9]),
            "the presence data does not decode, at field doing",
        ),
    ];
    for (presence, told) in &wrong {
        let refused = enter(&mut ali, "board:5", presence.clone()).await;
        assert_eq!(refused, Err((Code::InvalidArgument, (*told).to_owned())));
        // Who may not come in is told that, and no more.
        let (code, _) = enter(&mut ali, "closed", presence.clone()).await.unwrap_err();
        assert_eq!(code, Code::PermissionDenied);
    }
    let there = || async {
        let members = hub.members("board:5").await.unwrap();
        members.into_iter().map(|member| member.data).collect::<Vec<_>>()
    };
    assert_eq!(there().await, []);
    assert_eq!(enter(&mut ali, "board:5", card("plays")).await, Ok(()));
    let plays = there().await;
    assert_eq!(plays.len(), 1);
    assert!(plays[0].is_some());
    // Whoever is refused something else stays as it was.
    for (presence, told) in wrong {
        let refused = enter(&mut ali, "board:5", presence).await;
        assert_eq!(refused, Err((Code::InvalidArgument, told.to_owned())));
        assert_eq!(there().await, plays);
    }
    assert_eq!(enter(&mut ali, "board:5", card("waits")).await, Ok(()));
    assert_ne!(there().await, plays);
    // And who says nothing comes in as ever.
    let mut bea = Peer::connect_as(&server, "bea").await;
    bea.subscribe("board:5").await;
    assert_eq!(there().await.len(), 2);
}
