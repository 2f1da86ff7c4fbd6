//! Bodies that are deflated: read whenever they come, written where both sides want it, and bounded.

use flate2::{Compression as Level, read::DeflateDecoder, write::DeflateEncoder};
use rpc_protocol::{
    FrameKind,
    frame::{Compression, Data, Greeting},
};
use rpc_runtime::{Code, Context, Limits, Server, Status, prost::Message as _};
use std::io::{Read, Write};

use crate::raw::{bytes_of, masked};

use super::{
    service::{FlowGateway, Item, Traces, item, server},
    wire::{Peer, Said, one, peers},
};

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn inflated(bytes: &[u8]) -> Item {
    let mut inflated = Vec::new();
    DeflateDecoder::new(bytes).read_to_end(&mut inflated).unwrap();
    Item::decode(&*inflated).unwrap()
}

fn blob(length: usize) -> Item {
    Item {
        blob: vec![7; length].into(),
        ..Item::default()
    }
}

fn deflated_request(name: &str, body: &[u8]) -> FrameKind {
    match one(name, &item(1)) {
        FrameKind::Request(mut request) => {
            request.body = deflated(body).into();
            request.compression = Compression::DEFLATE;
            FrameKind::Request(request)
        }
        _ => unreachable!(),
    }
}

#[tokio::test]
async fn a_deflated_request_and_deflated_items_are_read() {
    let (_server, mut peer, _) = peers(Limits::default()).await;
    assert_eq!(peer.greeting.compressions, [Compression::DEFLATE]);
    let request = blob(100_000);
    peer.raw
        .send(1, deflated_request("Echo", &request.encode_to_vec()))
        .await;
    assert_eq!(peer.said(1).await, Said::Answer(request));
    peer.open(2, "Sum").await;
    for number in 1..=3 {
        let body = item(number).encode_to_vec();
        let data = Data {
            body: deflated(&body).into(),
            compression: Compression::DEFLATE,
            ..Data::default()
        };
        peer.raw.send(2, FrameKind::Data(data)).await;
        peer.raw.send(2, super::wire::data(&item(10))).await;
    }
    peer.end(2).await;
    assert_eq!(peer.said(2).await, Said::Answer(item(36)));
}

#[tokio::test]
async fn a_body_that_inflates_past_the_limit_is_refused_and_not_run() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    // 64 MiB in 64 KiB.
    let bomb = vec![0; 64 << 20];
    peer.raw.send(1, deflated_request("Echo", &bomb)).await;
    assert_eq!(peer.ended(1).await, Code::ResourceExhausted);
    assert_eq!(Traces::get(&traces.started), 0);
    peer.open(2, "Sum").await;
    let data = Data {
        body: deflated(&bomb).into(),
        compression: Compression::DEFLATE,
        ..Data::default()
    };
    peer.raw.send(2, FrameKind::Data(data)).await;
    assert_eq!(peer.ended(2).await, Code::ResourceExhausted);
    peer.expect_silence(3).await;
}

#[tokio::test]
async fn a_body_that_does_not_inflate_is_a_fault_of_the_client() {
    let (_server, mut peer, _) = peers(Limits::default()).await;
    for id in 1..=33 {
        let FrameKind::Request(mut request) = one("Echo", &item(1)) else {
            unreachable!()
        };
        request.compression = Compression::DEFLATE;
        request.body = vec![0xff; 10].into();
        peer.raw.send(id, FrameKind::Request(request)).await;
        assert_eq!(peer.ended(id).await, Code::InvalidArgument);
    }
    assert_eq!(peer.raw.closed().await.0, 4429);
}

#[tokio::test]
async fn a_body_is_not_inflated_for_a_call_that_is_refused() {
    let server = Server::builder()
        .service(FlowGateway::default())
        .interceptor(|_: &mut Context| Err(Status::permission_denied("not you")))
        .build()
        .unwrap();
    let mut peer = Peer::connect(&server).await;
    // It would be a fault, and so many of them would close the connection.
    for id in 1..=40 {
        let FrameKind::Request(mut request) = one("Echo", &item(1)) else {
            unreachable!()
        };
        request.compression = Compression::DEFLATE;
        request.body = vec![0xff; 10].into();
        peer.raw.send(id, FrameKind::Request(request)).await;
        assert_eq!(peer.ended(id).await, Code::PermissionDenied);
    }
}

