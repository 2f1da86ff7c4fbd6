//! What is kept of calls is bounded, and nobody resumes with what was never sent: clients by hand that acknowledge nothing, too
//! much or backwards, that say they have lost what they sent, and that come back while their old connection looks alive.

use std::time::Duration;

use rpc_protocol::{
    Frame, FrameKind,
    frame::{Acknowledgement, Credit, End, Greeting, Request},
};
use rpc_runtime::{Code, Limits, Server, SessionState, auth::Credential, prost::Message as _, testing};

use crate::{
    line::{Item, KEPT, Line, connect, item, method, replaying},
    peer::{Peer, info, settle},
    support::cut,
};

pub struct Place {
    pub line: Line,
    pub server: Server,
}

impl Place {
    pub fn new() -> Self {
        Self::with(replaying())
    }

    pub fn with(limits: Limits) -> Self {
        let line = Line::default();
        let server = Server::builder().service(line.clone()).limits(limits);
        let server = server.build().unwrap();
        Self { line, server }
    }

    /// A client that keeps what it sends of calls.
    pub async fn connect(&self) -> (Peer, Greeting) {
        let (mut peer, greeting) = Peer::connect_as(&self.server, info()).await;
        greet(&mut peer, Greeting::default()).await;
        (peer, greeting)
    }

    /// The same client, with what it says of what it has and what it cannot send again.
    pub async fn come_back(&self, token: &str, received_frames: u64, replay_after: u64) -> (Peer, Greeting) {
        let mut peer = Peer::begin(&self.server, info().with_client_coming_back()).await;
        let greeting = Greeting {
            resume_token: token.to_owned(),
            received_frames,
            replay_after,
            ..Greeting::default()
        };
        greet(&mut peer, greeting).await;
        let greeting = peer.greeting().await;
        (peer, greeting)
    }

    /// How many calls run.
    pub fn calls(&self) -> u32 {
        self.server
            .sessions()
            .map(|session| session.stats().open_calls)
            .sum()
    }

    pub fn state(&self) -> Option<SessionState> {
        self.server.sessions().next().map(|session| session.state())
    }
}

pub async fn greet(peer: &mut Peer, greeting: Greeting) {
    let greeting = Greeting {
        replay_bytes: KEPT as u64,
        ..greeting
    };
    peer.send(0, FrameKind::Greeting(Box::new(greeting))).await;
}

pub async fn call(peer: &mut Peer, stream_id: u64, name: &str, asked: &Item) {
    let request = Request {
        method: method(name).number,
        body: asked.encode_to_vec().into(),
        ..Request::default()
    };
    peer.send(stream_id, FrameKind::Request(request)).await;
    settle().await;
}

async fn acknowledge(peer: &mut Peer, received_frames: u64) {
    let acknowledgement = Acknowledgement {
        received_frames,
        ..Acknowledgement::default()
    };
    peer.send(0, FrameKind::Acknowledgement(acknowledgement)).await;
    settle().await;
}

/// The next frame of a call; what the server says of what it has received comes before it.
pub async fn frame(peer: &mut Peer) -> Frame {
    loop {
        let frame = peer.frame().await;
        if !matches!(frame.kind, FrameKind::Acknowledgement(_) | FrameKind::Credit(_)) {
            return frame;
        }
    }
}

