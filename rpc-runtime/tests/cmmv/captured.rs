//! What the real client was seen to send, byte for byte, and what CMMV's own server answered to that.

use prost::Message as _;
use rpc_runtime::prost;

use crate::{
    peer::{Changed, Deleted, Item, List, Peer, WsCall},
    service::server,
};

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Contract, message and what is in it, where what protobuf leaves out is the same as what it means.
fn decoded<T: prost::Message + Default>(message: &[u8]) -> (i32, i32, T) {
    let call = WsCall::decode(message).unwrap();
    (call.contract, call.message, T::decode(call.data).unwrap())
}

fn with_zeros(item: Item) -> Item {
    Item {
        checked: Some(item.checked.unwrap_or_default()),
        removed: Some(item.removed.unwrap_or_default()),
        ..item
    }
}

async fn answered(peer: &mut Peer, captured: &str) -> Vec<u8> {
    peer.send_bytes(bytes(captured)).await;
    peer.bytes().await.to_vec()
}

#[tokio::test(start_paused = true)]
async fn captured_requests_are_answered_as_cmmv_answered_them() {
    let peer = &mut Peer::connect(&server()).await;
    for (request, answer) in [
        (
            "080010021a0e0a0c0a08427579206d696c6b1000",
            "080010031a110a0131120c0a08427579206d696c6b1000",
        ),
        (
            "080010041a110a0131120c0a08427579206d696c6b1001",
            // Captured was the request; CMMV's answer is of the next type.
            "080010051a110a0131120c0a08427579206d696c6b1001",
        ),
    ] {
        let (contract, message, changed) = decoded::<Changed>(&answered(peer, request).await);
        let (_, expected, as_captured) = decoded::<Changed>(&bytes(answer));
        assert_eq!((contract, message), (0, expected));
        assert_eq!(changed.id, as_captured.id);
        assert_eq!(changed.item, as_captured.item.map(with_zeros));
    }

    let listed = answered(peer, "080010081a00").await;
    let (_, message, list) = decoded::<List>(&listed);
    let items = list.items.expect("the list is wrapped once more").items;
    assert_eq!((message, items.len()), (9, 1));
    assert_eq!(
        items[0],
        Item {
            label: Some("Buy milk".to_owned()),
            checked: Some(true),
            removed: Some(false),
            id: None,
        }
    );

    let deleted = answered(peer, "080010061a030a0131").await;
    let expected = bytes("080010071a07080110011a0131");
    assert_eq!(decoded::<Deleted>(&deleted), decoded::<Deleted>(&expected));
    assert_eq!(
        deleted, expected,
        "here nothing is left out, and so the bytes are the same"
    );
}
