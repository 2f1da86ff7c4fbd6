//! Attacks on the hub's service by clients that speak frames by hand.

use std::time::Duration;

use rpc_runtime::{
    Code, Context, Status,
    hub::{Anyone, Asks, HasRole, Hub, LocalBroker, Namespace, Retention, Users},
    services::{
        admin::{self, AdminClient, StatsRequest},
        hub::{
            ChannelPosition, HistoryRequest, HistoryResponse, PresenceRequest, PresenceResponse,
            SubscribeChannel, SubscribeRequest, SubscribeResponse, UnsubscribeRequest, UnsubscribeResponse,
        },
    },
};

use crate::common::{Peer, builder, client_as, no, rooms, said, serve, settle, to, typed};

fn hub() -> Hub {
    Hub::builder()
        .namespace(rooms())
        .namespace(Namespace::<()>::new("closed").subscribe(|_: &Asks, (): &()| no()))
        .namespace(Namespace::<()>::new("undeclared"))
        .namespace(
            Namespace::<()>::new("gone")
                .subscribe(|_: &Asks, (): &()| Err(Status::not_found("no such room"))),
        )
        .namespace(Namespace::<()>::new("staff").subscribe(HasRole("staff".to_owned())))
        .namespace(
            Namespace::<()>::new("members")
                .subscribe(|_: &Asks, (): &()| Err(Status::unauthenticated("for members of room 5"))),
        )
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn subscribing_without_the_right_is_refused_in_the_same_bytes_as_where_no_channel_is() {
    let server = serve(&hub());
    let position = ChannelPosition { epoch: 1, offset: 1 };
    // Who is anonymous is told the same of what a user may hear; that it might log in, wherever it asks.
    for (mut peer, code, may_as_user) in [
        (
            Peer::connect_as(&server, "ali").await,
            Code::PermissionDenied,
            [].as_slice(),
        ),
        (Peer::connect(&server).await, Code::Unauthenticated, &["room:5"]),
    ] {
        let mut answers = Vec::new();
        let refused = [
            "closed",
            "undeclared",
            "gone",
            "staff",
            "members",
            "nowhere",
            "room:x",
            "room:5:6",
            "rpc:x",
            "client:5",
        ];
        for channel in refused.iter().chain(may_as_user) {
            for answer in [
                peer.try_subscribe(channel).await,
                peer.recover(channel, position).await,
            ] {
                assert_eq!(answer.channel, *channel);
                let refused = answer.refused.as_ref().unwrap();
                assert_eq!(Code::from_i32(refused.code), code, "{channel}");
                // All else of the answer is the same, and says nothing.
                answers.push(format!(
                    "{:?}",
                    rpc_runtime::services::hub::SubscribeAnswer {
                        channel: String::new(),
                        ..answer
                    }
                ));
            }
        }
        assert!(answers[0].contains("there is no such channel"), "{}", answers[0]);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_user_does_not_fill_the_broker_by_what_presence_says_of_its_clients() {
    let broker = LocalBroker::default()
        .most_history_bytes(1 << 20)
        .most_of_one_account(1_000, 64 << 10);
    let hub = Hub::builder().namespace(rooms()).broker(broker).build().unwrap();
    let server = serve(&hub);
    let mut bea = Peer::connect_as(&server, "bea").await;
    let since = bea.subscribe("room:0").await.position.unwrap();
    let says = |channel: String| SubscribeChannel {
        presence: Some(typed(&said(&"x".repeat(4_000)))),
        ..to(&channel)
    };
    let mut tabs = Vec::new();
    let mut refused = Vec::new();
    for tab in 0..3 {
        let mut mallory = Peer::connect_as(&server, "mallory").await;
        for room in 0..100 {
            let answer = mallory
                .ask(says(format!("room:{}", 1_000 + 100 * tab + room)))
                .await;
            refused.extend(answer.refused);
        }
        tabs.push(mallory);
    }
    // 64 KiB are fourteen of these, whichever connection they are of.
    assert_eq!(refused.len(), 300 - 14);
    for refused in &refused {
        assert_eq!(Code::from_i32(refused.code), Code::ResourceExhausted);
        assert!(
            refused.message.contains("leave some channels"),
            "{}",
            refused.message
        );
    }
    // Nobody else is concerned.
    bea.ask(says("room:1".to_owned())).await;
    for _ in 0..50 {
        bea.publish("room:0", &said("hello")).await.unwrap();
    }
    assert_eq!(bea.recover("room:0", since).await.events.len(), 50);
    // Nor is the user, once it has left some.
    let mut first = tabs.remove(0);
    first.ask(says("room:99".to_owned())).await.refused.unwrap();
    assert!(first.unsubscribe("room:1000").await);
    settle().await;
    assert_eq!(first.ask(says("room:99".to_owned())).await.refused, None);
}

#[tokio::test(start_paused = true)]
async fn subscriptions_without_number_leave_room_for_what_is_published() {
    let any = Namespace::<(u64,)>::new("any:{id}")
        .subscribe(Anyone)
        .publish(Anyone)
        .keep(Retention::of(10, Duration::from_secs(60)));
    let hub = Hub::builder()
        .namespace(any)
        .broker(LocalBroker::default().most_channels(400))
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut clients = Vec::new();
    let mut heard = 0;
    for client in 0..5 {
        let mut peer = Peer::connect(&server).await;
        let names = (0..100).map(|id| format!("any:{}", client * 100 + id));
        let channels = names.map(|name| to(&name)).collect();
        let request = SubscribeRequest { channels };
        let response: SubscribeResponse = peer.call("Subscribe", &request).await.unwrap();
        for refused in response.answers.into_iter().map(|answer| answer.refused) {
            match refused {
                None => heard += 1,
                Some(refused) => assert_eq!(Code::from_i32(refused.code), Code::ResourceExhausted),
            }
        }
        clients.push(peer);
    }
    assert_eq!(heard, 300, "three quarters");
    let mut ali = Peer::connect_as(&server, "ali").await;
    for id in 0..100 {
        ali.publish(&format!("any:{}", 1_000 + id), &said("x"))
            .await
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn names_with_anything_special_in_them_are_invalid_for_every_method() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    let long = "x".repeat(256);
    for name in [
        "",
        "room:*",
        "room:>",
        "room:5\r\nset",
        "a b",
        "room:",
        "a::b",
        "../x",
        "{id}",
        "ä",
        "\u{202e}x",
        "a\0b",
        &long,
    ] {
        let refused = ali.try_subscribe(name).await.refused.unwrap();
        assert_eq!(Code::from_i32(refused.code), Code::InvalidArgument, "{name:?}");
        let channels = vec![name.to_owned()];
        let unsubscribed = ali
            .call::<UnsubscribeResponse>("Unsubscribe", &UnsubscribeRequest { channels })
            .await;
        let unsubscribed = unsubscribed.unwrap().answers.remove(0).refused.unwrap();
        let published = ali.publish(name, &said("")).await;
        let presence = PresenceRequest {
            channel: name.to_owned(),
            counts_only: false,
            ..PresenceRequest::default()
        };
        let presence = ali.call::<PresenceResponse>("Presence", &presence).await;
        let history = HistoryRequest {
            channel: name.to_owned(),
            ..HistoryRequest::default()
        };
        let history = ali.call::<HistoryResponse>("History", &history).await;
        let codes = [
            Code::from_i32(unsubscribed.code),
            published.unwrap_err().code(),
            presence.unwrap_err().code(),
            history.unwrap_err().code(),
        ];
        assert_eq!(codes, [Code::InvalidArgument; 4], "{name:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn channels_that_are_subscribed_to_and_left_again_leave_nothing_behind() {
    let hub = Hub::builder()
        .namespace(
            Namespace::<(u64,)>::new("any:{id}")
                .subscribe(Anyone)
                .presence(Users),
        )
        .build()
        .unwrap();
    let server = builder(&hub)
        .service(admin::gateway())
        .guard("admin", |_: &Context| Ok(()))
        .build()
        .unwrap();
    let mut ali = Peer::connect(&server).await;
    for round in 0..20 {
        let names: Vec<_> = (0..100).map(|id| format!("any:{}", round * 100 + id)).collect();
        let channels = names.iter().map(|name| to(name)).collect();
        let response: SubscribeResponse = ali
            .call("Subscribe", &SubscribeRequest { channels })
            .await
            .unwrap();
        assert!(response.answers.iter().all(|answer| answer.refused.is_none()));
        if round % 2 == 0 {
            let request = UnsubscribeRequest { channels: names };
            let _: UnsubscribeResponse = ali.call("Unsubscribe", &request).await.unwrap();
        }
    }
    let admin = AdminClient::new(client_as(&server, "root").await.client().clone());
    let stats = admin.stats(StatsRequest {}).await.unwrap();
    assert_eq!((stats.channels, stats.subscriptions), (1_000, 1_000));
    ali.vanish().await;
    settle().await;
    let stats = admin.stats(StatsRequest {}).await.unwrap();
    assert_eq!((stats.channels, stats.subscriptions), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_whose_caller_gives_up_or_goes_is_none() {
    /// Never answers.
    struct Never;
    impl rpc_runtime::hub::Right<()> for Never {
        async fn check(&self, _: &Asks, (): &()) -> Result<(), Status> {
            std::future::pending().await
        }
    }
    let hub = Hub::builder()
        .namespace(Namespace::<()>::new("never").subscribe(Never))
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect(&server).await;
    let request = SubscribeRequest {
        channels: vec![to("never")],
    };
    let stream_id = ali.begin("Subscribe", &request).await;
    settle().await;
    // Unsubscribing does not wait for it.
    assert!(!ali.unsubscribe("never").await);
    let reset = rpc_protocol::frame::Reset {
        code: Code::Cancelled as i32,
    };
    ali.send(stream_id, rpc_protocol::FrameKind::Reset(reset)).await;
    settle().await;
    // Its place is free: another call is not held up behind it.
    ali.begin("Subscribe", &request).await;
    settle().await;
    ali.vanish().await;
    assert_eq!(
        hub.channel("never").publish(&said("")).await.unwrap().reached,
        Some(0)
    );
}
