//! Channels, for those who administer a server.

use rpc_runtime::{
    Code, Context, Limits, Server, ServerBuilder, Status,
    hub::{Anyone, Hub, Namespace, SlowConsumer},
    services::{
        admin::{
            self, AdminClient, ListChannelsRequest, ListSubscribersRequest, StatsRequest, Target,
            UnsubscribeRequest,
        },
        hub::{ChannelPosition, Unsubscribed},
    },
};

use crate::common::{Peer, Said, builder, client_as, info, rooms, said, settle};

fn hub() -> Hub {
    Hub::builder()
        .namespace(rooms())
        .namespace(Namespace::<()>::new("news").subscribe(Anyone))
        .build()
        .unwrap()
}

fn serve(hub: &Hub) -> Server {
    with_admins(builder(hub))
}

fn with_admins(server: ServerBuilder) -> Server {
    let admins = |cx: &Context| match cx.identity() {
        Some(identity) if identity.has_role("admin") => Ok(()),
        _ => Err(Status::permission_denied("this is for administrators")),
    };
    server
        .service(admin::gateway())
        .guard("admin", admins)
        .build()
        .unwrap()
}

async fn admin(server: &Server) -> AdminClient {
    AdminClient::new(client_as(server, "root admin").await.client().clone())
}

#[tokio::test(start_paused = true)]
async fn every_method_on_channels_is_refused_to_who_is_no_administrator() {
    let server = serve(&hub());
    let client = AdminClient::new(client_as(&server, "ali").await.client().clone());
    let denied = Some(Code::PermissionDenied);
    let refused = client.list_channels(ListChannelsRequest::default()).await;
    assert_eq!(refused.unwrap_err().code(), denied);
    let refused = client.list_subscribers(ListSubscribersRequest::default()).await;
    assert_eq!(refused.unwrap_err().code(), denied);
    let refused = client.unsubscribe(UnsubscribeRequest::default()).await;
    assert_eq!(refused.unwrap_err().code(), denied);
}

