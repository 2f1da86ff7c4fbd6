//! Presence: who is in a channel, by client and by user, and who is told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rpc_runtime::{
    Code, Limits, Status,
    hub::{Anyone, Asks, Hub, LocalBroker, Namespace, Snapshot},
    services::hub::{Joined, Left, PresenceRequest, PresenceResponse, SubscribeChannel, TypedMessage},
};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    broker::{Failure, Stepping, Steps},
    common::{Moved, Peer, Said, builder, rooms, said, serve, settle, to, typed},
};

fn hub() -> Hub {
    Hub::builder()
        .namespace(rooms().tell_joins())
        .namespace(Namespace::<()>::new("quiet").subscribe(Anyone).presence(Anyone))
        .build()
        .unwrap()
}

async fn members(peer: &mut Peer, channel: &str) -> PresenceResponse {
    let request = PresenceRequest {
        channel: channel.to_owned(),
        counts_only: false,
        ..PresenceRequest::default()
    };
    peer.call("Presence", &request).await.unwrap()
}

async fn counts(peer: &mut Peer, channel: &str) -> (u64, u64) {
    let response = members(peer, channel).await;
    (response.clients, response.users)
}

#[tokio::test(start_paused = true)]
async fn a_user_joins_with_its_first_tab_and_leaves_with_its_last() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("room:5").await;
    assert_eq!(ali.hears::<Joined>().await.user_id.as_deref(), Some("ali"));
    let mut tabs = [
        Peer::connect_as(&server, "bea").await,
        Peer::connect_as(&server, "bea").await,
    ];
    for tab in &mut tabs {
        tab.subscribe("room:5").await;
    }
    let joined: Joined = ali.hears().await;
    assert_eq!(joined.user_id.as_deref(), Some("bea"));
    assert_eq!(joined.client_id, tabs[0].greeting.client_id);
    assert_eq!(counts(&mut ali, "room:5").await, (3, 2));
    let [mut first, second] = tabs;
    first.unsubscribe("room:5").await;
    settle().await;
    assert_eq!(counts(&mut ali, "room:5").await, (2, 2));
    ali.hears_nothing().await;
    let last = second.greeting.client_id.clone();
    second.vanish().await;
    let left: Left = ali.hears().await;
    assert_eq!((left.user_id.as_deref(), left.client_id), (Some("bea"), last));
    assert_eq!(counts(&mut ali, "room:5").await, (1, 1));
    // Changes of presence have places in history, as other events have.
    hub.channel("room:5").publish(&said("x")).await.unwrap();
    assert_eq!(ali.event().await.offset, 4);
}

