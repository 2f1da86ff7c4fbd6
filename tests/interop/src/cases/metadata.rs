//! Metadata in both directions, in front of answers and behind them.

use super::{LARGE, assert_zeros, duplex_request, large_request, read_to_end};
use crate::{
    peer::Peer,
    service::{ECHO_INITIAL, ECHO_TRAILING},
};
use futures_util::{future::ready, stream};
use rpc_runtime::Metadata;

const INITIAL: &str = "test_initial_metadata_value";
const TRAILING: [u8; 3] = [0xab; 3];

/// Text comes back in front of the answer, bytes behind it; of a unary call and of a stream.
pub async fn custom_metadata(peer: &Peer) {
    let call = peer.test.unary_call(large_request());
    let reply = call
        .metadata(ECHO_INITIAL, INITIAL)
        .metadata_bin(ECHO_TRAILING, &TRAILING[..])
        .with_metadata()
        .await
        .expect("the call succeeds");
    assert_zeros(reply.value.payload, LARGE.1);
    assert_echoed(&reply.metadata, &reply.trailers);

    let requests = stream::once(ready(duplex_request(LARGE.0, LARGE.1)));
    let call = peer.test.full_duplex_call(requests);
    let call = call
        .metadata(ECHO_INITIAL, INITIAL)
        .metadata_bin(ECHO_TRAILING, &TRAILING[..]);
    let mut streamed = read_to_end(call).await;
    streamed.outcome.expect("the call succeeds");
    assert_eq!(streamed.responses.len(), 1);
    assert_zeros(streamed.responses.remove(0).payload, LARGE.1);
    assert_echoed(&streamed.metadata, &streamed.trailers);
}

fn assert_echoed(metadata: &Metadata, trailers: &Metadata) {
    assert_eq!(metadata.get(ECHO_INITIAL), Some(INITIAL));
    assert_eq!(trailers.get_bin(ECHO_TRAILING), Some(&TRAILING[..]));
    assert_eq!(metadata.get_bin(ECHO_TRAILING), None, "the trailer is no header");
    assert_eq!(trailers.get(ECHO_INITIAL), None, "the header is no trailer");
}
