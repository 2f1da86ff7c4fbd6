//! The end of an identity: warned ahead, refreshed, or closed.

use rpc_runtime::{Code, Limits, Server};
use tokio::time::Instant;

use crate::{
    house::{House, Watcher, Words, endpoint, identity_for},
    peer::{Peer, REFRESH, SIGN_OUT, info, serve},
};

fn house() -> (Server, House, Words) {
    let (house, words) = (House::default(), Words::default());
    let hooks = Watcher::new("hook", &words.journal);
    let server = serve(endpoint(&house, &words).hooks(hooks));
    (server, house, words)
}

#[tokio::test(start_paused = true)]
async fn a_client_is_warned_60_s_ahead_and_closed_25_s_after_the_end_with_4401() {
    let (server, house, words) = house();
    let began = Instant::now();
    let info = info().with_identity(identity_for("ali", 300));
    let (mut peer, _) = Peer::connect_as(&server, info).await;
    peer.call(1, "WaitKnown", "").await;
    peer.call(2, "Wait", "").await;
    let warned = peer.identity().await;
    assert_eq!(began.elapsed().as_secs(), 240);
    assert!(warned.expires_soon && warned.request_id == 0 && warned.status.is_none());
    assert_eq!(warned.user_id, "ali");
    assert!(
        (59_900_000..=60_000_000).contains(&warned.expires_in_us),
        "{warned:?}"
    );
    // Within the grace all goes on.
    peer.rest(70).await;
    assert!(
        peer.ask(100, "Who")
            .await
            .unwrap()
            .starts_with("ali ali authenticated")
    );
    assert_eq!(house.waiting(), 2);
    assert_eq!(peer.answer().await, (1, Err(Code::Unauthenticated)));
    let closed = peer.closed_next().await;
    assert_eq!(closed.0, 4401);
    assert_eq!(began.elapsed().as_secs(), 325);
    peer.gone().await;
    assert_eq!(house.waiting(), 0);
    assert_eq!(words.journal.of("hook disconnect ").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_does_not_last_is_warned_of_at_half_of_its_time() {
    let (server, ..) = house();
    let mut peer = Peer::connect(&server).await;
    let began = Instant::now();
    peer.show(1, REFRESH, "ali for 20").await;
    assert_eq!(peer.identity().await.expires_in_us / 1_000_000, 20);
    let warned = peer.identity().await;
    assert!(warned.expires_soon);
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_before_the_end_or_within_the_grace_goes_on_and_is_warned_of_anew() {
    let (server, house, _) = house();
    let mut peer = Peer::connect(&server).await;
    peer.authenticate(1, REFRESH, "ali for 20").await.unwrap();
    peer.call(1, "WaitKnown", "").await;
    for (round, after) in [(2, 0), (3, 20), (4, 30)] {
        let warned = peer.identity().await;
        assert!(warned.expires_soon, "round {round}");
        // The time is over 10 s after the warning, the grace 25 s later.
        peer.rest(after).await;
        assert_eq!(
            peer.authenticate(round, REFRESH, "ali for 20").await.unwrap(),
            "ali"
        );
    }
    assert_eq!(house.waiting(), 1, "the call goes on");
    house.release.notify_waiters();
    assert_eq!(peer.answer().await, (1, Ok("ali".to_owned())));
    // Without an end, nothing comes any more.
    assert!(peer.identity().await.expires_soon);
    assert_eq!(peer.authenticate(9, REFRESH, "ali").await.unwrap(), "ali");
    peer.rest(200).await;
}

#[tokio::test(start_paused = true)]
async fn refused_refreshes_do_not_put_off_the_end() {
    let (server, ..) = house();
    let mut peer = Peer::connect(&server).await;
    let began = Instant::now();
    peer.authenticate(1, REFRESH, "ali for 20").await.unwrap();
    assert!(peer.identity().await.expires_soon);
    for id in 2..=7 {
        assert_eq!(
            peer.authenticate(id, REFRESH, "never").await.unwrap_err().0,
            Code::Unavailable
        );
    }
    // The end comes while the last of them is still looked at.
    peer.show(8, REFRESH, "never").await;
    assert_eq!(peer.closed().await.0, 4401);
    assert_eq!(began.elapsed().as_secs(), 45);
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_takes_the_end_with_it() {
    let (server, ..) = house();
    let mut peer = Peer::connect(&server).await;
    peer.authenticate(1, REFRESH, "ali for 20").await.unwrap();
    peer.show(2, SIGN_OUT, "").await;
    assert_eq!(peer.identity().await.expires_in_us, 0);
    peer.rest(100).await;
}

#[tokio::test(start_paused = true)]
async fn an_end_that_the_clock_cannot_hold_is_none() {
    let (server, ..) = house();
    let mut peer = Peer::connect(&server).await;
    peer.show(1, REFRESH, "ali ages").await;
    let identity = peer.identity().await;
    assert_eq!(identity.user_id, "ali");
    peer.rest(100).await;
}

#[tokio::test(start_paused = true)]
async fn the_end_is_computed_once_and_a_wall_clock_that_stands_or_moves_changes_nothing() {
    // The wall clock hardly moves while the monotonic one, which is paused here, goes on for hours: seen from there it has
    // been put back by them.
    let (server, ..) = house();
    let limits = Limits::default();
    let began = Instant::now();
    let info = info().with_identity(identity_for("ali", 86_400));
    let (mut peer, _) = Peer::connect_as(&server, info).await;
    let warned = peer.identity().await;
    assert!(warned.expires_soon);
    assert_eq!(
        began.elapsed().as_secs(),
        86_400 - limits.expiry_warning.as_secs()
    );
}
