//! What clients publish and send is validated where the events are named: it decodes, and keeps its rules.

use std::time::Duration;

use rpc_protocol::frame;
use rpc_runtime::{
    Code, Contract, Events, contract,
    hub::{Anyone, Asks, Event, HistoryQuery, Hub, Namespace, Retention, Users},
    prost::{Message, bytes::Bytes},
    services::hub::{
        PublishRequest, PublishResponse, SendToClientsRequest, SendToClientsResponse, SendToUsersRequest,
        SendToUsersResponse, TypedMessage,
    },
    validate::Violations,
};

use crate::common::{Moved, Peer, Said, no, serve, typed};

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
pub enum OnBoard {
    Laid(Laid),
    ManyLaid(ManyLaid),
    Said(Said),
}

pub fn hub() -> Hub {
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

pub fn laid(column: i32) -> Laid {
    Laid {
        column,
        remark: String::new(),
    }
}

/// An event of a type with any body.
pub fn with_body<E: Contract>(body: &'static [u8]) -> TypedMessage {
    TypedMessage {
        type_name: E::FULL_NAME.to_owned(),
        body: Bytes::from_static(body),
    }
}

pub fn in_channel(channel: &str, event: TypedMessage) -> PublishRequest {
    PublishRequest {
        channel: channel.to_owned(),
        event,
        ..PublishRequest::default()
    }
}

pub async fn publish(
    peer: &mut Peer,
    channel: &str,
    event: TypedMessage,
) -> Result<PublishResponse, frame::Status> {
    peer.call("Publish", &in_channel(channel, event)).await
}

/// The rules that a status says were broken, as `field rule`.
pub fn broken(refused: &frame::Status) -> Vec<String> {
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

pub async fn kept(hub: &Hub) -> usize {
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
async fn nobody_validates_what_has_no_name_and_what_the_server_publishes_itself() {
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
pub fn many(stones: usize) -> TypedMessage {
    typed(&ManyLaid {
        stones: vec![laid(0); stones],
    })
}

#[tokio::test(start_paused = true)]
async fn what_clients_send_to_users_and_clients_is_validated_where_events_are_named() {
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
    let garbage_to_client = SendToClientsRequest {
        clients: vec![bea.greeting.client_id.clone()],
        event: with_body::<Laid>(&[0xff]),
    };
    let refused = ali
        .call::<SendToClientsResponse>("SendToClients", &garbage_to_client)
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
