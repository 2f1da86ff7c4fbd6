//! How subscriptions are answered: which events may come, by which name, in what time; and what a server is told that cannot.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use prost::Message as _;
use rpc_runtime::{
    Code, Endpoint, Server, Status,
    hub::{Anyone, Asks, Hub, Namespace, Right, Snapshot},
    prost,
    services::hub::{
        HistoryRequest, HistoryResponse, SubscribeRequest, SubscribeResponse, Unsubscribed, gateway,
    },
};
use tokio::time::Instant;

use crate::common::{Moved, Peer, Said, no, rooms, said, serve, settle, to};

#[tokio::test(start_paused = true)]
async fn the_answer_says_which_events_may_come() {
    let snapshot = |_: &Asks, _: &()| -> Result<Snapshot, Status> { Ok(Snapshot::now(&Moved { to: 1 })) };
    let only = |pattern: &str| Namespace::<()>::new(pattern).subscribe(Anyone).events::<Said>();
    let hub = Hub::builder()
        .namespace(Namespace::<()>::new("any").subscribe(Anyone))
        .namespace(only("said"))
        .namespace(only("joined").tell_joins())
        .namespace(only("begun").on_subscribe(snapshot))
        .namespace(only("perhaps").on_subscribe(|_: &Asks, _: &()| Ok(Snapshot::none())))
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.subscribe("any").await.types, [""; 0]);
    assert_eq!(peer.subscribe("said").await.types, ["hubtest.Said"]);
    assert_eq!(
        peer.subscribe("joined").await.types,
        ["hubtest.Said", "rpc.hub.v1.Joined", "rpc.hub.v1.Left"]
    );
    assert_eq!(
        peer.subscribe("begun").await.types,
        ["hubtest.Moved", "hubtest.Said"]
    );
    // A snapshot that there was none of may be of any type.
    assert_eq!(peer.subscribe("perhaps").await.types, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_right_that_hangs_is_given_up_for_its_channel_and_holds_up_no_other() {
    let asked = Arc::new(AtomicUsize::new(0));
    struct Slow(Arc<AtomicUsize>);
    impl Right<(u64,)> for Slow {
        async fn check(&self, _: &Asks, (id,): &(u64,)) -> Result<(), Status> {
            self.0.fetch_add(1, Ordering::Relaxed);
            match id {
                0 => std::future::pending().await,
                _ => tokio::time::sleep(Duration::from_secs(1)).await,
            }
            Ok(())
        }
    }
    let rooms = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Slow(asked.clone()))
        .history(Slow(asked.clone()))
        .answers_within(Duration::from_secs(3));
    let hub = Hub::builder().namespace(rooms).build().unwrap();
    let server = serve(&hub);
    let mut peer = Peer::connect(&server).await;
    let request = SubscribeRequest {
        channels: (0..40).map(|id| to(&format!("room:{id}"))).collect(),
    };
    let began = Instant::now();
    let stream_id = peer.begin("Subscribe", &request).await;
    settle().await;
    assert_eq!(asked.load(Ordering::Relaxed), 16, "so many at once, and no more");
    let body = peer.answer(stream_id).await.unwrap();
    let answers = SubscribeResponse::decode(body).unwrap().answers;
    // One after the other would take 39 seconds; behind the one that hangs, 3 more.
    assert_eq!(began.elapsed(), Duration::from_secs(3));
    let names: Vec<_> = answers.iter().map(|answer| answer.channel.clone()).collect();
    assert!(
        names
            .iter()
            .eq(request.channels.iter().map(|asked| &asked.channel)),
        "in the order of the request"
    );
    let refused: Vec<_> = answers
        .iter()
        .filter_map(|answer| answer.refused.as_ref())
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(
        answers[0].refused.as_ref().map(|refused| refused.code),
        Some(Code::Unavailable as i32)
    );
    assert!(refused[0].message.contains("in time"), "{}", refused[0].message);
    // So it is with what else is asked for.
    let request = HistoryRequest {
        channel: "room:0".to_owned(),
        ..HistoryRequest::default()
    };
    let began = Instant::now();
    let refused = peer
        .call::<HistoryResponse>("History", &request)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), began.elapsed()),
        (Code::Unavailable, Duration::from_secs(3))
    );
}