#[tokio::test(start_paused = true)]
async fn channels_are_listed_in_pages_with_their_subscribers_history_and_presence() {
    let hub = hub();
    let server = serve(&hub);
    let admin = admin(&server).await;
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    for id in 0..5 {
        ali.subscribe(&format!("room:{id}")).await;
    }
    bea.subscribe("room:3").await;
    bea.subscribe("news").await;
    for _ in 0..3 {
        hub.channel("room:3").publish(&said("x")).await.unwrap();
    }
    let mut names = Vec::new();
    let mut request = ListChannelsRequest {
        page_size: 2,
        ..ListChannelsRequest::default()
    };
    loop {
        let page = admin.list_channels(request.clone()).await.unwrap();
        assert!(page.channels.len() <= 2);
        names.extend(page.channels.into_iter().map(|channel| channel.channel));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(names, ["news", "room:0", "room:1", "room:2", "room:3", "room:4"]);
    let of = async |prefix: &str| {
        let request = ListChannelsRequest {
            prefix: prefix.to_owned(),
            ..ListChannelsRequest::default()
        };
        admin.list_channels(request).await.unwrap().channels
    };
    let room = of("room:3").await.remove(0);
    assert_eq!(
        (room.namespace.as_str(), room.subscribers, room.offset),
        ("room:{id}", 2, Some(3))
    );
    assert_eq!((room.present_clients, room.present_users), (Some(2), Some(2)));
    let news = of("news").await.remove(0);
    assert_eq!(
        (news.subscribers, news.offset, news.present_clients),
        (1, None, None)
    );
    assert_eq!(of("game").await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn subscribers_are_listed_in_pages_and_who_the_server_has_subscribed_is_marked() {
    let hub = hub();
    let server = serve(&hub);
    let admin = admin(&server).await;
    let mut peers = Vec::new();
    for _ in 0..5 {
        let mut peer = Peer::connect_as(&server, "ali").await;
        peer.subscribe("room:1").await;
        peers.push(peer);
    }
    let granted = Peer::connect(&server).await;
    hub.subscribe(granted.id(), "room:1").await.unwrap();
    let mut listed = Vec::new();
    let mut request = ListSubscribersRequest {
        channel: "room:1".to_owned(),
        page_size: 4,
        ..ListSubscribersRequest::default()
    };
    for wanted in [4, 2] {
        let page = admin.list_subscribers(request.clone()).await.unwrap();
        assert_eq!(page.subscribers.len(), wanted);
        listed.extend(page.subscribers);
        request.page_token = page.next_page_token;
    }
    assert!(request.page_token.is_empty());
    assert!(listed.is_sorted_by(|a, b| a.client_id < b.client_id));
    let by_server: Vec<_> = listed.iter().filter(|one| one.by_server).collect();
    assert_eq!(by_server.len(), 1);
    assert_eq!(
        (by_server[0].client_id.as_str(), &by_server[0].user_id),
        (granted.greeting.client_id.as_str(), &None)
    );
    request.channel = "room:2".to_owned();
    assert_eq!(
        admin
            .list_subscribers(request.clone())
            .await
            .unwrap()
            .subscribers
            .len(),
        0
    );
    request.page_token = "x".to_owned();
    let refused = admin.list_subscribers(request).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::InvalidArgument));
}

#[tokio::test(start_paused = true)]
async fn an_administrator_kicks_a_client_or_a_user_out_of_a_channel() {
    let hub = hub();
    let server = serve(&hub);
    let admin = admin(&server).await;
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    let kick = async |target: Target, channel: &str| {
        let request = UnsubscribeRequest {
            target,
            channel: channel.to_owned(),
            reason: "be polite".to_owned(),
        };
        admin
            .unsubscribe(request)
            .await
            .map(|done| done.count)
            .map_err(|error| error.code().unwrap())
    };
    for target in [
        Target::ClientId(ali.greeting.client_id.clone()),
        Target::UserId("ali".to_owned()),
    ] {
        ali.subscribe("room:1").await;
        bea.subscribe("room:1").await;
        assert_eq!(kick(target.clone(), "room:1").await, Ok(1));
        assert_eq!(kick(target, "room:1").await, Ok(0));
        let told: Unsubscribed = ali.hears().await;
        let reason = told.reason.unwrap();
        assert_eq!(
            (Code::from_i32(reason.code), reason.message.as_str()),
            (Code::PermissionDenied, "be polite")
        );
        hub.channel("room:1").publish(&said("x")).await.unwrap();
        assert_eq!(bea.hears::<Said>().await, said("x"));
        ali.hears_nothing().await;
    }
    assert_eq!(kick(Target::Nobody, "room:1").await, Err(Code::InvalidArgument));
    assert_eq!(
        kick(Target::UserId("ali".to_owned()), "a b").await,
        Err(Code::InvalidArgument)
    );
}

#[tokio::test(start_paused = true)]
async fn stats_count_what_was_published_delivered_and_recovered() {
    let hub = hub();
    let server = serve(&hub);
    let admin = admin(&server).await;
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    let since = ali.subscribe("room:1").await.position.unwrap();
    bea.subscribe("room:1").await;
    bea.subscribe("news").await;
    hub.channel("room:1").publish(&said("x")).await.unwrap();
    hub.user("ali").publish(&said("x")).await.unwrap();
    ali.recover("room:1", since).await;
    let forged = ChannelPosition {
        epoch: since.epoch ^ 1,
        offset: 0,
    };
    bea.recover("room:1", forged).await;
    let stats = admin.stats(StatsRequest {}).await.unwrap();
    assert_eq!((stats.channels, stats.subscriptions), (2, 3));
    assert_eq!(
        (
            stats.published_events,
            stats.delivered_events,
            stats.dropped_events
        ),
        (2, 3, 0)
    );
    assert_eq!((stats.recoveries, stats.failed_recoveries), (1, 1));
    ali.vanish().await;
    bea.unsubscribe("news").await;
    settle().await;
    let stats = admin.stats(StatsRequest {}).await.unwrap();
    assert_eq!((stats.channels, stats.subscriptions), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_client_that_does_not_read_and_what_was_dropped_for_it_is_told() {
    const QUEUE: usize = 128 << 10;
    let hub = Hub::builder()
        .namespace(rooms().slow(SlowConsumer::DropOldest))
        .build()
        .unwrap();
    let limits = Limits {
        event_queue_bytes: QUEUE,
        ..Limits::default()
    };
    let server = with_admins(builder(&hub).limits(limits));
    let admin = admin(&server).await;
    let mut reads = Peer::connect_as(&server, "bea").await;
    reads.subscribe("room:1").await;
    let mut slow = Peer::connect_through(&server, info(""), 16 << 10).await;
    slow.become_user("ali").await;
    slow.announce_wide_windows().await;
    slow.subscribe("room:1").await;
    for number in 0..500 {
        hub.channel("room:1")
            .publish(&said(&format!("{number:01024}")))
            .await
            .unwrap();
        reads.hears::<Said>().await;
    }
    let request = ListSubscribersRequest {
        channel: "room:1".to_owned(),
        ..ListSubscribersRequest::default()
    };
    let listed = admin.list_subscribers(request).await.unwrap().subscribers;
    let of = |user: &str| {
        let found = listed.iter().find(|one| one.user_id.as_deref() == Some(user));
        found.unwrap().clone()
    };
    let waits = of("ali");
    assert!(waits.queued_events > 50, "{waits:?}");
    let bytes = waits.queued_event_bytes as usize;
    assert!((QUEUE * 3 / 4..=QUEUE).contains(&bytes), "{waits:?}");
    assert!(waits.dropped_events > 100, "{waits:?}");
    let all = waits.queued_events + waits.dropped_events;
    assert!(all <= 500, "{waits:?}");
    let reader = of("bea");
    assert_eq!(
        (
            reader.queued_events,
            reader.queued_event_bytes,
            reader.dropped_events
        ),
        (0, 0, 0)
    );
    let stats = admin.stats(StatsRequest {}).await.unwrap();
    assert_eq!(stats.dropped_events, waits.dropped_events);
}