#[tokio::test]
async fn an_unknown_compression_is_unimplemented() {
    let (_server, mut peer, _) = peers(Limits::default()).await;
    let FrameKind::Request(mut request) = one("Echo", &item(1)) else {
        unreachable!()
    };
    request.compression = Compression(7);
    peer.raw.send(1, FrameKind::Request(request)).await;
    assert_eq!(peer.ended(1).await, Code::Unimplemented);
    peer.expect_silence(2).await;
}

#[tokio::test]
async fn answers_are_deflated_above_the_threshold_and_only_for_clients_that_say_they_can_read_that() {
    let limits = Limits {
        compress_above: Some(1_000),
        ..Limits::default()
    };
    let (server, _) = server(limits);
    for reads in [true, false] {
        let mut peer = Peer::connect_with_default_windows(&server).await;
        let greeting = Greeting {
            compressions: if reads {
                vec![Compression::DEFLATE]
            } else {
                Vec::new()
            },
            ..Greeting::default()
        };
        peer.raw.send(0, FrameKind::Greeting(Box::new(greeting))).await;
        for (id, length, expected) in [(1, 10, false), (2, 50_000, reads)] {
            peer.call(id, "Echo", &blob(length)).await;
            match peer.raw.frame().await.unwrap().kind {
                FrameKind::Response(response) if expected => {
                    assert_eq!(response.compression, Compression::DEFLATE);
                    assert!(response.body.len() < 1_000);
                    assert_eq!(inflated(&response.body), blob(length));
                }
                FrameKind::Response(response) => {
                    assert_eq!(response.compression, Compression::NONE);
                    assert_eq!(Item::decode(response.body).unwrap(), blob(length));
                }
                other => panic!("{other:?}"),
            }
        }
        let request = Item {
            number: 3,
            ..blob(5_000)
        };
        peer.call(3, "Count", &request).await;
        assert!(matches!(peer.said(3).await, Said::Opened(_)));
        for _ in 0..3 {
            match peer.raw.frame().await.unwrap().kind {
                FrameKind::Data(data) => {
                    assert_eq!(data.compression == Compression::DEFLATE, reads);
                    let got = if reads {
                        inflated(&data.body)
                    } else {
                        Item::decode(data.body).unwrap()
                    };
                    assert_eq!(got.blob.len(), 5_000);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// How much `count` grows between two turns of a task that shares its thread with the server, at most, until it is `all`.
async fn most_in_a_turn(count: impl Fn() -> usize, all: usize) -> usize {
    let mut seen = vec![count()];
    while *seen.last().unwrap() < all {
        assert!(seen.len() < 100_000, "no more than {:?} of {all}", seen.last());
        tokio::task::yield_now().await;
        seen.push(count());
    }
    seen.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
}

// Some kilobytes become 2 MB, which takes more than the millisecond of a turn. As in the tests of other turns, two turns of the
// connection may lie between two of the task that watches.

#[tokio::test]
async fn after_a_request_that_was_inflated_others_have_their_turn() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    let body = blob(2_000_000).encode_to_vec();
    let mut batch = Vec::new();
    for id in 1..=30 {
        let FrameKind::Request(mut request) = deflated_request("Tell", &body) else {
            unreachable!()
        };
        request.one_way = true;
        batch.extend(masked(&bytes_of(id, FrameKind::Request(request))));
    }
    peer.raw.write(&batch).await;
    let most = most_in_a_turn(|| Traces::get(&traces.started), 30).await;
    assert!(most <= 2, "{most} in one turn");
}

#[tokio::test]
async fn after_a_few_items_that_were_inflated_others_have_their_turn() {
    let (_server, mut peer, traces) = peers(Limits::default()).await;
    let body = deflated(&blob(2_000_000).encode_to_vec());
    peer.open(1, "Sum").await;
    let mut batch = Vec::new();
    // Well within the stream's window.
    for _ in 0..20 {
        let data = Data {
            body: body.clone().into(),
            compression: Compression::DEFLATE,
            ..Data::default()
        };
        batch.extend(masked(&bytes_of(1, FrameKind::Data(data))));
    }
    peer.raw.write(&batch).await;
    let most = most_in_a_turn(|| Traces::get(&traces.read), 20).await;
    assert!(most <= 8, "{most} in one turn");
}
