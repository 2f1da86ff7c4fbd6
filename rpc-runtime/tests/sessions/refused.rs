//! Credentials that are not accepted, and what is asked of clients that nobody knows.

use std::sync::atomic::Ordering;

use rpc_runtime::{Code, Limits, Server};
use tokio::time::{Duration, Instant};

use crate::{
    house::{House, Watcher, Words, endpoint},
    peer::{CHANGE, Peer, REFRESH, SIGN_OUT, info, serve, settle},
};

fn required() -> (Server, Words) {
    let words = Words::default();
    let hooks = Watcher::new("hook", &words.journal);
    let endpoint = endpoint(&House::default(), &words).require_authentication();
    (serve(endpoint.hooks(hooks)), words)
}

fn open() -> (Server, Words) {
    let words = Words::default();
    let hooks = Watcher::new("hook", &words.journal);
    (serve(endpoint(&House::default(), &words).hooks(hooks)), words)
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_changes_nothing_and_says_only_the_kind() {
    let (server, words) = open();
    let mut peer = Peer::connect(&server).await;
    peer.show(1, REFRESH, "wrong").await;
    let identity = peer.identity().await;
    let status = identity.status.unwrap();
    assert_eq!(
        (status.code(), &*status.message),
        (Code::Unauthenticated, "the credential is not valid")
    );
    assert_eq!(identity.user_id, "");
    peer.authenticate(2, REFRESH, "ali for 60").await.unwrap();
    // What the client has already stays in force, and its time with it.
    peer.show(3, CHANGE, "wrong").await;
    let identity = peer.identity().await;
    assert_eq!(
        (&*identity.user_id, identity.expires_in_us / 1_000_000),
        ("ali", 60)
    );
    assert!(
        peer.ask(1, "Who")
            .await
            .unwrap()
            .starts_with("ali ali authenticated")
    );
    let errors = words.journal.of("hook error ");
    assert_eq!(errors.len(), 2);
    assert!(
        errors[0].starts_with("recoverable authentication the credential is not valid"),
        "{errors:?}"
    );
    let back = ["authenticating to anonymous", "authenticating to authenticated"];
    let states = words.journal.of("hook state ");
    assert_eq!([&*states[2], &*states[6]], back, "{states:?}");
}

#[tokio::test(start_paused = true)]
async fn kinds_of_refusals_are_told_apart() {
    let (server, _) = open();
    for (scheme, word, code, text) in [
        (
            "word",
            "wrong",
            Code::Unauthenticated,
            "the credential is not valid",
        ),
        (
            "word",
            "expired",
            Code::Unauthenticated,
            "the credential has expired",
        ),
        (
            "word",
            "ali past",
            Code::Unauthenticated,
            "the credential has expired",
        ),
        (
            "word",
            "nobody",
            Code::Unauthenticated,
            "the credential is not valid",
        ),
        (
            "riddle",
            "ali",
            Code::Unauthenticated,
            "credentials of this scheme are not accepted here",
        ),
        (
            "word",
            "down",
            Code::Unavailable,
            "the credential cannot be checked now: try again later",
        ),
        (
            "word",
            "panic",
            Code::Unavailable,
            "the credential cannot be checked now: try again later",
        ),
        (
            "word",
            "never",
            Code::Unavailable,
            "the credential cannot be checked now: try again later",
        ),
    ] {
        let mut peer = Peer::connect(&server).await;
        peer.show_as(1, REFRESH, scheme, word).await;
        let status = peer.identity().await.status.unwrap();
        assert_eq!((status.code(), &*status.message), (code, text), "{word}");
        assert!(
            peer.ask(1, "Who")
                .await
                .unwrap()
                .starts_with("nobody nobody anonymous")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_authenticator_that_does_not_answer_in_5_s_is_dropped_and_the_client_may_try_again() {
    let (server, words) = open();
    let mut peer = Peer::connect(&server).await;
    let began = Instant::now();
    assert_eq!(
        peer.authenticate(1, REFRESH, "never").await.unwrap_err().0,
        Code::Unavailable
    );
    assert_eq!(began.elapsed().as_secs(), 5);
    assert_eq!(words.journal.of("answered "), ["never"]);
    assert_eq!(peer.authenticate(2, REFRESH, "ali after 4").await.unwrap(), "ali");
}

#[tokio::test(start_paused = true)]
async fn more_than_5_refused_credentials_in_10_s_close_with_4500_and_slower_ones_do_not() {
    let (server, words) = open();
    let mut slow = Peer::connect(&server).await;
    for id in 1..=20 {
        assert_eq!(
            slow.authenticate(id, REFRESH, "wrong").await.unwrap_err().0,
            Code::Unauthenticated
        );
        tokio::time::sleep(Duration::from_millis(2_100)).await;
    }
    let mut fast = Peer::connect(&server).await;
    // Those that cannot be checked are nobody's fault.
    for id in 1..=10 {
        assert_eq!(
            fast.authenticate(id, REFRESH, "down").await.unwrap_err().0,
            Code::Unavailable
        );
    }
    for id in 1..=5 {
        assert_eq!(
            fast.authenticate(id, REFRESH, "wrong").await.unwrap_err().0,
            Code::Unauthenticated
        );
    }
    let asked = words.asked.load(Ordering::SeqCst);
    fast.show(6, REFRESH, "wrong").await;
    fast.show(7, REFRESH, "ali").await;
    assert_eq!(fast.closed().await.0, 4500);
    fast.gone().await;
    let more = words.asked.load(Ordering::SeqCst) - asked;
    assert_eq!(more, 1, "nothing behind it is looked at");
}

#[tokio::test(start_paused = true)]
async fn more_than_20_credentials_in_10_s_close_with_4429_even_if_they_are_accepted() {
    let (server, words) = open();
    let mut peer = Peer::connect(&server).await;
    for id in 1..=20 {
        assert_eq!(peer.authenticate(id, REFRESH, "ali").await.unwrap(), "ali");
    }
    peer.rest(10).await;
    for id in 21..=40 {
        assert_eq!(peer.authenticate(id, CHANGE, "ali").await.unwrap(), "ali");
    }
    peer.show(41, REFRESH, "ali").await;
    assert_eq!(peer.closed().await.0, 4429);
    assert_eq!(words.asked.load(Ordering::SeqCst), 40);
}

#[tokio::test(start_paused = true)]
async fn nobody_known_within_5_s_where_that_is_required_closes_with_4505() {
    let (server, _) = required();
    let began = Instant::now();
    let mut peer = Peer::connect(&server).await;
    assert_eq!(
        peer.authenticate(1, REFRESH, "wrong").await.unwrap_err().0,
        Code::Unauthenticated
    );
    assert_eq!(peer.closed().await.0, 4505);
    assert_eq!(began.elapsed().as_secs(), 5);
    // Where it is not required, nothing happens.
    let (server, _) = open();
    let mut peer = Peer::connect(&server).await;
    peer.rest(20).await;
    assert!(peer.ask(1, "Who").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_was_shown_in_time_is_waited_for_and_one_that_is_refused_too_late_closes_with_4505()
{
    let (server, _) = required();
    let mut peer = Peer::connect(&server).await;
    peer.rest(3).await;
    assert_eq!(peer.authenticate(1, REFRESH, "ali after 4").await.unwrap(), "ali");
    peer.rest(20).await;
    assert!(peer.ask(1, "Who").await.unwrap().starts_with("ali ali"));
    let mut peer = Peer::connect(&server).await;
    peer.rest(3).await;
    let began = Instant::now();
    peer.show(1, REFRESH, "never").await;
    peer.show(2, REFRESH, "ali").await;
    assert_eq!(peer.identity().await.status.unwrap().code(), Code::Unavailable);
    assert_eq!(peer.closed().await.0, 4505);
    assert_eq!(began.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_gives_a_new_deadline_where_somebody_has_to_be_known() {
    let (server, _) = required();
    let mut peer = Peer::connect(&server).await;
    peer.authenticate(1, REFRESH, "ali").await.unwrap();
    peer.rest(60).await;
    peer.authenticate(2, SIGN_OUT, "").await.unwrap();
    let began = Instant::now();
    peer.rest(4).await;
    peer.authenticate(3, REFRESH, "eve").await.unwrap();
    peer.rest(60).await;
    peer.authenticate(4, SIGN_OUT, "").await.unwrap();
    assert_eq!(peer.closed().await.0, 4505);
    assert_eq!(began.elapsed().as_secs(), 4 + 60 + 5);
}

#[tokio::test(start_paused = true)]
async fn messages_over_16_kib_close_with_1009_until_somebody_is_known_where_that_is_required() {
    let long = "x".repeat(17_000);
    let (server, _) = required();
    let mut peer = Peer::connect(&server).await;
    peer.call(1, "Who", &long).await;
    assert_eq!(peer.closed().await.0, 1009);
    // A credential of 16 KiB fits with what stands around it.
    let mut peer = Peer::connect(&server).await;
    let token = format!("ali {}", "t".repeat(16_000));
    assert_eq!(
        peer.authenticate(1, REFRESH, &token).await.unwrap_err().0,
        Code::Unauthenticated
    );
    peer.show(2, REFRESH, "ali").await;
    peer.call(1, "Who", &long).await;
    assert_eq!(peer.identity().await.user_id, "ali");
    assert!(
        peer.answer().await.1.is_ok(),
        "what is sent behind a credential has its limit"
    );
    // Behind a sign-out, what is on its way does not cost the connection.
    peer.show(3, SIGN_OUT, "").await;
    peer.call(2, "Who", &long).await;
    assert_eq!(peer.identity().await.user_id, "");
    assert_eq!(peer.answer().await, (2, Err(Code::Unauthenticated)));
    // Anonymous clients where nobody has to be known have the limit of all.
    let (server, _) = open();
    let mut peer = Peer::connect(&server).await;
    peer.call(1, "Who", &long).await;
    assert!(peer.answer().await.1.is_ok());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_of_requests_in_parts_while_nobody_is_known_who_has_to_be() {
    let (server, _) = required();
    let mut peer = Peer::connect(&server).await;
    // Of each of 100 streams, 8 KiB: within every window.
    for stream_id in 1..=100 {
        peer.part(stream_id, 8_000).await;
        assert_eq!(peer.answer().await, (stream_id, Err(Code::Unauthenticated)));
    }
    peer.authenticate(1, REFRESH, "ali").await.unwrap();
    peer.part(101, 8_000).await;
    // Whoever has gone back to anonymous begins none, either.
    peer.authenticate(2, SIGN_OUT, "").await.unwrap();
    peer.part(102, 8_000).await;
    assert_eq!(peer.answer().await, (102, Err(Code::Unauthenticated)));
}

#[tokio::test(start_paused = true)]
async fn silence_while_the_gate_is_shut_is_not_held_against_the_client() {
    let words = Words::default();
    let limits = Limits {
        ping_interval: Duration::from_secs(2),
        pong_timeout: Duration::from_secs(1),
        authentication_time: Duration::from_secs(20),
        ..Limits::default()
    };
    let house = House::default();
    let server = serve(endpoint(&house, &words).limits(limits));
    let mut peer = Peer::connect(&server).await;
    peer.call(1, "Wait", "").await;
    peer.show(1, REFRESH, "ali after 15").await;
    // The connection is at work meanwhile: it sends, and hears nothing.
    peer.rest(10).await;
    house.release.notify_waiters();
    assert_eq!(peer.answer().await, (1, Ok("nobody".to_owned())));
    let identity = peer.identity().await;
    assert_eq!(identity.user_id, "ali");
    assert!(peer.ask(2, "Who").await.unwrap().starts_with("ali"));
    // Afterwards it is.
    assert_eq!(peer.closed().await.0, 4408);
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_is_expired_already_at_the_handshake_closes_with_4401() {
    let (server, words) = open();
    let past = std::time::SystemTime::now() - Duration::from_secs(1);
    let identity = rpc_runtime::auth::Identity::new("ali").expires_at(past);
    let mut peer = Peer::begin(&server, info().with_identity(identity)).await;
    assert_eq!(peer.closed().await.0, 4401);
    peer.gone().await;
    settle().await;
    assert!(words.journal.of("hook connect").is_empty());
    assert!(server.sessions_of("ali").is_empty());
}