#[tokio::test(start_paused = true)]
async fn who_is_put_out_while_it_is_told_of_its_channel_again_is_not_told_that_it_hears_it() {
    let kicks = Arc::<OnceLock<Hub>>::default();
    let kicking = kicks.clone();
    let right = move |asks: &Asks, _: &(u64,)| {
        if let Some(hub) = kicking.get() {
            let reason = Status::permission_denied("be polite");
            hub.unsubscribe(asks.client(), "room:5", &reason).unwrap();
        }
        Ok(())
    };
    let rooms = Namespace::<(u64,)>::new("room:{id}").subscribe(right);
    let hub = Hub::builder().namespace(rooms).build().unwrap();
    let server = serve(&hub);
    let mut peer = Peer::connect(&server).await;
    peer.subscribe("room:5").await;
    assert!(kicks.set(hub.clone()).is_ok());
    let refused = peer
        .try_subscribe("room:5")
        .await
        .refused
        .expect("it hears it no more");
    assert_eq!(Code::from_i32(refused.code), Code::Aborted);
    let told: Unsubscribed = peer.hears().await;
    assert_eq!(
        told.reason.map(|reason| reason.message),
        Some("be polite".to_owned())
    );
    assert_eq!(
        hub.channel("room:5").publish(&said("x")).await.unwrap().reached,
        Some(0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_channel_has_one_name_and_who_has_the_right_is_told_which() {
    let closed = Namespace::<(u64,)>::new("closed:{id}").subscribe(|_: &Asks, _: &(u64,)| no());
    let hub = Hub::builder()
        .namespace(rooms())
        .namespace(closed)
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    for name in ["room:05", "room:+5", "room:0000000005"] {
        let text = format!("the channel `{name}` is written `room:5`");
        let refused = ali.try_subscribe(name).await.refused.unwrap();
        assert_eq!(
            (Code::from_i32(refused.code), &refused.message),
            (Code::InvalidArgument, &text)
        );
        let refused = ali.publish(name, &said("x")).await.unwrap_err();
        assert_eq!((refused.code(), &refused.message), (Code::InvalidArgument, &text));
        let request = HistoryRequest {
            channel: name.to_owned(),
            ..HistoryRequest::default()
        };
        let refused = ali
            .call::<HistoryResponse>("History", &request)
            .await
            .unwrap_err();
        assert_eq!(refused.message, text);
        // The server's own code keeps to it as well.
        let errors = [
            hub.channel(name).publish(&said("x")).await.unwrap_err(),
            hub.subscribe(ali.id(), name).await.unwrap_err(),
            hub.members(name).await.unwrap_err(),
        ];
        assert!(errors.iter().all(|error| error.to_string() == text), "{errors:?}");
    }
    assert!(ali.subscribe("room:5").await.refused.is_none());
    ali.hears_nothing().await;
    // Who has no right learns nothing of how channels are written.
    let mut answers = Vec::new();
    for name in ["closed:05", "closed:5", "nowhere:5", "closed:x"] {
        let refused = ali.try_subscribe(name).await.refused.unwrap();
        answers.push((refused.code, refused.message));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let mut nobody = Peer::connect(&server).await;
    let refused = [
        nobody.try_subscribe("room:05").await,
        nobody.try_subscribe("room:5").await,
    ];
    assert_eq!(refused[0].refused, refused[1].refused);
    // What cannot be read belongs to no namespace, whoever asks.
    let error = hub.channel("room:x").publish(&said("x")).await.unwrap_err();
    assert!(error.to_string().contains("belongs to no namespace"), "{error}");
}

#[test]
fn a_server_that_serves_the_hub_and_has_none_does_not_start_and_says_what_to_write() {
    let error = Server::builder()
        .service(gateway())
        .build()
        .unwrap_err()
        .to_string();
    for part in ["rpc.hub.v1.HubService", "Hub::builder().namespace(", ".hub(hub)"] {
        assert!(error.contains(part), "{error}");
    }
    // On another endpoint as well.
    let error = Server::builder()
        .endpoint("/game", Endpoint::new().service(gateway()))
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("has no hub"), "{error}");
    assert!(
        Server::builder()
            .hub(Hub::default())
            .service(gateway())
            .build()
            .is_ok()
    );
}

#[test]
fn a_namespace_of_events_that_name_no_channels_says_which_they_are() {
    let panic = std::panic::catch_unwind(Namespace::<()>::of::<Said>).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    for part in [
        "Namespace::of",
        "common::Said",
        "hubtest.Said",
        "channels = \"room:{id}\"",
    ] {
        assert!(text.contains(part), "{text}");
    }
}
