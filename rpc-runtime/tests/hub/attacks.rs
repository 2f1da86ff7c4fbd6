//! Attacks on the hub's service by clients that speak frames by hand.

use rpc_runtime::{
    Code, Context, Status,
    hub::{Anyone, Asks, Hub, Namespace, Users},
    services::{
        admin::{self, AdminClient, StatsRequest},
        hub::{
            ChannelPosition, HistoryRequest, HistoryResponse, PresenceRequest, PresenceResponse,
            SubscribeRequest, SubscribeResponse, UnsubscribeRequest, UnsubscribeResponse,
        },
    },
};

use crate::common::{Peer, builder, client_as, no, rooms, said, serve, settle, to};

fn hub() -> Hub {
    Hub::builder()
        .namespace(rooms())
        .namespace(Namespace::<()>::new("closed").subscribe(|_: &Asks, (): &()| no()))
        .namespace(Namespace::<()>::new("undeclared"))
        .namespace(
            Namespace::<()>::new("gone")
                .subscribe(|_: &Asks, (): &()| Err(Status::not_found("no such room"))),
        )
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn subscribing_without_the_right_is_refused_in_the_same_bytes_as_where_no_channel_is() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    let position = ChannelPosition { epoch: 1, offset: 1 };
    let mut answers = Vec::new();
    for channel in [
        "closed",
        "undeclared",
        "gone",
        "nowhere",
        "room:x",
        "room:5:6",
        "rpc:x",
        "client:5",
    ] {
        for answer in [
            ali.try_subscribe(channel).await,
            ali.recover(channel, position).await,
        ] {
            assert_eq!(answer.channel, channel);
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
            unsubscribed.unwrap_err().code(),
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
