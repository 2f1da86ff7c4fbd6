//! Calls that are given up.

use super::{REQUESTS, RESPONSES, assert_zeros, duplex_request, empty_unary, read_to_end, zeros};
use crate::{
    contracts::{StreamingInputCallRequest, StreamingOutputCallRequest},
    peer::Peer,
    service::Counts,
};
use futures_util::{StreamExt, future::ready, stream};
use rpc_runtime::Code;
use std::{sync::Arc, time::Duration};

/// Cancelled once it has begun at the server, before a request was sent.
pub async fn cancel_after_begin(peer: &Peer) {
    let before = peer.service.calls().now();
    // Is held by the stream of requests for as long as that lives.
    let held = Arc::new(());
    let holder = held.clone();
    let requests = stream::pending::<StreamingInputCallRequest>().inspect(move |_| {
        let _ = &holder;
    });
    let call = peer.test.streaming_input_call(requests).into_future();
    let begun = peer
        .service
        .calls()
        .wait_until(|counts| counts.begun > before.begun);
    // Polls the call until it has begun, then drops it.
    tokio::select! {
        outcome = call => panic!("nothing was sent, and {outcome:?} came"),
        _ = begun => {}
    }
    assert_cancelled(peer, before, held).await;
}

/// Cancelled between two responses.
pub async fn cancel_after_first_response(peer: &Peer) {
    let before = peer.service.calls().now();
    let held = Arc::new(());
    let holder = held.clone();
    let requests = stream::once(ready(duplex_request(REQUESTS[0], RESPONSES[0])))
        .chain(stream::pending())
        .inspect(move |_| {
            let _ = &holder;
        });
    let mut responses = peer.test.full_duplex_call(requests).await.expect("is open");
    let first = responses.next().await.expect("a response").expect("no failure");
    assert_zeros(first.payload, RESPONSES[0]);
    drop(responses);
    assert_cancelled(peer, before, held).await;
}

/// A server that waits for more than it is sent, and a client that gives it a millisecond.
pub async fn timeout_on_sleeping_server(peer: &Peer) {
    let request = StreamingOutputCallRequest {
        payload: zeros(REQUESTS[0]),
        ..StreamingOutputCallRequest::default()
    };
    let requests = stream::once(ready(request)).chain(stream::pending());
    let call = peer.test.full_duplex_call(requests);
    let streamed = read_to_end(call.timeout(Duration::from_millis(1))).await;
    let status = streamed.outcome.expect_err("the time is over");
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    assert!(streamed.responses.is_empty());
    // Where the call came to run at all, it was dropped.
    peer.service
        .calls()
        .wait_until(|counts| counts.begun == counts.finished + counts.dropped)
        .await;
    empty_unary(peer).await;
}

/// The server has dropped the one call that was begun, the client its requests, and the connection goes on.
async fn assert_cancelled(peer: &Peer, before: Counts, requests: Arc<()>) {
    let expected = Counts {
        begun: before.begun + 1,
        finished: before.finished,
        dropped: before.dropped + 1,
    };
    let over = |counts: &Counts| counts.begun == counts.finished + counts.dropped;
    assert_eq!(peer.service.calls().wait_until(over).await, expected);
    while Arc::strong_count(&requests) > 1 {
        tokio::task::yield_now().await;
    }
    empty_unary(peer).await;
}
