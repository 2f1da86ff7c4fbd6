//! From the handshake to the greeting: hooks, in their order, and what they may do.

use std::sync::Arc;

use rpc_runtime::{Client, CloseCode, Code, ConnectInfo, Endpoint, Hooks, Limits, Session, SessionState};
use tokio::{sync::Notify, time::Instant};

use crate::{
    house::{Act, House, Journal, Mark, Watcher, Words, endpoint, identity_for},
    peer::{Peer, info, serve, settle},
};

fn hooked(watchers: impl IntoIterator<Item = Watcher>) -> Endpoint {
    let endpoint = endpoint(&House::default(), &Words::default());
    watchers.into_iter().fold(endpoint, Endpoint::hooks)
}

#[tokio::test(start_paused = true)]
async fn without_hooks_an_anonymous_client_is_greeted_with_what_it_needs_to_know() {
    let server = serve(endpoint(&House::default(), &Words::default()));
    let (mut peer, greeting) = Peer::connect_as(&server, info()).await;
    let session = server.sessions().next().unwrap();
    assert_eq!(greeting.client_id, session.id().to_string());
    assert_eq!((&*greeting.user_id, greeting.identity_expires_in_us), ("", 0));
    assert!(!greeting.authentication_required);
    assert_eq!(greeting.authenticate_within_us, 0);
    assert_eq!(session.state(), SessionState::Anonymous);
    assert_eq!(peer.ask(1, "Who").await.unwrap(), "nobody nobody anonymous None");
}

