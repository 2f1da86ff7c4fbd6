//! Publishing by clients: rights, types, keys, publishers.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use rpc_runtime::{
    Code, Contract, Rate, RateLimit, Status,
    hub::{Anyone, Asks, HistoryQuery, Hub, Joined, LocalBroker, Namespace, Right, Users},
    prost,
    services::hub::{PublishRequest, PublishResponse, TypedMessage},
};

use crate::common::{Moved, Peer, Said, builder, client_as, no, rooms, said, serve, typed};

fn hub() -> Hub {
    Hub::builder()
        .namespace(rooms().events::<Said>())
        .namespace(
            Namespace::<()>::new("told")
                .subscribe(Anyone)
                .publish(Anyone)
                .tell_publisher(),
        )
        .namespace(Namespace::<()>::new("untold").subscribe(Anyone).publish(Anyone))
        .namespace(
            Namespace::<()>::new("closed")
                .subscribe(Users)
                .publish(|_: &Asks, _: &()| no()),
        )
        .namespace(Namespace::<()>::new("undeclared").subscribe(Anyone))
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_a_client_publishes_reaches_the_others_and_itself_unless_it_says_otherwise() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    ali.subscribe("room:5").await;
    bea.subscribe("room:5").await;
    let response = ali.publish("room:5", &said("hello")).await.unwrap();
    let position = response.position.unwrap();
    assert_eq!(
        (position.offset, response.reached, response.duplicate),
        (1, Some(2), false)
    );
    assert_eq!(response.id, format!("{:016x}-1", position.epoch));
    assert_eq!(ali.hears::<Said>().await, said("hello"));
    assert_eq!(bea.hears::<Said>().await, said("hello"));
    let request = PublishRequest {
        channel: "room:5".to_owned(),
        event: typed(&said("again")),
        except_self: true,
        ..PublishRequest::default()
    };
    let response: PublishResponse = ali.call("Publish", &request).await.unwrap();
    assert_eq!(response.reached, Some(1));
    assert_eq!(bea.hears::<Said>().await, said("again"));
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_publishes_in_order_is_heard_in_that_order() {
    let server = serve(&hub());
    let mut bea = Peer::connect_as(&server, "bea").await;
    bea.subscribe("room:5").await;
    let client = client_as(&server, "ali").await;
    for number in 1..=50 {
        let request = PublishRequest {
            channel: "room:5".to_owned(),
            event: typed(&said(&number.to_string())),
            ..PublishRequest::default()
        };
        client.publish(request).await.unwrap();
    }
    for number in 1..=50 {
        let event = bea.event().await;
        assert_eq!(event.offset, number);
        let heard: Said = prost::Message::decode(event.body).unwrap();
        assert_eq!(heard.text, number.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn the_publisher_is_who_the_server_knows_and_told_only_where_the_namespace_says_so() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect(&server).await;
    for channel in ["told", "untold"] {
        bea.subscribe(channel).await;
    }
    ali.publish("told", &said("x")).await.unwrap();
    let event = bea.event().await;
    assert_eq!(
        (event.client_id, event.user_id),
        (ali.id().to_string(), "ali".to_owned())
    );
    // Fields that the contract does not have say nothing, whatever their names are in other messages.
    let mut body = prost::Message::encode_to_vec(&PublishRequest {
        channel: "told".to_owned(),
        event: typed(&said("forged")),
        ..PublishRequest::default()
    });
    for field in 5..=15 {
        prost::encoding::string::encode(field, &"bea".to_owned(), &mut body);
    }
    let stream_id = bea.begin_with("Publish", body.into()).await;
    bea.answer(stream_id).await.unwrap();
    let event = bea.event().await;
    assert_eq!(
        (event.client_id, event.user_id),
        (bea.id().to_string(), String::new())
    );
    let response = ali.publish("untold", &said("x")).await.unwrap();
    assert_eq!(response.reached, None, "how many listen is not told either");
    let event = bea.event().await;
    assert_eq!((event.client_id, event.user_id), (String::new(), String::new()));
}

/// What publishing under a key came to.
async fn publish_keyed(peer: &mut Peer, key: &str, text: &str) -> Result<PublishResponse, Code> {
    let request = PublishRequest {
        channel: "room:5".to_owned(),
        event: typed(&said(text)),
        key: key.to_owned(),
        ..PublishRequest::default()
    };
    let response = peer.call("Publish", &request).await;
    response.map_err(|refused| refused.code())
}

#[tokio::test(start_paused = true)]
async fn a_key_is_stored_once_and_told_nobody() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("room:5").await;
    let first = publish_keyed(&mut ali, "order-5", "once").await.unwrap();
    let second = publish_keyed(&mut ali, "order-5", "once").await.unwrap();
    let position = first.position.unwrap();
    assert_eq!(
        first.id,
        format!("{:016x}-1", position.epoch),
        "an id is the server's"
    );
    assert_eq!((&second.id, second.position), (&first.id, first.position));
    assert_eq!(
        (first.duplicate, second.duplicate, second.reached),
        (false, true, Some(0))
    );
    let event = ali.event().await;
    assert!(
        event.id.is_empty(),
        "what is left out is made of the position: {}",
        event.id
    );
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_key_is_the_users_own_on_all_its_clients_and_nobody_elses() {
    let hub = Hub::builder()
        .namespace(rooms().publish(Anyone).subscribe(Anyone))
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut other_tab = Peer::connect_as(&server, "ali").await;
    let mut mallory = Peer::connect_as(&server, "mallory").await;
    let mut nobody = Peer::connect(&server).await;
    let mut nobody_else = Peer::connect(&server).await;
    // Whoever knows, or guesses, another's key cannot use it up, nor have it answered.
    let first = publish_keyed(&mut mallory, "order-5", "burnt").await.unwrap();
    let own = publish_keyed(&mut ali, "order-5", "paid").await.unwrap();
    assert!(!own.duplicate);
    assert_ne!(own.id, first.id);
    for peer in [&mut nobody, &mut nobody_else] {
        assert!(!publish_keyed(peer, "order-5", "paid").await.unwrap().duplicate);
        assert!(publish_keyed(peer, "order-5", "paid").await.unwrap().duplicate);
    }
    let again = publish_keyed(&mut other_tab, "order-5", "paid").await.unwrap();
    assert_eq!((again.duplicate, &again.id), (true, &own.id));
    // The server's own keys are its own as well, also where it publishes for a client.
    let receipt = hub
        .channel("room:5")
        .key("order-5")
        .publish(&said("paid"))
        .await
        .unwrap();
    assert_eq!((receipt.duplicate, &*receipt.id), (false, "order-5"));
    let receipt = hub
        .channel("room:5")
        .key("order-5")
        .publish(&said("paid"))
        .await
        .unwrap();
    assert!(receipt.duplicate);
    // Who signs in takes none of the keys along.
    nobody.become_user("ali").await;
    let again = publish_keyed(&mut nobody, "order-5", "paid").await.unwrap();
    assert_eq!((again.duplicate, again.id), (true, own.id));
}

#[tokio::test(start_paused = true)]
async fn another_event_with_a_key_that_was_used_is_refused() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("room:5").await;
    publish_keyed(&mut ali, "order-5", "once").await.unwrap();
    ali.hears::<Said>().await;
    let refused = publish_keyed(&mut ali, "order-5", "twice").await;
    assert_eq!(refused, Err(Code::AlreadyExists));
    ali.hears_nothing().await;
    let to = || hub.channel("room:5").key("order-5");
    to().publish(&said("once")).await.unwrap();
    let refused = to().publish(&said("twice")).await.unwrap_err();
    assert!(refused.to_string().contains("a key of its own"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_too_long_or_not_printable_are_invalid() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    for key in [
        "x".repeat(129),
        "a b".to_owned(),
        "new\nline".to_owned(),
        "ä".to_owned(),
    ] {
        let refused = publish_keyed(&mut ali, &key, "").await;
        assert_eq!(refused, Err(Code::InvalidArgument), "{key}");
    }
    // They are no ids: one may look as it likes.
    for key in [
        "0123456789abcdef-7",
        "a.1",
        "00000000-0000-4000-8000-000000000000",
    ] {
        assert!(publish_keyed(&mut ali, key, "").await.is_ok(), "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_publisher_who_fills_its_share_of_the_histories_is_refused_and_others_are_not() {
    let hub = Hub::builder()
        .namespace(rooms().tell_joins())
        .broker(LocalBroker::default().most_of_one_account(20, 1 << 20))
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut mallory = Peer::connect_as(&server, "mallory").await;
    let mut ali = Peer::connect_as(&server, "ali").await;
    for room in 0..20 {
        mallory
            .publish(&format!("room:{room}"), &said("x"))
            .await
            .unwrap();
    }
    let refused = mallory.publish("room:20", &said("x")).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(
        refused.message.contains("this user or client has no room left"),
        "{}",
        refused.message
    );
    // Nor by another connection, nor by coming and going, which is published for it.
    let mut other_tab = Peer::connect_as(&server, "mallory").await;
    let refused = other_tab.publish("room:20", &said("x")).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    mallory.subscribe("room:21").await;
    let history = HistoryQuery {
        limit: 10,
        ..HistoryQuery::default()
    };
    assert!(hub.history("room:21", &history).await.unwrap().events.is_empty());
    ali.publish("room:20", &said("x")).await.unwrap();
    ali.subscribe("room:22").await;
    ali.hears::<Joined>().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_of_a_type_that_the_channel_does_not_allow_or_that_is_too_long_is_invalid() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("room:5").await;
    ali.subscribe("untold").await;
    let refused = ali.publish("room:5", &Moved { to: 1 }).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message.contains(Moved::FULL_NAME), "{}", refused.message);
    let refused = ali
        .publish("room:5", &said(&"x".repeat(65_536)))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    // Where any event is allowed, it still has to be one.
    for type_name in ["", "a b", "x\ny", "chat/Said"] {
        let request = PublishRequest {
            channel: "untold".to_owned(),
            event: TypedMessage {
                type_name: type_name.to_owned(),
                ..TypedMessage::default()
            },
            ..PublishRequest::default()
        };
        let refused = ali
            .call::<PublishResponse>("Publish", &request)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{type_name:?}");
    }
    // The server's own code keeps to the types as well.
    let error = hub.channel("room:5").publish(&Moved { to: 1 }).await.unwrap_err();
    assert!(error.to_string().contains(Moved::FULL_NAME), "{error}");
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn publishing_without_the_right_is_refused_in_the_same_bytes_as_where_no_channel_is() {
    let hub = hub();
    let server = serve(&hub);
    let users_may = ["room:5"].as_slice();
    for (mut peer, users_may) in [
        (Peer::connect_as(&server, "ali").await, [].as_slice()),
        (Peer::connect(&server).await, users_may),
    ] {
        let mut answers = Vec::new();
        let refused = ["closed", "undeclared", "nowhere", "room:x", "rpc:x", "client:5"];
        for channel in refused.iter().chain(users_may) {
            // A type that is not allowed, either, does not tell more.
            let refused = peer.publish(channel, &Moved { to: 1 }).await.unwrap_err();
            answers.push(format!("{refused:?}"));
        }
        assert!(answers[0].contains("there is no such channel"), "{}", answers[0]);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
}

/// Lets everybody publish. For odd rooms the first who asks waits, and the third is refused.
struct Slow(AtomicUsize);

impl Right<(u64,)> for Slow {
    async fn check(&self, _: &Asks, (room,): &(u64,)) -> Result<(), Status> {
        if room % 2 == 0 {
            return Ok(());
        }
        let asked = self.0.fetch_add(1, Ordering::Relaxed);
        match asked {
            0 => tokio::time::sleep(Duration::from_secs(3)).await,
            2 => return Err(Status::permission_denied("not now")),
            _ => {}
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_published_behind_a_right_that_waits_comes_behind_it_and_other_channels_go_on() {
    let rooms = rooms().publish(Slow(AtomicUsize::new(0)));
    let hub = Hub::builder().namespace(rooms).build().unwrap();
    let server = serve(&hub);
    let mut bea = Peer::connect_as(&server, "bea").await;
    bea.subscribe("room:1").await;
    bea.subscribe("room:2").await;
    let mut ali = Peer::connect_as(&server, "ali").await;
    let request = |room: u64, text: &str| PublishRequest {
        channel: format!("room:{room}"),
        event: typed(&said(text)),
        ..PublishRequest::default()
    };
    // None waits for the answer of another.
    for text in ["one", "two", "refused", "three"] {
        ali.begin("Publish", &request(1, text)).await;
    }
    // One that is given up holds up nobody.
    let given_up = ali.begin("Publish", &request(1, "given up")).await;
    let reset = rpc_protocol::frame::Reset {
        code: Code::Cancelled as i32,
    };
    ali.send(given_up, rpc_protocol::FrameKind::Reset(reset)).await;
    ali.begin("Publish", &request(1, "four")).await;
    let elsewhere = ali.begin("Publish", &request(2, "elsewhere")).await;
    ali.answer(elsewhere).await.unwrap();
    assert_eq!(bea.hears::<Said>().await, said("elsewhere"));
    // Another client's events are not held up.
    let mut cid = Peer::connect_as(&server, "cid").await;
    cid.publish("room:1", &said("by another")).await.unwrap();
    assert_eq!(bea.hears::<Said>().await, said("by another"));
    bea.hears_nothing().await;
    for text in ["one", "two", "three", "four"] {
        assert_eq!(bea.hears::<Said>().await, said(text));
    }
    bea.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_rate_of_publishing_holds_for_it_alone() {
    let rate = RateLimit::messages(Rate::per_minute(3))
        .each_session()
        .of_method("rpc.hub.v1.HubService/Publish");
    let server = builder(&hub()).rate_limit(rate).build().unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    for _ in 0..3 {
        ali.publish("room:5", &said("")).await.unwrap();
    }
    let refused = ali.publish("room:5", &said("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    ali.subscribe("room:5").await;
}
