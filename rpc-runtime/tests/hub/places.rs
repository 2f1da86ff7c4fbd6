//! One channel that a session is subscribed to by two at once: what ends the one does not end the other. The first of them waits for presence,
//! which the broker of these tests takes three seconds for.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use rpc_runtime::{
    Code, Status,
    hub::{Asks, Hub, Namespace, Right},
    prost::Message,
    services::hub::{
        PresenceRequest, PresenceResponse, SubscribeAnswer, SubscribeChannel, Subscribed, Unsubscribed,
    },
};
use tokio::time::sleep;

use crate::{
    broker::{Failure, Stepping, Steps},
    by_server::reason,
    common::{Peer, Said, rooms, said, serve, settle, to, typed},
};

/// Takes so many milliseconds to let everybody in.
struct Slow(u64);

impl Right<(u64,)> for Slow {
    async fn check(&self, _: &Asks, _: &(u64,)) -> Result<(), Status> {
        sleep(Duration::from_millis(self.0)).await;
        Ok(())
    }
}

/// Rooms whose broker takes three seconds for who joins, and fails then for the first so many.
fn hub(rooms: Namespace<(u64,)>, refuses: usize, how: Failure) -> (Hub, Arc<Steps>) {
    let (broker, steps) = Stepping::new();
    steps.join_after(Duration::from_secs(3), refuses);
    steps.fail_like(how);
    let hub = Hub::builder().namespace(rooms).broker(broker).build().unwrap();
    (hub, steps)
}

/// Begins to subscribe. What it says of itself is its name.
async fn begin(peer: &mut Peer, says: Option<&str>) -> u64 {
    let asked = SubscribeChannel {
        presence: says.map(|text| typed(&said(text))),
        ..to("room:5")
    };
    peer.begin_to_subscribe(asked).await
}

fn code(answer: &SubscribeAnswer) -> Option<Code> {
    let refused = answer.refused.as_ref();
    refused.map(|refused| Code::from_i32(refused.code))
}

/// What those say of themselves who are in the room.
async fn members(peer: &mut Peer) -> Vec<Option<String>> {
    let request = PresenceRequest {
        channel: "room:5".to_owned(),
        ..PresenceRequest::default()
    };
    let there: PresenceResponse = peer.call("Presence", &request).await.unwrap();
    let says = |presence: rpc_runtime::services::hub::TypedMessage| Said::decode(presence.body).unwrap().text;
    let members = there.members.into_iter();
    members.map(|member| member.presence.map(says)).collect()
}

async fn hears(hub: &Hub, peer: &mut Peer) {
    hub.channel("room:5").publish(&said("x")).await.unwrap();
    assert_eq!(peer.hears::<Said>().await, said("x"));
}