#[tokio::test(start_paused = true)]
async fn a_client_known_at_the_handshake_is_greeted_as_its_user() {
    let server = serve(endpoint(&House::default(), &Words::default()).require_authentication());
    let info = info().with_identity(identity_for("ali", 60));
    let (mut peer, greeting) = Peer::connect_as(&server, info).await;
    assert_eq!(greeting.user_id, "ali");
    assert!(greeting.authentication_required);
    assert_eq!(greeting.authenticate_within_us, 0, "it has authenticated");
    assert_eq!(greeting.identity_expires_in_us / 1_000_000, 60);
    assert_eq!(peer.ask(1, "Who").await.unwrap(), "ali ali authenticated None");
    assert_eq!(server.sessions_of("ali").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_to_authenticate_is_told_so_and_by_when() {
    let server = serve(endpoint(&House::default(), &Words::default()).require_authentication());
    let (mut peer, greeting) = Peer::connect_as(&server, info()).await;
    assert!(greeting.authentication_required);
    assert_eq!(greeting.authenticate_within_us, 5_000_000);
    assert_eq!(peer.ask(1, "Who").await, Err(Code::Unauthenticated));
}

#[tokio::test(start_paused = true)]
async fn hooks_run_in_the_order_of_registration_before_the_greeting_and_see_how_the_client_connects() {
    let journal = Journal::default();
    let (first, second) = (Watcher::new("first", &journal), Watcher::new("second", &journal));
    let server = serve(hooked([first, second]));
    let info = info().with_identity(identity_for("ali", 60));
    let (mut peer, _) = Peer::connect_as(&server, info).await;
    let lines = [
        "first connect /in/hall",
        "first dropped",
        "second connect /in/hall",
        "second dropped",
        "first authenticated ali",
        "second authenticated ali",
        "first state connecting to authenticated",
        "second state connecting to authenticated",
    ];
    assert_eq!(journal.lines(), lines);
    // What hooks leave in the session is there for handlers.
    let who = peer.ask(1, "Who").await.unwrap();
    assert_eq!(who, "ali ali authenticated Some(\"marked by second\")");
    let whence = peer.ask(2, "Whence").await.unwrap();
    assert_eq!(
        whence,
        "/in/hall Some(\"hall\") Some(\"a b\") Some(\"127.0.0.1:4321\")"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_waits_holds_back_the_greeting_and_calls_but_no_other_client() {
    let (journal, told) = (Journal::default(), Arc::new(Notify::new()));
    let server = serve(hooked([Watcher {
        connect: Act::When(told.clone()),
        ..Watcher::new("hook", &journal)
    }]));
    let mut waits = Peer::begin(&server, info()).await;
    waits.call(1, "Who", "").await;
    waits.hears_nothing().await;
    let session = server.sessions().next().unwrap();
    assert_eq!(session.state(), SessionState::Connecting);
    // One that comes after it, to another endpoint.
    let mut other = Peer::begin(&server, ConnectInfo::new()).await;
    other.greeting().await;
    let mut states = session.state_changes();
    told.notify_one();
    waits.greeting().await;
    assert_eq!(*states.borrow_and_update(), SessionState::Anonymous);
    let (_, answer) = waits.answer().await;
    assert!(
        answer.unwrap().starts_with("nobody"),
        "what was sent before the greeting is answered"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_closes_with_its_code_and_no_hook_after_it_is_run() {
    let journal = Journal::default();
    let server = serve(hooked([
        Watcher::new("first", &journal),
        Watcher {
            connect: Act::Refuse(CloseCode::Other(4_444)),
            ..Watcher::new("second", &journal)
        },
        Watcher::new("third", &journal),
    ]));
    let mut peer = Peer::begin(&server, info()).await;
    peer.call(1, "Who", "").await;
    assert_eq!(peer.closed().await, (4_444, "not today".to_owned()));
    peer.gone().await;
    assert_eq!(journal.of("third "), ["state connecting to closed"]);
    // Only the first has let it in.
    assert_eq!(journal.of("first disconnect"), [" 4444 not today"]);
    assert!(journal.of("second disconnect").is_empty());
}

#[tokio::test(start_paused = true)]
async fn hooks_that_refuse_a_user_close_with_their_code() {
    let journal = Journal::default();
    let server = serve(hooked([Watcher {
        authenticated: Act::Refuse(CloseCode::PolicyViolation),
        ..Watcher::new("hook", &journal)
    }]));
    let info = info().with_identity(identity_for("ali", 60));
    let mut peer = Peer::begin(&server, info).await;
    assert_eq!(peer.closed().await, (1008, "not today".to_owned()));
    peer.gone().await;
    assert_eq!(journal.of("hook disconnect"), [" 1008 not today"]);
    assert!(server.sessions_of("ali").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_refuses_with_1011_and_other_clients_live() {
    let journal = Journal::default();
    let lives = serve(hooked([]));
    let mut other = Peer::connect(&lives).await;
    for (connect, authenticated, left) in [(Act::Panic, Act::Admit, 0), (Act::Admit, Act::Panic, 1)] {
        let journal = journal.clone();
        let server = serve(hooked([Watcher {
            connect,
            authenticated,
            ..Watcher::new("hook", &journal)
        }]));
        let info = info().with_identity(identity_for("ali", 60));
        let mut peer = Peer::begin(&server, info).await;
        let (code, reason) = peer.closed().await;
        assert_eq!(code, 1011);
        assert!(!reason.contains("mistake"), "{reason}");
        peer.gone().await;
        assert_eq!(journal.of("hook disconnect").len(), left);
    }
    assert!(other.ask(1, "Who").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn hooks_that_take_longer_than_5_s_are_dropped_and_the_client_is_to_try_again_later() {
    let journal = Journal::default();
    let server = serve(hooked([Watcher {
        connect: Act::Never,
        ..Watcher::new("hook", &journal)
    }]));
    let began = Instant::now();
    let mut peer = Peer::begin(&server, info()).await;
    assert_eq!(peer.closed().await.0, 1013);
    assert_eq!(began.elapsed().as_secs(), 5);
    assert_eq!(journal.of("hook dropped").len(), 1);
    peer.gone().await;
    assert!(journal.of("hook disconnect").is_empty(), "it was not let in");
}

#[tokio::test(start_paused = true)]
async fn hooks_are_dropped_at_once_when_the_client_goes_away_meanwhile() {
    let journal = Journal::default();
    let server = serve(hooked([
        Watcher::new("first", &journal),
        Watcher {
            connect: Act::Never,
            ..Watcher::new("second", &journal)
        },
    ]));
    let mut peer = Peer::begin(&server, info()).await;
    peer.call(1, "Who", "").await;
    settle().await;
    drop(peer);
    settle().await;
    assert_eq!(journal.of("second dropped").len(), 1);
    assert_eq!(server.connections(), 0);
    assert_eq!(journal.of("first disconnect"), [" 1006 "]);
    assert!(journal.of("second disconnect").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_much_before_it_is_let_in_is_read_no_further_and_answered_afterwards() {
    let (journal, told) = (Journal::default(), Arc::new(Notify::new()));
    let server = serve(hooked([Watcher {
        connect: Act::When(told.clone()),
        ..Watcher::new("hook", &journal)
    }]));
    let mut peer = Peer::begin(&server, info()).await;
    let session = server.sessions().next();
    assert!(session.is_none(), "its task has not begun");
    for id in 1..=60 {
        peer.call(id, "Who", &"x".repeat(4_000)).await;
    }
    settle().await;
    let session = server.sessions().next().unwrap();
    let received = session.stats().bytes_received;
    // Up to 16 KiB are asked for, and as much as the read buffer holds comes with the last of them.
    assert!((16_000..=80_000).contains(&received), "{received}");
    told.notify_one();
    peer.greeting().await;
    for id in 1..=60 {
        assert_eq!(peer.answer().await.0, id);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_may_close_the_session_that_it_looks_at() {
    let journal = Journal::default();
    let server = serve(hooked([Watcher {
        connect: Act::Close,
        ..Watcher::new("hook", &journal)
    }]));
    let mut peer = Peer::begin(&server, info()).await;
    assert_eq!(peer.closed().await, (4_900, "closed by a hook".to_owned()));
    peer.gone().await;
    assert_eq!(journal.of("hook disconnect"), [" 4900 closed by a hook"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_closes_clients_that_are_not_let_in_yet_at_once() {
    let journal = Journal::default();
    let server = serve(hooked([Watcher {
        connect: Act::Never,
        ..Watcher::new("hook", &journal)
    }]));
    let mut peer = Peer::begin(&server, info()).await;
    settle().await;
    let began = Instant::now();
    let stopping = tokio::spawn({
        let server = server.clone();
        async move { server.shutdown().await }
    });
    // Without a go-away, which would come before the greeting.
    assert_eq!(peer.closed_next().await.0, 1012);
    peer.gone().await;
    stopping.await.unwrap();
    assert!(began.elapsed().as_secs() < 1, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn hooks_that_panic_while_they_are_told_of_states_and_errors_change_nothing() {
    let journal = Journal::default();
    let server = serve(hooked([
        Watcher {
            panics: true,
            ..Watcher::new("first", &journal)
        },
        Watcher::new("second", &journal),
    ]));
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.ask(1, "Break").await, Err(Code::Internal));
    assert!(peer.ask(2, "Who").await.is_ok());
    let error = "error recoverable call house.HouseService/Break INTERNAL a mistake in the handler";
    let expected = [
        "connect /in/hall",
        "dropped",
        "state connecting to anonymous",
        error,
    ];
    for name in ["first ", "second "] {
        assert_eq!(journal.of(name), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn our_own_client_waits_for_hooks_and_is_served_behind_them() {
    struct Slow;
    impl Hooks for Slow {
        async fn on_connect(&self, session: &Arc<Session>) -> Result<(), rpc_runtime::Refusal> {
            tokio::time::sleep(std::time::Duration::from_secs(3)).await;
            session.insert(Mark("slowly".to_owned()));
            Ok(())
        }
    }
    let house = House::default();
    let server = serve(
        endpoint(&house, &Words::default())
            .hooks(Slow)
            .limits(Limits::default()),
    );
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(server.serve_connection(far, info()));
    let client = Client::from_io(near);
    let began = Instant::now();
    let call = client.unary::<crate::house::Note>(crate::house::method("Who"), &crate::house::note(""));
    assert_eq!(
        call.await.unwrap().text,
        "nobody nobody anonymous Some(\"slowly\")"
    );
    assert_eq!(began.elapsed().as_secs(), 3);
}