/// The number that answers a call.
pub async fn answer(peer: &mut Peer, stream_id: u64) -> u64 {
    let frame = frame(peer).await;
    match frame.kind {
        FrameKind::Response(response) if frame.stream_id == stream_id => {
            Item::decode(response.body).expect("an item").number
        }
        other => panic!("not an answer to {stream_id}: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_the_answer_is_not_sent_it_again_and_one_that_has_not_is() {
    let place = Place::new();
    for received in [0, 1] {
        let (mut peer, greeting) = place.connect().await;
        call(&mut peer, 1, "Take", &item(0)).await;
        // It asks for a stream, which this is not: one answer, and one frame.
        let FrameKind::End(End { status, .. }) = frame(&mut peer).await.kind else {
            panic!("not an end");
        };
        assert_eq!(status.expect("is told").code, Code::InvalidArgument as i32);
        cut(peer).await;
        let (mut peer, again) = place.come_back(&greeting.resume_token, received, 0).await;
        assert!(again.streams_resumed);
        assert_eq!(again.received_frames, 1, "the request");
        if received == 0 {
            assert!(matches!(frame(&mut peer).await.kind, FrameKind::End(_)));
        }
        peer.hears_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_acknowledges_frames_of_calls_that_were_never_sent_is_closed_with_4502() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    call(&mut peer, 1, "Wait", &item(0)).await;
    acknowledge(&mut peer, 1).await;
    assert_eq!(peer.closed_next().await.0, 4502);
    peer.gone().await;
    assert_eq!(
        (place.line.waiting(), place.state()),
        (0, None),
        "a violation ends the session"
    );
    // Nor does it go on with that, or with what its own side cannot have.
    for (received, replay_after) in [(1, 0), (u64::MAX, 0)] {
        let (peer, fresh) = place
            .come_back(&greeting.resume_token, received, replay_after)
            .await;
        assert!(!fresh.resumed && !fresh.streams_resumed);
        cut(peer).await;
    }
    let (mut peer, greeting) = place.connect().await;
    call(&mut peer, 1, "Wait", &item(0)).await;
    cut(peer).await;
    let (_peer, fresh) = place.come_back(&greeting.resume_token, 1, 0).await;
    assert!(!fresh.resumed, "one frame was received, and none was sent");
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_that_is_behind_another_changes_nothing_and_a_return_behind_it_begins_a_new_session()
 {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    for id in 1..=3 {
        call(&mut peer, id, "Take", &item(0)).await;
        frame(&mut peer).await;
    }
    acknowledge(&mut peer, 2).await;
    acknowledge(&mut peer, 0).await;
    cut(peer).await;
    let (peer, again) = place.come_back(&greeting.resume_token, 2, 0).await;
    assert!(again.streams_resumed);
    cut(peer).await;
    let (_peer, fresh) = place.come_back(&again.resume_token, 1, 0).await;
    assert!(!fresh.resumed, "what it has acknowledged is not kept any more");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_cannot_send_again_what_was_lost_goes_on_without_its_calls() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    call(&mut peer, 1, "Wait", &item(0)).await;
    cut(peer).await;
    assert_eq!(place.line.waiting(), 1);
    let (mut peer, again) = place.come_back(&greeting.resume_token, 0, 2).await;
    assert_eq!(
        (again.resumed, again.streams_resumed, again.received_frames),
        (true, false, 0)
    );
    assert_eq!(place.line.waiting(), 0, "its handler is dropped");
    // Ids and counts begin anew, and calls may go on from here.
    call(&mut peer, 1, "Wait", &item(0)).await;
    cut(peer).await;
    let (mut peer, again) = place.come_back(&again.resume_token, 0, 0).await;
    assert_eq!((again.streams_resumed, again.received_frames), (true, 1));
    place.line.release.notify_waiters();
    assert_eq!(answer(&mut peer, 1).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_acknowledges_stops_its_streams_where_half_of_what_is_kept_waits() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    let asked = Item {
        number: 1_000_000,
        padding: vec![0; 1_000].into(),
    };
    call(&mut peer, 1, "Count", &asked).await;
    let credit = Credit { bytes: 1 << 40 };
    for stream in [0, 1] {
        peer.send(stream, FrameKind::Credit(credit)).await;
    }
    let mut received = 0;
    let mut read = async |peer: &mut Peer| {
        while let Ok(frame) = tokio::time::timeout(Duration::from_secs(5), frame(peer)).await {
            received += usize::from(matches!(frame.kind, FrameKind::Response(_) | FrameKind::Data(_)));
        }
        received
    };
    let first = read(&mut peer).await;
    let half = KEPT / 2 / (1_000 + 64);
    // What stands in front of an item counts as well.
    assert!((half - 20..half + 100).contains(&first), "{first}");
    // It goes on as it acknowledges, and stands again.
    acknowledge(&mut peer, first as u64).await;
    let second = read(&mut peer).await;
    assert!((2 * half - 40..2 * half + 200).contains(&second), "{second}");
    // While it is away, no more is made either, nor given up.
    cut(peer).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let made = place.line.produced.load(std::sync::atomic::Ordering::SeqCst);
    assert!(made as usize <= second + 40, "{made} of {second}");
    let (_peer, again) = place.come_back(&greeting.resume_token, first as u64, 0).await;
    assert!(again.streams_resumed);
}

#[tokio::test(start_paused = true)]
async fn answers_past_the_bound_cost_the_calls_of_a_client_that_misses_them_and_not_its_session() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    let asked = Item {
        number: 1,
        padding: vec![0; 100_000].into(),
    };
    let credit = Credit { bytes: 1 << 40 };
    peer.send(0, FrameKind::Credit(credit)).await;
    // Answered at once, whatever waits: they are not streams.
    for id in 1..=20 {
        call(&mut peer, 2 * id, "Give", &asked).await;
        answer(&mut peer, 2 * id).await;
    }
    call(&mut peer, 50, "Wait", &item(0)).await;
    cut(peer).await;
    assert_eq!((place.line.waiting(), place.calls()), (1, 1));
    let (peer, again) = place.come_back(&greeting.resume_token, 2, 0).await;
    assert_eq!((again.resumed, again.streams_resumed), (true, false));
    assert_eq!((place.line.waiting(), place.calls()), (0, 0));
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_while_its_old_connection_looks_alive_takes_its_calls_along() {
    let place = Place::new();
    let (mut old, greeting) = place.connect().await;
    call(&mut old, 1, "Wait", &item(0)).await;
    let (mut new, again) = place.come_back(&greeting.resume_token, 0, 0).await;
    assert!(again.streams_resumed);
    assert_eq!((place.line.waiting(), place.calls()), (1, 1));
    assert_eq!(old.closed().await.0, 1001);
    old.gone().await;
    assert_eq!(
        place.line.waiting(),
        1,
        "the old connection has nothing of it any more"
    );
    place.line.release.notify_waiters();
    assert_eq!(answer(&mut new, 1).await, 0);
    assert_eq!(place.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_client_that_keeps_nothing_end_with_their_connection() {
    let place = Place::new();
    let (mut peer, greeting) = Peer::connect_as(&place.server, info()).await;
    assert_eq!(greeting.replay_bytes, KEPT as u64, "it is offered");
    call(&mut peer, 1, "Wait", &item(0)).await;
    cut(peer).await;
    assert_eq!(
        (place.line.waiting(), place.state()),
        (0, Some(SessionState::Detached))
    );
    let (_peer, again) = place.come_back(&greeting.resume_token, 0, 0).await;
    assert_eq!((again.resumed, again.streams_resumed), (true, false));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_only_behind_a_call_that_it_keeps_frames_is_closed_with_4502() {
    let place = Place::new();
    let (mut peer, _) = Peer::connect_as(&place.server, info()).await;
    call(&mut peer, 1, "Wait", &item(0)).await;
    greet(&mut peer, Greeting::default()).await;
    assert_eq!(peer.closed_next().await.0, 4502);
}

#[tokio::test(start_paused = true)]
async fn when_the_window_is_over_calls_that_waited_are_cancelled_with_their_session() {
    let place = Place::new();
    let (mut peer, _) = place.connect().await;
    call(&mut peer, 1, "Wait", &item(0)).await;
    cut(peer).await;
    tokio::time::sleep(Duration::from_millis(59_900)).await;
    assert_eq!(place.line.waiting(), 1);
    tokio::time::sleep(Duration::from_millis(200)).await;
    settle().await;
    assert_eq!((place.line.waiting(), place.state()), (0, None));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_while_the_client_is_away_ends_its_call_and_is_told_when_it_is_back() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    let request = Request {
        method: method("Wait").number,
        timeout_us: 5_000_000,
        ..Request::default()
    };
    peer.send(1, FrameKind::Request(request)).await;
    settle().await;
    cut(peer).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(place.line.waiting(), 0);
    let (mut peer, again) = place.come_back(&greeting.resume_token, 0, 0).await;
    assert!(again.streams_resumed);
    let FrameKind::End(End { status, .. }) = frame(&mut peer).await.kind else {
        panic!("not an end");
    };
    assert_eq!(status.expect("is told").code, Code::DeadlineExceeded as i32);
}

#[tokio::test(start_paused = true)]
async fn a_body_whose_parts_come_over_two_connections_is_whole() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    let asked = Item {
        number: 7,
        padding: vec![3; 1_000].into(),
    };
    let mut body = rpc_runtime::bytes::Bytes::from(asked.encode_to_vec());
    let request = Request {
        method: method("Give").number,
        more: true,
        body: body.split_to(400),
        ..Request::default()
    };
    peer.send(1, FrameKind::Request(request)).await;
    settle().await;
    cut(peer).await;
    let (mut peer, again) = place.come_back(&greeting.resume_token, 0, 0).await;
    assert_eq!((again.streams_resumed, again.received_frames), (true, 1));
    let rest = rpc_protocol::frame::Data {
        body,
        ..Default::default()
    };
    peer.send(1, FrameKind::Data(rest)).await;
    assert_eq!(answer(&mut peer, 1).await, 7);
}

#[tokio::test(start_paused = true)]
async fn a_credential_behind_the_greeting_of_a_return_does_not_come_between_the_calls() {
    // With a server that knows nobody it is refused, and the calls go on all the same.
    let place = Place::new();
    let server = testing::serve(place.server.clone());
    let client = connect(&server).await;
    let calling = tokio::spawn({
        let client = client.clone();
        async move { client.unary::<Item>(method("Wait"), &item(0)).await }
    });
    settle().await;
    let refused = client
        .authenticate(Credential::new("word", "ali".to_owned()))
        .await;
    assert!(refused.is_err());
    server.disconnect_all().await;
    settle().await;
    client.ready().await.unwrap();
    place.line.release.notify_waiters();
    assert_eq!(calling.await.unwrap().expect("goes on").number, 0);
}
