//! How often an event is encoded: once, however many it is for and wherever it goes from there.
//!
//! That its frame is made once as well is asked where allocations are counted, in `tests/counting-alloc`.

use std::sync::atomic::{AtomicUsize, Ordering};

use rpc_runtime::{
    codegen::{self, Buf, BufMut, DecodeContext, DecodeError, WireType},
    hub::{Event, Hub},
    prost::Message,
};

use crate::common::{Peer, Said, rooms, said, serve};

/// Each of these users has as many connections as there are users.
const USERS: [&str; 7] = ["ali", "bea", "cid", "dan", "eve", "fay", "gus"];

/// Counts how often it is encoded.
#[derive(Debug, Default)]
struct Tally {
    said: Said,
    encoded: AtomicUsize,
}

impl Message for Tally {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        self.encoded.fetch_add(1, Ordering::SeqCst);
        self.said.encode_raw(buf);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError> {
        self.said.merge_field(tag, wire_type, buf, cx)
    }

    fn encoded_len(&self) -> usize {
        self.said.encoded_len()
    }

    fn clear(&mut self) {
        self.said.clear();
    }
}

codegen::prost_contract! {
    Tally = "hubtest" "hubtest.Tally" {}
}

impl Event for Tally {}

#[tokio::test(start_paused = true)]
async fn an_event_is_encoded_once_however_many_it_is_for() {
    let hub = Hub::builder().namespace(rooms()).build().unwrap();
    let server = serve(&hub);
    let mut peers = Vec::new();
    for user in USERS.iter().cycle().take(USERS.len() * USERS.len()) {
        let mut peer = Peer::connect_as(&server, user).await;
        peer.subscribe("room:5").await;
        peer.subscribe("room:6").await;
        peers.push(peer);
    }
    let mut late = Peer::connect_as(&server, "late").await;
    let before = late.subscribe("room:5").await.position.unwrap();
    late.unsubscribe("room:5").await;
    let (all, mut published) = (peers.len(), Vec::new());
    let clients: Vec<_> = peers.iter().map(Peer::id).collect();
    for (to, times) in [
        (hub.channel("room:5"), 1),
        (hub.channels(["room:5", "room:6"]), 2),
        (hub.users(USERS), 1),
        (hub.clients(clients.clone()), 1),
        (hub.all().except(late.id()), 1),
    ] {
        let event = Tally {
            said: said(&format!("{to:?}")),
            ..Tally::default()
        };
        let receipt = to.publish(&event).await.unwrap();
        assert_eq!(receipt.reached, Some(times * all), "{}", event.said.text);
        for peer in &mut peers {
            for _ in 0..times {
                assert_eq!(peer.hears::<Tally>().await.said, event.said);
            }
        }
        published.push(event);
    }
    // The first two went to the room, whose history has them as they were encoded then.
    let events = late.recover("room:5", before).await.events;
    let recovered: Vec<_> = events.iter().map(|event| event.body.as_ref()).collect();
    let kept: Vec<_> = published[..2]
        .iter()
        .map(|event| event.said.encode_to_vec())
        .collect();
    assert_eq!(recovered, kept);
    for event in published {
        assert_eq!(event.encoded.into_inner(), 1, "{}", event.said.text);
    }
}
