//! Streams, one way and both.

use super::{REQUESTS, RESPONSES, Streamed, assert_zeros, duplex_request, parameters, read_to_end, zeros};
use crate::{
    contracts::{StreamingInputCallRequest, StreamingOutputCallRequest, StreamingOutputCallResponse},
    peer::Peer,
};
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

/// Four requests, one response.
pub async fn client_streaming(peer: &Peer) {
    let requests = REQUESTS.map(|size| StreamingInputCallRequest {
        payload: zeros(size),
        ..StreamingInputCallRequest::default()
    });
    let response = peer.test.streaming_input_call(stream::iter(requests)).await;
    assert_eq!(
        response.expect("the call succeeds").aggregated_payload_size,
        74_922
    );
}

/// One request, four responses.
pub async fn server_streaming(peer: &Peer) {
    let request = StreamingOutputCallRequest {
        response_parameters: RESPONSES.map(parameters).into(),
        ..StreamingOutputCallRequest::default()
    };
    let Streamed {
        responses, outcome, ..
    } = read_to_end(peer.test.streaming_output_call(request)).await;
    outcome.expect("the call succeeds");
    assert_sizes(responses);
}

/// Each request follows the response to the one before it.
pub async fn ping_pong(peer: &Peer) {
    let (requests, mut sent) = mpsc::channel(1);
    let call = peer
        .test
        .full_duplex_call(stream::poll_fn(move |cx| sent.poll_recv(cx)));
    let mut answers = call.await.expect("the call is open before anything was sent");
    let mut responses = Vec::new();
    for (request, response) in REQUESTS.into_iter().zip(RESPONSES) {
        let request = duplex_request(request, response);
        requests.send(request).await.expect("the call takes requests");
        responses.push(answers.next().await.expect("a response").expect("no failure"));
    }
    drop(requests);
    assert!(
        answers.next().await.is_none(),
        "the stream ends with the requests"
    );
    assert_sizes(responses);
}

/// Nothing either way.
pub async fn empty_stream(peer: &Peer) {
    let call = peer.test.full_duplex_call(stream::empty());
    let Streamed {
        responses, outcome, ..
    } = read_to_end(call).await;
    outcome.expect("the call succeeds");
    assert!(responses.is_empty());
}

fn assert_sizes(responses: Vec<StreamingOutputCallResponse>) {
    assert_eq!(responses.len(), RESPONSES.len());
    for (response, size) in responses.into_iter().zip(RESPONSES) {
        assert_zeros(response.payload, size);
    }
}
