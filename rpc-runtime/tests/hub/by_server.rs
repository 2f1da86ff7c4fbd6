//! Subscriptions that the server makes and ends.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpc_runtime::{
    Code, Hooks, Refusal, Session, Status,
    auth::Identity,
    hub::{Anyone, Asks, Hub, HubError, Namespace, Retention, Snapshot, Subscriber},
    services::hub::{Joined, PresenceRequest, PresenceResponse, Subscribed, Unsubscribed},
};

use tokio::{io::AsyncReadExt, sync::Notify};

use crate::common::{Moved, Peer, Said, builder, info, no, rooms, said, serve, settle};

pub fn hub() -> Hub {
    Hub::builder()
        .namespace(rooms())
        .namespace(Namespace::<()>::new("lobby").keep(Retention::of(10, Duration::from_secs(60))))
        .namespace(Namespace::<()>::new("news").subscribe(Anyone))
        .build()
        .unwrap()
}

pub fn reason(unsubscribed: &Unsubscribed) -> (Code, &str) {
    let reason = unsubscribed.reason.as_ref().unwrap();
    (Code::from_i32(reason.code), &reason.message)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_the_server_subscribes_is_told_so_before_the_first_event() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect(&server).await;
    hub.channel("lobby").publish(&said("before")).await.unwrap();
    assert_eq!(hub.subscribe(ali.id(), "lobby").await.unwrap(), 1);
    hub.channel("lobby").publish(&said("hello")).await.unwrap();
    let told = ali.event().await;
    assert_eq!((told.channel, told.offset), (0, 0));
    let subscribed: Subscribed = rpc_runtime::prost::Message::decode(told.body).unwrap();
    assert_eq!(
        (subscribed.channel.as_str(), subscribed.position.unwrap().offset),
        ("lobby", 1)
    );
    let event = ali.event().await;
    assert_eq!((event.channel, event.offset), (subscribed.number, 2));
    // Nobody may subscribe here, and who was subscribed recovers as others do.
    let answer = ali.recover("lobby", subscribed.position.unwrap()).await;
    assert_eq!(
        (answer.recovered, answer.events.len(), answer.number),
        (Some(true), 1, subscribed.number)
    );
    assert!(ali.unsubscribe("lobby").await);
    assert!(ali.try_subscribe("lobby").await.refused.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_unsubscribes_before_it_is_told_of_a_subscription_is_not_told_of_it_behind_the_answer()
{
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect(&server).await;
    // It waits to be sent, and is to be sent behind what calls are answered.
    assert_eq!(hub.subscribe(ali.id(), "lobby").await.unwrap(), 1);
    assert!(ali.unsubscribe("lobby").await);
    settle().await;
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn all_clients_of_a_user_are_subscribed_and_unsubscribed_at_once() {
    let hub = hub();
    let server = serve(&hub);
    let mut tabs = [
        Peer::connect_as(&server, "ali").await,
        Peer::connect_as(&server, "ali").await,
    ];
    let mut bea = Peer::connect_as(&server, "bea").await;
    assert_eq!(hub.subscribe(Subscriber::user("ali"), "lobby").await.unwrap(), 2);
    assert_eq!(
        hub.channel("lobby").publish(&said("x")).await.unwrap().reached,
        Some(2)
    );
    for tab in &mut tabs {
        tab.hears::<Subscribed>().await;
        tab.hears::<Said>().await;
    }
    // Again changes nothing, and is not told again.
    assert_eq!(hub.subscribe(Subscriber::user("ali"), "lobby").await.unwrap(), 2);
    let kicked = Status::permission_denied("be polite");
    assert_eq!(
        hub.unsubscribe(Subscriber::user("ali"), "lobby", &kicked)
            .unwrap(),
        2
    );
    assert_eq!(
        hub.unsubscribe(Subscriber::user("ali"), "lobby", &kicked)
            .unwrap(),
        0
    );
    assert_eq!(
        hub.channel("lobby").publish(&said("x")).await.unwrap().reached,
        Some(0)
    );
    for tab in &mut tabs {
        let told: Unsubscribed = tab.hears().await;
        assert_eq!(
            (told.channel.as_str(), reason(&told)),
            ("lobby", (Code::PermissionDenied, "be polite"))
        );
        tab.hears_nothing().await;
    }
    bea.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_is_kicked_hears_nothing_more_of_the_channel_behind_the_reason() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("room:5").await;
    hub.channel("room:5").publish(&said("one")).await.unwrap();
    settle().await;
    hub.unsubscribe(ali.id(), "room:5", &Status::aborted("the game is over"))
        .unwrap();
    hub.channel("room:5").publish(&said("two")).await.unwrap();
    assert_eq!(ali.hears::<Said>().await, said("one"));
    let told: Unsubscribed = ali.hears().await;
    assert_eq!(reason(&told), (Code::Aborted, "the game is over"));
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_comes_with_the_subscription_that_the_server_makes() {
    let state = Namespace::<()>::new("state")
        .keep(Retention::of(10, Duration::from_secs(60)))
        .on_subscribe(|_: &Asks, (): &()| Ok(Snapshot::now(&Moved { to: 7 })));
    let hub = Hub::builder().namespace(state).build().unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect(&server).await;
    hub.subscribe(ali.id(), "state").await.unwrap();
    let subscribed: Subscribed = ali.hears().await;
    let snapshot: Moved = rpc_runtime::prost::Message::decode(subscribed.snapshot.unwrap().body).unwrap();
    assert_eq!(snapshot, Moved { to: 7 });
}

#[tokio::test(start_paused = true)]
async fn what_is_behind_a_snapshot_comes_by_the_channels_name_and_so_is_counted_by_both_sides() {
    let taken = Arc::new(OnceLock::new());
    let state = Namespace::<()>::new("state")
        .keep(Retention::of(10, Duration::from_secs(60)))
        .on_subscribe({
            let taken = taken.clone();
            move |_: &Asks, (): &()| Ok(Snapshot::at(*taken.get().unwrap(), &Moved { to: 1 }))
        });
    let hub = Hub::builder().namespace(state).build().unwrap();
    let server = serve(&hub);
    let channel = || hub.channel("state");
    let first = channel().publish(&Moved { to: 1 }).await.unwrap();
    taken.set(first.position.unwrap()).unwrap();
    channel().publish(&Moved { to: 2 }).await.unwrap();
    let mut ali = Peer::connect(&server).await;
    hub.subscribe(ali.id(), "state").await.unwrap();
    channel().publish(&Moved { to: 3 }).await.unwrap();
    let subscribed: Subscribed = ali.hears().await;
    assert_eq!(subscribed.position.unwrap().offset, 1);
    let missed = ali.event().await;
    // Of number 0: it is one of those that a client counts, as the server keeps it to be sent again.
    assert_eq!(
        (missed.channel, &*missed.channel_name, missed.offset),
        (0, "state", 2)
    );
    assert_eq!(missed.epoch, first.position.unwrap().epoch);
    let live = ali.event().await;
    assert_eq!((live.channel, live.offset), (subscribed.number, 3));
}

#[tokio::test(start_paused = true)]
async fn hooks_notify_and_subscribe_clients_before_they_are_greeted() {
    struct Lobby;
    impl Hooks for Lobby {
        async fn on_connect(&self, session: &Arc<Session>) -> Result<(), Refusal> {
            session.notify(&said("hello")).await.unwrap();
            let subscribed = session.hub().subscribe(session, "lobby").await;
            assert_eq!(subscribed.unwrap(), 1);
            session
                .hub()
                .channel("lobby")
                .publish(&said("welcome"))
                .await
                .unwrap();
            // What waits for the greeting keeps no task busy: the clock would stand still.
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(())
        }
    }
    let server = builder(&hub()).hooks(Lobby).build().unwrap();
    // The greeting comes first: this would not connect otherwise.
    let mut ali = Peer::connect(&server).await;
    assert_eq!(ali.hears::<Said>().await, said("hello"));
    ali.hears::<Subscribed>().await;
    assert_eq!(ali.hears::<Said>().await, said("welcome"));
}

#[tokio::test(start_paused = true)]
async fn hooks_end_subscriptions_of_whoever_has_logged_in() {
    struct Known;
    impl Hooks for Known {
        async fn on_authenticated(&self, session: &Arc<Session>, _: &Identity) -> Result<(), Refusal> {
            let ended = session
                .hub()
                .unsubscribe(session, "news", &Status::aborted("you are known"));
            assert_eq!(ended.unwrap(), 1);
            Ok(())
        }
    }
    let server = builder(&hub()).hooks(Known).build().unwrap();
    let mut ali = Peer::connect(&server).await;
    ali.subscribe("news").await;
    ali.become_user("ali").await;
    assert_eq!(
        reason(&ali.hears::<Unsubscribed>().await),
        (Code::Aborted, "you are known")
    );
}

#[tokio::test(start_paused = true)]
async fn events_that_wait_for_the_greeting_keep_no_task_busy() {
    struct Undecided(Arc<Notify>);
    impl Hooks for Undecided {
        async fn on_connect(&self, session: &Arc<Session>) -> Result<(), Refusal> {
            session.notify(&said("hello")).await.unwrap();
            self.0.notified().await;
            Ok(())
        }
    }
    let decided = Arc::<Notify>::default();
    let server = builder(&hub()).hooks(Undecided(decided.clone())).build().unwrap();
    let (mut near, far) = tokio::io::duplex(4_096);
    let polls = Arc::<AtomicUsize>::default();
    let counted = polls.clone();
    let mut serving = Box::pin(server.serve_connection(far, info("")));
    tokio::spawn(std::future::poll_fn(move |cx| {
        counted.fetch_add(1, Ordering::Relaxed);
        serving.as_mut().poll(cx)
    }));
    // Two hundred turns of everybody else.
    settle().await;
    let before = polls.load(Ordering::Relaxed);
    assert!((1..20).contains(&before), "{before}");
    decided.notify_one();
    settle().await;
    let mut come = [0; 4_096];
    let length = near.read(&mut come).await.unwrap();
    assert!(length > 0, "then it is greeted, and given what waits");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_subscribes_to_what_is_no_channel_is_told_what_is_wrong() {
    let hub = hub();
    let server = serve(&hub);
    let ali = Peer::connect(&server).await;
    let error = hub.subscribe(ali.id(), "nowhere").await.unwrap_err();
    assert!(matches!(error, HubError::Undeclared(_)), "{error}");
    let error = hub.subscribe(ali.id(), "a b").await.unwrap_err();
    assert!(matches!(error, HubError::Name(_)), "{error}");
    // Who is not there is none.
    let missing = "0".repeat(32).parse::<rpc_runtime::ClientId>().unwrap();
    assert_eq!(hub.subscribe(missing, "lobby").await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_channel_in_its_address_a_client_has_the_one_that_it_alone_hears() {
    let hub = hub();
    let server = builder(&hub).channel_query("channel_id").build().unwrap();
    let mut ali = Peer::connect_with(&server, info("?other=news")).await;
    let bea = Peer::connect(&server).await;
    let own = ali.greeting.own_channel.clone();
    assert_ne!(own, bea.greeting.own_channel);
    assert_eq!(
        hub.channel(&own).publish(&said("for you")).await.unwrap().reached,
        Some(1)
    );
    assert_eq!(ali.hears::<Said>().await, said("for you"));
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_of_user_ends_what_the_other_may_not_hear_and_moves_presence() {
    let room = Namespace::<(String,)>::new("of:{user}").subscribe(|asks: &Asks, (user,): &(String,)| {
        match asks.user() == Some(user) {
            true => Ok(()),
            false => no(),
        }
    });
    let hub = Hub::builder()
        .namespace(rooms().tell_joins())
        .namespace(room)
        .namespace(Namespace::<()>::new("lobby"))
        .namespace(Namespace::<()>::new("granted"))
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut watcher = Peer::connect_as(&server, "watcher").await;
    watcher.subscribe("room:5").await;
    watcher.hears::<Joined>().await;
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("of:ali").await;
    ali.subscribe("room:5").await;
    hub.subscribe(ali.id(), "lobby").await.unwrap();
    hub.subscribe(Subscriber::user("ali"), "granted").await.unwrap();
    watcher.hears::<Joined>().await;
    ali.become_user("bea").await;
    let in_time = tokio::time::timeout(Duration::from_secs(1), async {
        let mut ended = Vec::new();
        while ended.len() < 2 {
            let event = ali.event().await;
            if event.type_name == <Unsubscribed as rpc_runtime::Contract>::FULL_NAME {
                let told: Unsubscribed = rpc_runtime::prost::Message::decode(event.body).unwrap();
                assert_eq!(reason(&told).0, Code::PermissionDenied);
                ended.push(told.channel);
            }
        }
        ended.sort();
        ended
    });
    assert_eq!(in_time.await.unwrap(), ["granted", "of:ali"]);
    for (channel, reached) in [("of:ali", 0), ("granted", 0), ("lobby", 1), ("room:5", 2)] {
        let receipt = hub.channel(channel).publish(&said("x")).await.unwrap();
        assert_eq!(receipt.reached, Some(reached), "{channel}");
    }
    let left: rpc_runtime::services::hub::Left = watcher.hears().await;
    assert_eq!(left.user_id.as_deref(), Some("ali"));
    assert_eq!(watcher.hears::<Joined>().await.user_id.as_deref(), Some("bea"));
    let request = PresenceRequest {
        channel: "room:5".to_owned(),
        ..PresenceRequest::default()
    };
    let response: PresenceResponse = watcher.call("Presence", &request).await.unwrap();
    let mut users: Vec<_> = response
        .members
        .into_iter()
        .filter_map(|member| member.user_id)
        .collect();
    users.sort();
    assert_eq!(users, ["bea", "watcher"]);
}

#[tokio::test(start_paused = true)]
async fn signing_out_and_a_refresh_without_the_role_end_what_is_no_longer_allowed() {
    use rpc_protocol::frame::AuthenticationPurpose::{Refresh, SignOut};
    let staff = Namespace::<()>::new("staff").subscribe(rpc_runtime::hub::HasRole("staff".to_owned()));
    let hub = Hub::builder()
        .namespace(rooms())
        .namespace(staff)
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali staff").await;
    ali.subscribe("staff").await;
    ali.subscribe("room:5").await;
    // The same roles again change nothing.
    ali.authenticate(Refresh, "ali staff").await;
    ali.hears_nothing().await;
    ali.authenticate(Refresh, "ali").await;
    let told: Unsubscribed = ali.hears().await;
    assert_eq!(
        (told.channel.as_str(), reason(&told).0),
        ("staff", Code::PermissionDenied)
    );
    ali.hears_nothing().await;
    ali.authenticate(SignOut, "").await;
    let told: Unsubscribed = ali.hears().await;
    assert_eq!(
        (told.channel.as_str(), reason(&told).0),
        ("room:5", Code::Unauthenticated)
    );
}