#[tokio::test(start_paused = true)]
async fn who_was_subscribed_by_the_server_meanwhile_goes_on_where_its_own_call_is_refused_or_given_up() {
    use Failure::{Unanswered, Unsent};
    for (says, is_given_up, how) in [
        (None, false, Unsent),
        (None, false, Unanswered),
        (Some("ali"), false, Unsent),
        (Some("ali"), false, Unanswered),
        (None, true, Unsent),
        (Some("ali"), true, Unsent),
    ] {
        let (hub, _steps) = hub(rooms(), usize::from(!is_given_up), how);
        let mut ali = Peer::connect_as(&serve(&hub), "ali").await;
        let stream_id = begin(&mut ali, says).await;
        assert_eq!(hub.subscribe(ali.id(), "room:5").await.unwrap(), 1);
        if is_given_up {
            ali.cancel(stream_id).await;
        } else {
            let answered = ali.subscribed(stream_id).await;
            assert_eq!(code(&answered), says.map(|_| Code::Unavailable));
            assert_ne!(answered.number, 0, "it hears the channel");
        }
        hears(&hub, &mut ali).await;
        // What was refused, its call did not say; what was not, nobody has taken back.
        sleep(Duration::from_secs(10)).await;
        let told = says.filter(|_| is_given_up).map(str::to_owned);
        assert_eq!(members(&mut ali).await, [told], "{is_given_up}, {how:?}");
        hears(&hub, &mut ali).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_asked_twice_goes_on_where_the_first_is_given_up() {
    let (hub, _steps) = hub(rooms(), 0, Failure::Unsent);
    let mut ali = Peer::connect_as(&serve(&hub), "ali").await;
    let first = begin(&mut ali, None).await;
    assert_eq!(ali.subscribe("room:5").await.refused, None);
    ali.cancel(first).await;
    sleep(Duration::from_secs(10)).await;
    assert_eq!(members(&mut ali).await, [None]);
    hears(&hub, &mut ali).await;
}

#[tokio::test(start_paused = true)]
async fn who_has_asked_alone_and_is_refused_or_gives_up_is_out() {
    for (is_given_up, how) in [
        (false, Failure::Unsent),
        (false, Failure::Unanswered),
        (true, Failure::Unsent),
    ] {
        let (hub, _steps) = hub(rooms(), usize::from(!is_given_up), how);
        let mut ali = Peer::connect_as(&serve(&hub), "ali").await;
        let stream_id = begin(&mut ali, None).await;
        if is_given_up {
            ali.cancel(stream_id).await;
        } else {
            let refused = ali.subscribed(stream_id).await;
            assert_eq!((code(&refused), refused.number), (Some(Code::Unavailable), 0));
        }
        sleep(Duration::from_secs(10)).await;
        assert_eq!(members(&mut ali).await, [], "{is_given_up}, {how:?}");
        hub.channel("room:5").publish(&said("x")).await.unwrap();
        ali.hears_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_put_out_and_asks_anew_is_not_ended_by_what_it_asked_before() {
    for (is_by_event, how) in [false, true]
        .into_iter()
        .flat_map(|by| Failure::ALL.map(|how| (by, how)))
    {
        let (hub, _steps) = hub(rooms().subscribe(Slow(500)), 1, how);
        let mut ali = Peer::connect_as(&serve(&hub), "ali").await;
        // Both are live after half a second at the latest, and wait for presence.
        let first = match is_by_event {
            true => {
                let (hub, id) = (hub.clone(), ali.id());
                tokio::spawn(async move { hub.subscribe(id, "room:5").await });
                settle().await;
                ali.hears::<Subscribed>().await;
                None
            }
            false => Some(begin(&mut ali, None).await),
        };
        sleep(Duration::from_secs(1)).await;
        let kick = Status::aborted("be polite");
        assert_eq!(hub.unsubscribe(ali.id(), "room:5", &kick).unwrap(), 1);
        assert_eq!(reason(&ali.hears::<Unsubscribed>().await).1, "be polite");
        // The first is refused while this one is being made, or when it is.
        let wait = if is_by_event { 1_000 } else { 2_200 };
        sleep(Duration::from_millis(wait)).await;
        let second = begin(&mut ali, None).await;
        if let Some(first) = first {
            let refused = ali.subscribed(first).await;
            assert_eq!(code(&refused), Some(Code::Unavailable));
        }
        assert_eq!(
            ali.subscribed(second).await.refused,
            None,
            "{is_by_event}, {how:?}"
        );
        hears(&hub, &mut ali).await;
        sleep(Duration::from_secs(10)).await;
        assert_eq!(members(&mut ali).await, [None], "{is_by_event}, {how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_put_out_and_asks_anew_is_asked_after_nothing_where_what_it_asked_before_is_given_up() {
    // More than there is for a right that is asked for again.
    let (hub, _steps) = hub(rooms().subscribe(Slow(1_000)), 0, Failure::Unsent);
    let mut ali = Peer::connect_as(&serve(&hub), "ali").await;
    let first = begin(&mut ali, None).await;
    sleep(Duration::from_millis(1_500)).await;
    let kick = Status::aborted("be polite");
    assert_eq!(hub.unsubscribe(ali.id(), "room:5", &kick).unwrap(), 1);
    assert_eq!(reason(&ali.hears::<Unsubscribed>().await).1, "be polite");
    let second = begin(&mut ali, None).await;
    sleep(Duration::from_millis(1_500)).await;
    // The second is live, and waits for presence, for which it is the turn of the first.
    ali.cancel(first).await;
    assert_eq!(ali.subscribed(second).await.refused, None);
    sleep(Duration::from_secs(10)).await;
    ali.hears_nothing().await;
    hears(&hub, &mut ali).await;
}

/// Half a second later, whoever is one of these then.
struct Changing(Arc<Mutex<&'static [&'static str]>>);

impl Right<(u64,)> for Changing {
    async fn check(&self, asks: &Asks, _: &(u64,)) -> Result<(), Status> {
        sleep(Duration::from_millis(500)).await;
        let is_one = |user| self.0.lock().unwrap().contains(&user);
        match asks.user().is_some_and(is_one) {
            true => Ok(()),
            false => Err(Status::permission_denied("it is another's")),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_the_user_before_does_not_end_what_the_next_one_may_hear() {
    let users = Arc::new(Mutex::new(&["ali"][..]));
    let rooms = rooms().subscribe(Changing(users.clone()));
    let hub = Hub::builder().namespace(rooms).build().unwrap();
    let mut ali = Peer::connect_as(&serve(&hub), "ali").await;
    ali.subscribe("room:5").await;
    *users.lock().unwrap() = &["bea"];
    let again = begin(&mut ali, None).await;
    sleep(Duration::from_millis(200)).await;
    ali.become_user("bea").await;
    assert_eq!(ali.subscribed(again).await.refused, None);
    sleep(Duration::from_secs(2)).await;
    hears(&hub, &mut ali).await;
}
