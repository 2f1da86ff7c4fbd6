//! Methods that have both ends of a call in their hands.

use std::time::Duration;

use rpc_runtime::{Code, Limits};
use tokio::time::Instant;

use super::{
    service::{Traces, item},
    wire::{Peer, Said, peers},
};
use crate::probe::until;

#[tokio::test]
async fn a_disconnect_ends_the_input_and_fails_the_output_and_the_method_finishes_within_its_grace() {
    let (server, mut peer, traces) = peers(Limits::default()).await;
    peer.open(1, "Linger").await;
    assert!(matches!(peer.said(1).await, Said::Opened(_)));
    drop(peer);
    until("the connection is gone", || server.connections() == 0).await;
    until("both ends are over", || traces.log.lock().unwrap().len() == 2).await;
    assert_eq!(Traces::get(&traces.dropped), 0, "it goes on");
    traces.release.notify_one();
    until("it has finished", || Traces::get(&traces.dropped) == 1).await;
    until("clean-up has run", || Traces::get(&traces.closed) == 1).await;
    let log = traces.log.lock().unwrap().clone();
    assert_eq!(log, ["input ended", "output closed", "finished"]);
}

#[tokio::test]
async fn after_a_disconnect_what_came_before_is_still_read_and_sending_fails() {
    for name in ["Talk", "TalkApart"] {
        let (_server, mut peer, traces) = peers(Limits::default()).await;
        peer.open(1, name).await;
        for number in 0..5 {
            peer.item(1, &item(number)).await;
        }
        for _ in 0..6 {
            peer.said(1).await;
        }
        drop(peer);
        until("it has finished", || Traces::get(&traces.closed) == 1).await;
        let log = traces.log.lock().unwrap().clone();
        assert_eq!(log, ["input ended", "output failed: UNAVAILABLE"], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_outlasts_its_grace_of_a_second_is_dropped() {
    let (server, mut peer, traces) = peers(Limits::default()).await;
    peer.open(1, "Linger").await;
    assert!(matches!(peer.said(1).await, Said::Opened(_)));
    drop(peer);
    until("the connection is gone", || server.connections() == 0).await;
    let began = Instant::now();
    until("it is dropped", || Traces::get(&traces.closed) == 1).await;
    let lasted = began.elapsed();
    assert!((900..=1_100).contains(&lasted.as_millis()), "{lasted:?}");
    assert_eq!(traces.log.lock().unwrap().last().unwrap(), "output closed");
}

#[tokio::test(start_paused = true)]
async fn a_stopping_server_waits_for_sessions_within_their_grace() {
    let (server, mut peer, traces) = peers(Limits::default()).await;
    peer.open(1, "Linger").await;
    assert!(matches!(peer.said(1).await, Said::Opened(_)));
    drop(peer);
    until("the connection is gone", || server.connections() == 0).await;
    server.shutdown().await;
    assert_eq!(Traces::get(&traces.closed), 1);
}

#[tokio::test]
async fn a_session_that_drops_its_input_goes_on_and_its_client_is_told_to_stop() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    peer.open(1, "Deaf").await;
    assert!(matches!(peer.said(1).await, Said::Opened(_)));
    assert_eq!(peer.said(1).await, Said::Stop);
    // What was on its way is ignored, however much it is.
    for number in 0..3 {
        peer.item(1, &item(number)).await;
    }
    for number in 1..=3 {
        traces.release.notify_one();
        assert_eq!(peer.said(1).await, Said::Item(item(number)));
    }
    peer.reset(1).await;
    until("it is dropped", || Traces::get(&traces.closed) == 1).await;
}

#[tokio::test]
async fn a_session_writes_from_other_tasks_and_waits_while_its_client_takes_nothing() {
    let (server, traces) = super::service::server(Limits::default());
    let mut peer = Peer::connect_with_default_windows(&server).await;
    peer.open(1, "Flood").await;
    assert!(matches!(peer.said(1).await, Said::Opened(_)));
    let mut taken = 0;
    // The window of 256 KiB, and then what is granted, message by message.
    for _ in 0..1_000 {
        if taken >= 26 {
            peer.credit(1, 10_050).await;
            peer.credit(0, 10_050).await;
        }
        let mut said = peer.said(1).await;
        if said == Said::Stop {
            // The method has returned, and what it wrote last waits still.
            assert_eq!(Traces::get(&traces.produced), 1_000);
            said = peer.said(1).await;
        }
        match said {
            Said::Item(item) => assert_eq!(item.number, taken),
            other => panic!("{other:?}"),
        }
        taken += 1;
        let produced = Traces::get(&traces.produced) as u64;
        assert!(produced <= taken + 32, "{produced} produced, {taken} taken");
    }
    assert_eq!(peer.ended(1).await, Code::Ok);
}

#[tokio::test]
async fn a_session_may_end_its_messages_with_a_status_which_ends_its_input_and_go_on() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    peer.open(1, "GiveUp").await;
    assert!(matches!(peer.said(1).await, Said::Opened(_)));
    assert_eq!(peer.said(1).await, Said::Item(item(1)));
    assert_eq!(peer.ended(1).await, Code::Aborted);
    until("its input has ended", || {
        traces.log.lock().unwrap().as_slice() == ["input ended"]
    })
    .await;
    assert_eq!(Traces::get(&traces.dropped), 0, "it goes on");
    traces.release.notify_one();
    until("it has finished", || Traces::get(&traces.closed) == 1).await;
    peer.expect_silence(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_longer_grace_is_waited_for_as_well() {
    let (slow, traces) = super::service::server(Limits {
        session_grace: Duration::from_secs(10),
        ..Limits::default()
    });
    let mut other = Peer::connect(&slow).await;
    other.open(1, "Linger").await;
    assert!(matches!(other.said(1).await, Said::Opened(_)));
    drop(other);
    until("the connection is gone", || slow.connections() == 0).await;
    let began = Instant::now();
    slow.shutdown().await;
    assert!(began.elapsed() >= Duration::from_secs(9), "{:?}", began.elapsed());
    assert_eq!(Traces::get(&traces.closed), 1);
}
