//! What is shown where no handshake could show it: in band, on every connection.

use std::time::Duration;

use rpc_protocol::{Code as WireCode, Frame, FrameKind, frame::Greeting};
use rpc_runtime::{CallError, Code, ConnectionState, auth::Credential};

use super::{shown, tokens};
use crate::{
    by_hand::by_hand,
    service::{call, note, until},
};

#[tokio::test(start_paused = true)]
async fn a_connectors_connection_shows_the_credential_before_calls_that_waited_for_it() {
    let (builder, ends) = by_hand();
    let client = builder.credential(Credential::bearer("abc")).lazy().unwrap();
    let calls: Vec<_> = (0..10)
        .map(|number| tokio::spawn(call(&client, "Write", &note(number)).into_future()))
        .collect();
    let mut end = ends.next().await;
    assert!(matches!(end.frame().await.unwrap().kind, FrameKind::Greeting(_)));
    let FrameKind::Authenticate(authenticate) = end.frame().await.unwrap().kind else {
        panic!("an authentication goes first")
    };
    assert_eq!(shown(&authenticate), ("bearer", "abc"));
    // Calls follow at once: the server reads them when it has decided.
    let mut streams = Vec::new();
    for _ in 0..10 {
        let Frame { stream_id, kind } = end.frame().await.unwrap();
        assert!(matches!(kind, FrameKind::Request(_)), "{kind:?}");
        streams.push(stream_id);
    }
    assert!(client.identity().is_anonymous());
    end.greet(Greeting::default()).await;
    end.identity(authenticate.request_id, "ann").await;
    for stream_id in streams {
        end.answer(stream_id, &note(1)).await;
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(client.identity().user(), Some("ann"));
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_was_given_is_shown_again_after_a_cut() {
    let (builder, ends) = by_hand();
    let client = builder
        .credential(Credential::new("password", "xyz"))
        .lazy()
        .unwrap();
    client.ready().await.unwrap();
    for _ in 0..3 {
        let mut end = ends.next().await;
        let authenticate = end.authenticate().await;
        assert_eq!(shown(&authenticate), ("password", "xyz"));
        assert_eq!(authenticate.request_id, 1, "each connection counts for itself");
        end.identity(1, "ann").await;
        drop(end);
    }
}

#[tokio::test(start_paused = true)]
async fn connecting_waits_until_the_credential_is_accepted() {
    let (builder, ends) = by_hand();
    let connecting = tokio::spawn(builder.credential(Credential::bearer("abc")).connect());
    let mut end = ends.next().await;
    end.authenticate().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!connecting.is_finished());
    end.identity(1, "ann").await;
    let client = connecting.await.unwrap().unwrap();
    assert_eq!(client.identity().user(), Some("ann"));
}

#[tokio::test(start_paused = true)]
async fn connecting_fails_with_the_status_of_the_refusal_and_leaves_no_connection() {
    let (builder, ends) = by_hand();
    let connecting = tokio::spawn(builder.credential(Credential::bearer("abc")).connect());
    let mut end = ends.next().await;
    end.authenticate().await;
    end.refuse(1, "", WireCode::Unauthenticated).await;
    let error = connecting.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Some(Code::Unauthenticated), "{error:?}");
    assert_eq!(end.closed().await, 4500);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(ends.is_empty().await);
}

#[tokio::test(start_paused = true)]
async fn connecting_that_is_given_up_leaves_no_connection() {
    let (builder, ends) = by_hand();
    let connecting = tokio::spawn(builder.credential(Credential::bearer("abc")).connect());
    let mut end = ends.next().await;
    end.authenticate().await;
    connecting.abort();
    assert_eq!(end.closed().await, 1000);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(ends.is_empty().await);
}

#[tokio::test(start_paused = true)]
async fn connecting_without_an_answer_is_given_up_after_the_connect_timeout() {
    let (builder, ends) = by_hand();
    let connecting = tokio::spawn(builder.credential(Credential::bearer("abc")).connect());
    let _end = ends.next().await;
    let began = tokio::time::Instant::now();
    let error = connecting.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Refused(_)), "{error:?}");
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_is_refused_after_a_cut_ends_the_client() {
    for (code, is_final) in [
        (WireCode::Unauthenticated, true),
        (WireCode::PermissionDenied, true),
        (WireCode::Unimplemented, true),
        (WireCode::Unavailable, false),
        (WireCode::ResourceExhausted, false),
        (WireCode::Internal, false),
    ] {
        let (builder, ends) = by_hand();
        let client = builder.credential(Credential::bearer("abc")).lazy().unwrap();
        client.ready().await.unwrap();
        let mut end = ends.next().await;
        end.authenticate().await;
        end.identity(1, "ann").await;
        drop(end);
        let mut end = ends.next().await;
        end.authenticate().await;
        end.refuse(1, "", code).await;
        let close_code = end.closed().await;
        if is_final {
            assert_eq!(close_code, 4500, "{code}");
            assert!(client.identity().is_anonymous(), "{code}");
            let closed = client.closed().await;
            assert_eq!(closed.close_code().as_u16(), 4500);
            assert!(closed.reason().contains("refused"), "{closed}");
            tokio::time::sleep(Duration::from_secs(600)).await;
            assert!(ends.is_empty().await, "{code} is final");
        } else {
            assert_eq!(close_code, 1013, "{code}");
            // It was not said that this is not ann.
            assert_eq!(client.identity().user(), Some("ann"), "{code}");
            ends.next().await.authenticate().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_behind_a_credential_that_is_refused_fails_and_says_so() {
    let (builder, ends) = by_hand();
    let client = builder.credential(Credential::bearer("abc")).lazy().unwrap();
    let running = tokio::spawn(call(&client, "Write", &note(1)).into_future());
    let mut end = ends.next().await;
    end.request().await;
    end.refuse(1, "", WireCode::Unauthenticated).await;
    let error = running.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Closed(_)), "{error:?}");
    assert!(
        error.to_string().contains("the credential was refused"),
        "{error}"
    );
    assert_eq!(error.code(), Some(Code::Unauthenticated));
    assert_eq!(error.into_status().code(), Code::Unauthenticated);
}

#[tokio::test(start_paused = true)]
async fn a_credential_over_what_a_message_may_hold_is_final_and_not_sent() {
    let (builder, ends) = by_hand();
    let credential = Credential::new("file", vec![7; 2 << 20]);
    let connecting = tokio::spawn(builder.credential(credential).connect());
    let mut end = ends.next().await;
    assert!(matches!(end.frame().await.unwrap().kind, FrameKind::Greeting(_)));
    assert_eq!(end.frame().await, None);
    let error = connecting.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Some(Code::InvalidArgument), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn after_4401_a_client_comes_back_with_a_new_token_and_after_4500_not_at_all() {
    let (builder, ends) = by_hand();
    let (_, provider) = tokens();
    let client = builder.credentials(provider).lazy().unwrap();
    client.ready().await.unwrap();
    let mut end = ends.next().await;
    assert_eq!(shown(&end.authenticate().await), ("bearer", "token 1"));
    end.identity(1, "ann").await;
    end.close(4401).await;
    let mut end = ends.next().await;
    assert_eq!(shown(&end.authenticate().await), ("bearer", "token 2"));
    end.close(4500).await;
    assert_eq!(client.closed().await.close_code().as_u16(), 4500);
    until("it is closed", || client.state() == ConnectionState::Closed).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(ends.is_empty().await);
}
