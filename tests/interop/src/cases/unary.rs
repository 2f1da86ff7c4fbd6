//! One request, one response.

use super::{LARGE, assert_zeros, large_request};
use crate::{contracts::Empty, peer::Peer};

/// Messages of no bytes at all.
pub async fn empty_unary(peer: &Peer) {
    let response = peer.test.empty_call(Empty).await;
    assert_eq!(response.expect("the call succeeds"), Empty);
}

/// Messages that are longer than a frame, and than half of a stream's window.
pub async fn large_unary(peer: &Peer) {
    let response = peer.test.unary_call(large_request()).await;
    assert_zeros(response.expect("the call succeeds").payload, LARGE.1);
}