#[tokio::test(start_paused = true)]
async fn clients_that_nobody_knows_count_each_and_are_told_nothing_where_the_namespace_does_not_say_so() {
    let server = serve(&hub());
    let (mut one, mut two) = (Peer::connect(&server).await, Peer::connect(&server).await);
    one.subscribe("quiet").await;
    two.subscribe("quiet").await;
    assert_eq!(counts(&mut one, "quiet").await, (2, 2));
    let response = members(&mut one, "quiet").await;
    let mut ids = [one.greeting.client_id.clone(), two.greeting.client_id.clone()];
    ids.sort();
    let told: Vec<_> = response
        .members
        .iter()
        .map(|member| member.client_id.as_str())
        .collect();
    assert_eq!(told, ids);
    assert!(response.members.iter().all(|member| member.user_id.is_none()));
    one.hears_nothing().await;
    two.vanish().await;
    assert_eq!(counts(&mut one, "quiet").await, (1, 1));
    one.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_there_is_read_in_pages_by_the_ids_of_clients() {
    let hub = hub();
    let server = serve(&hub);
    let mut peers = Vec::new();
    for _ in 0..5 {
        let mut peer = Peer::connect(&server).await;
        peer.subscribe("quiet").await;
        peers.push(peer);
    }
    let mut ids: Vec<_> = peers.iter().map(|peer| peer.greeting.client_id.clone()).collect();
    ids.sort();
    let mut page = async |after: &str, limit| {
        let request = PresenceRequest {
            channel: "quiet".to_owned(),
            after: after.to_owned(),
            limit,
            ..PresenceRequest::default()
        };
        let response: Result<PresenceResponse, _> = peers[0].call("Presence", &request).await;
        response.map(|response| {
            assert_eq!((response.clients, response.users), (5, 5), "of all pages");
            let members = response.members.into_iter();
            (
                members.map(|member| member.client_id).collect::<Vec<_>>(),
                response.more,
            )
        })
    };
    assert_eq!(page("", 2).await, Ok((ids[..2].to_vec(), true)));
    assert_eq!(page(&ids[1], 2).await, Ok((ids[2..4].to_vec(), true)));
    assert_eq!(page(&ids[3], 2).await, Ok((ids[4..].to_vec(), false)));
    assert_eq!(page(&ids[4], 2).await, Ok((vec![], false)));
    assert_eq!(page(&ids[2], 0).await, Ok((ids[3..].to_vec(), false)));
    let refused = page("somebody", 2).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let all: Vec<_> = hub.members("quiet").await.unwrap();
    let all: Vec<_> = all.iter().map(|member| member.client.to_string()).collect();
    assert_eq!(all, ids);
}

#[tokio::test(start_paused = true)]
async fn what_a_client_says_of_itself_is_shown_and_changed_by_subscribing_again() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    let with = |presence: TypedMessage| SubscribeChannel {
        presence: Some(presence),
        ..to("room:5")
    };
    ali.ask(with(typed(&said("typing")))).await;
    assert_eq!(ali.hears::<Joined>().await.presence, Some(typed(&said("typing"))));
    assert_eq!(
        members(&mut ali, "room:5").await.members[0].presence,
        Some(typed(&said("typing")))
    );
    ali.ask(with(typed(&Moved { to: 5 }))).await;
    assert_eq!(
        members(&mut ali, "room:5").await.members[0].presence,
        Some(typed(&Moved { to: 5 }))
    );
    // Again without saying anything leaves it.
    ali.subscribe("room:5").await;
    assert_eq!(
        members(&mut ali, "room:5").await.members[0].presence,
        Some(typed(&Moved { to: 5 }))
    );
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_client_says_of_itself_is_of_some_type_and_not_long() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    let long = typed(&said(&"x".repeat(4_096)));
    let nameless = TypedMessage {
        type_name: "<script>".to_owned(),
        ..TypedMessage::default()
    };
    for presence in [long, nameless] {
        let asked = SubscribeChannel {
            presence: Some(presence),
            ..to("room:5")
        };
        let refused = ali.ask(asked).await.refused.unwrap();
        assert_eq!(Code::from_i32(refused.code), Code::InvalidArgument);
    }
    assert_eq!(counts(&mut ali, "room:5").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn who_has_vanished_behind_a_dead_line_is_gone_from_presence_within_40_seconds() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("room:5").await;
    ali.hears::<Joined>().await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    bea.subscribe("room:5").await;
    ali.hears::<Joined>().await;
    let began = Instant::now();
    // Its socket stays open, and nothing comes over it.
    let left: Left = timeout(Duration::from_secs(40), ali.hears()).await.unwrap();
    assert_eq!(left.user_id.as_deref(), Some("bea"));
    assert!(
        began.elapsed() > Duration::from_secs(30),
        "the line was given time to answer"
    );
    assert_eq!(counts(&mut ali, "room:5").await, (1, 1));
}

/// How long a client is in a room that is behind a dead line, as others see it.
async fn present_behind_a_dead_line(limits: Limits) -> Duration {
    let server = builder(&hub()).limits(limits).build().unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("room:5").await;
    ali.hears::<Joined>().await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    bea.subscribe("room:5").await;
    ali.hears::<Joined>().await;
    let began = Instant::now();
    ali.hears::<Left>().await;
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn behind_a_dead_line_nobody_is_present_longer_for_a_session_that_waits_or_a_close_frame_that_nobody_reads()
 {
    for (resume_window, close_timeout) in [(0, 30), (3, 2), (60, 2), (3_600, 30)] {
        let took = present_behind_a_dead_line(Limits {
            resume_window: Duration::from_secs(resume_window),
            close_timeout: Duration::from_secs(close_timeout),
            ..Limits::default()
        });
        let took = took.await;
        let expected = Duration::from_secs(35)..Duration::from_secs(36);
        assert!(
            expected.contains(&took),
            "{took:?} with {resume_window}, {close_timeout}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn who_loses_its_connection_is_present_for_five_seconds_where_its_session_waits() {
    let limits = Limits {
        resume_window: Duration::from_secs(60),
        ..Limits::default()
    };
    let server = builder(&hub()).limits(limits).build().unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("room:5").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    bea.subscribe("room:5").await;
    bea.vanish().await;
    sleep(Duration::from_millis(4_900)).await;
    assert_eq!(counts(&mut ali, "room:5").await, (2, 2));
    sleep(Duration::from_millis(200)).await;
    assert_eq!(counts(&mut ali, "room:5").await, (1, 1));
}

/// Nobody comes or goes for so long.
async fn rest(peer: &mut Peer, seconds: u64) {
    let told = timeout(Duration::from_secs(seconds), peer.event()).await;
    assert!(told.is_err(), "{told:?}");
}

/// A room on a broker that is told to fail, with two in it.
async fn two_in_a_room_of_steps() -> (Arc<Steps>, Peer, Peer) {
    let (broker, steps) = Stepping::new();
    let hub = Hub::builder().namespace(rooms().tell_joins()).broker(broker);
    let server = serve(&hub.build().unwrap());
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("room:5").await;
    ali.hears::<Joined>().await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    bea.subscribe("room:5").await;
    ali.hears::<Joined>().await;
    bea.hears::<Joined>().await;
    (steps, ali, bea)
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_fails_is_told_again_who_has_left() {
    let (steps, mut ali, bea) = two_in_a_room_of_steps().await;
    steps.fail_leaves(5);
    bea.vanish().await;
    assert_eq!(
        counts(&mut ali, "room:5").await,
        (2, 2),
        "the broker does not know"
    );
    let left: Left = timeout(Duration::from_secs(60), ali.hears()).await.unwrap();
    assert_eq!(left.user_id.as_deref(), Some("bea"));
    assert_eq!((counts(&mut ali, "room:5").await, steps.left()), ((1, 1), 6));
}

#[tokio::test(start_paused = true)]
async fn who_has_come_back_before_the_broker_could_be_told_is_still_there() {
    for how in Failure::ALL {
        let (steps, mut ali, mut bea) = two_in_a_room_of_steps().await;
        steps.fail_leaves(5);
        steps.fail_like(how);
        bea.unsubscribe("room:5").await;
        settle().await;
        assert_eq!(steps.left(), 1);
        bea.subscribe("room:5").await;
        if how == Failure::Unanswered {
            // It had left, and that was not told.
            ali.hears::<Joined>().await;
            bea.hears::<Joined>().await;
        }
        tokio::join!(rest(&mut ali, 120), rest(&mut bea, 120));
        let there = (counts(&mut ali, "room:5").await, steps.left());
        assert_eq!(there, ((2, 2), 1), "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_while_another_failure_is_told_again_is_told_again_too() {
    let (broker, steps) = Stepping::new();
    let hub = Hub::builder().namespace(rooms()).broker(broker).build().unwrap();
    let mut ali = Peer::connect_as(&serve(&hub), "ali").await;
    ali.subscribe("room:5").await;
    steps.leave_after(Duration::from_secs(2));
    steps.fail_leaves(1);
    ali.unsubscribe("room:5").await;
    // The broker has failed after two seconds, and is told again a quarter of a second later at the latest.
    sleep(Duration::from_millis(2_500)).await;
    ali.subscribe("room:7").await;
    steps.leave_after(Duration::ZERO);
    steps.fail_leaves(1);
    ali.unsubscribe("room:7").await;
    settle().await;
    assert_eq!(
        counts(&mut ali, "room:7").await,
        (1, 1),
        "the broker does not know"
    );
    sleep(Duration::from_secs(10)).await;
    assert_eq!(counts(&mut ali, "room:5").await, (0, 0));
    assert_eq!(counts(&mut ali, "room:7").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_fails_while_another_failure_is_given_up_is_told_for_as_long_as_that_was() {
    let (broker, steps) = Stepping::new();
    let hub = Hub::builder().namespace(rooms()).broker(broker).build().unwrap();
    let mut ali = Peer::connect_as(&serve(&hub), "ali").await;
    for room in ["room:5", "room:7"] {
        ali.subscribe(room).await;
    }
    steps.fail_leaves(usize::MAX);
    ali.unsubscribe("room:5").await;
    while steps.left() < 10 {
        rest(&mut ali, 1).await;
    }
    // Nine of ten tries are over.
    ali.unsubscribe("room:7").await;
    rest(&mut ali, 60).await;
    steps.fail_leaves(0);
    rest(&mut ali, 60).await;
    assert_eq!(counts(&mut ali, "room:7").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_fails_for_ever_is_told_later_and_later_and_then_no_more() {
    let (steps, mut ali, bea) = two_in_a_room_of_steps().await;
    steps.fail_leaves(usize::MAX);
    bea.vanish().await;
    let mut told = Vec::new();
    for _ in 0..4 {
        rest(&mut ali, 60).await;
        told.push(steps.left());
    }
    assert!(told[0] > 6 && told[1] > told[0], "{told:?}");
    assert_eq!(told[2..], [11, 11]);
}

#[tokio::test(start_paused = true)]
async fn comings_and_goings_in_quick_succession_leave_presence_right() {
    let server = serve(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    ali.subscribe("room:5").await;
    ali.hears::<Joined>().await;
    for _ in 0..50 {
        bea.subscribe("room:5").await;
        bea.unsubscribe("room:5").await;
    }
    bea.subscribe("room:5").await;
    settle().await;
    assert_eq!(counts(&mut ali, "room:5").await, (2, 2));
    // Whatever others were told, each coming was followed by a going but the last.
    let mut there = false;
    while let Some(event) = ali.events.pop_front() {
        let joined = event.type_name == <Joined as rpc_runtime::Contract>::FULL_NAME;
        assert_ne!(joined, there, "a coming and a going in turn");
        there = joined;
    }
    assert!(there);
}

#[tokio::test(start_paused = true)]
async fn what_a_client_says_of_itself_is_refused_each_time_that_there_is_no_room_for_it_and_costs_it_nothing()
{
    let broker = LocalBroker::default().most_of_one_account(100, 2_000);
    let hub = Hub::builder().namespace(rooms()).broker(broker).build().unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    assert_eq!(ali.ask(says("here")).await.refused, None);
    for _ in 0..2 {
        let refused = ali.ask(says(&"x".repeat(4_000))).await.refused.unwrap();
        assert_eq!(Code::from_i32(refused.code), Code::ResourceExhausted);
    }
    assert_eq!(ali.ask(says("away")).await.refused, None);
    // Whatever has presence told again tells what it was told last.
    ali.become_user("bea").await;
    settle().await;
    let of_bea = members(&mut ali, "room:5").await;
    let said_last = of_bea.members[0].presence.as_ref().unwrap();
    assert_eq!(said_last.body, typed(&said("away")).body);
    hub.channel("room:5").publish(&said("x")).await.unwrap();
    assert_eq!(ali.hears::<Said>().await, said("x"));
}

#[tokio::test(start_paused = true)]
async fn what_a_client_says_of_itself_is_not_taken_where_it_is_refused_for_another_reason() {
    let is_away = Arc::new(AtomicBool::new(false));
    let database = is_away.clone();
    let lists = rooms().on_subscribe(
        move |_: &Asks, _: &(u64,)| match database.load(Ordering::SeqCst) {
            true => Err(Status::unavailable("the database is away")),
            false => Ok(Snapshot::now(&said("list"))),
        },
    );
    let hub = Hub::builder().namespace(lists).build().unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    assert_eq!(ali.ask(says("here")).await.refused, None);
    is_away.store(true, Ordering::SeqCst);
    let refused = ali.ask(says("away")).await.refused.unwrap();
    assert_eq!(Code::from_i32(refused.code), Code::Unavailable);
    for user in ["ali", "bea"] {
        ali.become_user(user).await;
        settle().await;
        let of_it = members(&mut ali, "room:5").await;
        let said_last = of_it.members[0].presence.as_ref().unwrap();
        assert_eq!(said_last.body, typed(&said("here")).body, "{user}");
    }
}

/// A question for the room with what the client says of itself.
fn says(text: &str) -> SubscribeChannel {
    SubscribeChannel {
        presence: Some(typed(&said(text))),
        ..to("room:5")
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_client_said_in_a_call_that_it_gave_up_is_said_when_it_says_it_again() {
    let (broker, steps) = Stepping::new();
    let hub = Hub::builder().namespace(rooms()).broker(broker).build().unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    assert_eq!(ali.ask(says("here")).await.refused, None);
    steps.join_after(Duration::from_secs(1), 0);
    let stream_id = ali.begin_to_subscribe(says("away")).await;
    sleep(Duration::from_millis(500)).await;
    ali.cancel(stream_id).await;
    settle().await;
    assert_eq!(ali.ask(says("away")).await.refused, None);
    let there = members(&mut ali, "room:5").await;
    assert_eq!(there.members[0].presence, Some(typed(&said("away"))));
}

#[tokio::test(start_paused = true)]
async fn what_a_client_was_refused_to_say_of_itself_is_not_shown_where_the_broker_took_it_all_the_same() {
    for how in Failure::ALL {
        let (broker, steps) = Stepping::new();
        let hub = Hub::builder().namespace(rooms()).broker(broker).build().unwrap();
        let server = serve(&hub);
        let mut ali = Peer::connect_as(&server, "ali").await;
        assert_eq!(ali.ask(says("here")).await.refused, None);
        steps.fail_like(how);
        steps.join_after(Duration::ZERO, 1);
        let refused = ali.ask(says("away")).await.refused.unwrap();
        assert_eq!(Code::from_i32(refused.code), Code::Unavailable);
        sleep(Duration::from_secs(1)).await;
        let there = members(&mut ali, "room:5").await;
        assert_eq!(there.members[0].presence, Some(typed(&said("here"))), "{how:?}");
    }
}
