//! A client that is refused in a channel that it hears already: whether it still does, the answer says.

use std::time::Duration;

use rpc_runtime::{
    Code, Status,
    hub::{Anyone, Asks, Hub, Namespace, OnSubscribe, Snapshot},
    services::hub::{SubscribeAnswer, SubscribeChannel, TypedMessage},
};
use tokio::sync::watch;

use crate::{
    common::{Peer, Said, said, serve, to},
    typed::{client_of, in_memory, next},
};

/// The state of a channel, unless it is out of order.
struct State(watch::Receiver<Option<Code>>);

impl OnSubscribe<()> for State {
    async fn snapshot(&self, _: &Asks, (): &()) -> Result<Snapshot, Status> {
        match *self.0.borrow() {
            Some(code) => Err(Status::new(code, "out of order")),
            None => Ok(Snapshot::now(&said("state"))),
        }
    }
}

/// A channel with a state and no history.
fn room() -> (Hub, watch::Sender<Option<Code>>) {
    let (breaks, broken) = watch::channel(None);
    let room = Namespace::<()>::new("room")
        .subscribe(Anyone)
        .on_subscribe(State(broken));
    (Hub::builder().namespace(room).build().unwrap(), breaks)
}

fn code(answer: &SubscribeAnswer) -> Option<Code> {
    let refused = answer.refused.as_ref()?;
    Some(Code::from_i32(refused.code))
}

async fn reached(hub: &Hub) -> Option<usize> {
    hub.channel("room").publish(&said("x")).await.unwrap().reached
}

#[tokio::test(start_paused = true)]
async fn who_hears_the_channel_as_before_is_told_its_number() {
    let (hub, breaks) = room();
    let server = serve(&hub);
    let mut ali = Peer::connect(&server).await;
    breaks.send_replace(Some(Code::Unavailable));
    let answer = ali.try_subscribe("room").await;
    assert_eq!((code(&answer), answer.number), (Some(Code::Unavailable), 0));
    breaks.send_replace(None);
    let number = ali.subscribe("room").await.number;
    breaks.send_replace(Some(Code::Unavailable));
    let answer = ali.try_subscribe("room").await;
    assert_eq!((code(&answer), answer.number), (Some(Code::Unavailable), number));
    let nonsense = SubscribeChannel {
        presence: Some(TypedMessage::default()),
        ..to("room")
    };
    let answer = ali.ask(nonsense).await;
    assert_eq!(
        (code(&answer), answer.number),
        (Some(Code::InvalidArgument), number)
    );
    assert_eq!(reached(&hub).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn who_is_put_out_by_a_right_that_cannot_be_asked_for_is_told_no_number() {
    let (breaks, broken) = watch::channel(false);
    let room = Namespace::<()>::new("room").subscribe(move |_: &Asks, (): &()| match *broken.borrow() {
        true => Err(Status::unavailable("nobody knows")),
        false => Ok(()),
    });
    let hub = Hub::builder().namespace(room).build().unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect(&server).await;
    ali.subscribe("room").await;
    breaks.send_replace(true);
    let answer = ali.try_subscribe("room").await;
    assert_eq!((code(&answer), answer.number), (Some(Code::Unavailable), 0));
    assert_eq!(reached(&hub).await, Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_refused_a_second_subscription_keeps_the_first_and_ends_it_at_the_server() {
    for refused in [Code::Unavailable, Code::ResourceExhausted] {
        let (hub, breaks) = room();
        let server = in_memory(&hub);
        let ali = client_of(&server, "ali");
        let mut first = ali.hub().subscribe::<Said>("room").await.unwrap();
        breaks.send_replace(Some(refused));
        let second = ali.hub().subscribe::<Said>("room").await;
        assert_eq!(second.unwrap_err().code(), Some(refused));
        assert_eq!(reached(&hub).await, Some(1));
        for text in ["state", "x"] {
            assert_eq!(next(&mut first).await.event, said(text));
        }
        drop(first);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(reached(&hub).await, Some(0), "{refused:?}");
    }
}
