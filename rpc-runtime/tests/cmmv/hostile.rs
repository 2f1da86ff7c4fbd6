//! Clients that send what they should not: what must happen is in `docs/threats.md`.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use prost::Message as _;
use rpc_runtime::{
    ConnectInfo, Limits,
    auth::{Attempt, AuthError, Authenticator, Identity},
    prost,
};
use tokio::{io::AsyncReadExt, time::Instant};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::{
    peer::{ADD, Changed, DELETE, GET_ALL, List, Peer, add_request, id},
    service::{TaskGateway, builder, server},
};

const UNIMPLEMENTED: i32 = 12;
const INVALID_ARGUMENT: i32 = 3;
const UNAUTHENTICATED: i32 = 16;
const RESOURCE_EXHAUSTED: i32 = 8;

#[tokio::test(start_paused = true)]
async fn unknown_indexes_are_unimplemented_and_the_connection_lives() {
    let peer = &mut Peer::connect(&server()).await;
    // Responses are no requests, and neither are the item, the list and CMMV's own.
    for (contract, message) in [
        (0, 3),
        (0, 0),
        (0, 1),
        (0, 10),
        (1, 0),
        (2, 0),
        (7, 2),
        (-1, 2),
        (0, -2),
        (0, i32::MIN),
    ] {
        peer.send_to(contract, message, b"").await;
        let (code, text, context) = peer.error().await;
        assert_eq!((code, &*context), (UNIMPLEMENTED, ""), "{contract} {message}");
        assert!(
            text.contains(&format!("request {message} in its contract {contract}")),
            "{text}"
        );
    }
    peer.send(GET_ALL, b"").await;
    peer.answer::<List>(GET_ALL + 1).await;
}

#[tokio::test(start_paused = true)]
async fn too_many_unknown_indexes_close_with_4429() {
    let peer = &mut Peer::connect(&server()).await;
    for _ in 0..33 {
        peer.send_to(0, 99, b"").await;
    }
    assert_eq!(peer.closed().await.0, 4429);
}

#[tokio::test(start_paused = true)]
async fn data_that_does_not_decode_is_invalid_and_too_much_of_it_closes_with_4429() {
    let peer = &mut Peer::connect(&server()).await;
    for _ in 0..32 {
        peer.send(ADD, &[0xff; 20]).await;
        assert_eq!(peer.error().await.0, INVALID_ARGUMENT);
    }
    peer.send(ADD, &[0xff; 20]).await;
    assert_eq!(peer.closed().await.0, 4429);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_no_call_closes_with_4501() {
    for garbage in [&[0xff; 8][..], &[0x08], &[0x1a, 0x05, 0x00], &[0x0a, 0x01, 0x00]] {
        let peer = &mut Peer::connect(&server()).await;
        peer.send_bytes(garbage.to_vec()).await;
        assert_eq!(peer.closed().await.0, 4501, "{garbage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_message_closes_with_1003() {
    let peer = &mut Peer::connect(&server()).await;
    peer.socket.send(Message::Text("{}".into())).await.unwrap();
    assert_eq!(peer.closed().await.0, 1003);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_websocket_closes_with_1002() {
    for frame in [
        // No key, reserved bits, an opcode that there is not, a piece of a message that has not begun, a ping in pieces.
        &[0x82, 0x01, 0x00][..],
        &[0xc2, 0x81, 0, 0, 0, 0, 0x00],
        &[0x83, 0x81, 0, 0, 0, 0, 0x00],
        &[0x80, 0x81, 0, 0, 0, 0, 0x00],
        &[0x09, 0x81, 0, 0, 0, 0, 0x00],
    ] {
        let peer = &mut Peer::connect(&server()).await;
        peer.write(frame).await;
        assert_eq!(peer.closed().await.0, 1002, "{frame:x?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_over_the_limit_closes_with_1009_from_its_header_alone() {
    let limits = Limits {
        message_bytes: 100_000,
        ..Limits::default()
    };
    let server = builder(TaskGateway::default()).limits(limits).build().unwrap();
    let mut header = vec![0x82, 0xff];
    header.extend(100_001_u64.to_be_bytes());
    header.extend([0; 4]);
    let peer = &mut Peer::connect(&server).await;
    peer.write(&header).await;
    assert_eq!(peer.closed().await.0, 1009);

    let peer = &mut Peer::connect(&server).await;
    peer.write(&[0x02, 0x82, 0, 0, 0, 0, 0x08, 0x00]).await;
    header[0] = 0x80;
    header[2..10].copy_from_slice(&99_999_u64.to_be_bytes());
    peer.write(&header).await;
    assert_eq!(
        peer.closed().await.0,
        1009,
        "in pieces that are too long together"
    );

    // As long as may be.
    let peer = &mut Peer::connect(&server).await;
    let call = add_request(&"x".repeat(99_000));
    peer.send(ADD, &call).await;
    assert_eq!(peer.error().await.0, INVALID_ARGUMENT);
}

fn piece(opcode: Data, bytes: &[u8], last: bool) -> Message {
    Message::Frame(Frame::message(bytes.to_vec(), OpCode::Data(opcode), last))
}

#[tokio::test(start_paused = true)]
async fn a_message_in_pieces_is_one_message_and_pings_stand_between_them() {
    let peer = &mut Peer::connect(&server()).await;
    let call = crate::peer::WsCall {
        contract: 0,
        message: ADD,
        data: add_request("in pieces").into(),
    };
    let bytes = call.encode_to_vec();
    let (first, rest) = bytes.split_at(3);
    let (second, third) = rest.split_at(5);
    peer.socket.send(piece(Data::Binary, first, false)).await.unwrap();
    peer.socket.send(Message::Ping("a".into())).await.unwrap();
    peer.socket
        .send(piece(Data::Continue, second, false))
        .await
        .unwrap();
    let pong = peer.socket.next().await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong("a".into()));
    peer.socket
        .send(piece(Data::Continue, third, true))
        .await
        .unwrap();
    let added: Changed = peer.answer(ADD + 1).await;
    assert_eq!(added.item.unwrap().label.as_deref(), Some("in pieces"));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_begun_and_not_finished_closes_with_4408() {
    for (begun, silence) in [
        // A part of a message, and a piece of one whose sender answers pings.
        (&[0x82, 0x8a, 0, 0, 0, 0, 0x08][..], 31),
        (&[0x02, 0x81, 0, 0, 0, 0, 0x08], 0),
    ] {
        let peer = &mut Peer::connect(&server()).await;
        peer.write(begun).await;
        tokio::time::sleep(Duration::from_secs(silence)).await;
        let (code, reason) = peer.closed().await;
        assert_eq!((code, &*reason), (4408, "a message was begun and not finished"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_stays_and_one_that_does_not_is_gone() {
    let peer = &mut Peer::connect(&server()).await;
    let until = Instant::now() + Duration::from_secs(300);
    let mut pings = 0;
    while Instant::now() < until {
        // tungstenite answers them.
        match tokio::time::timeout(Duration::from_secs(100), peer.socket.next()).await {
            Ok(Some(Ok(Message::Ping(_)))) => pings += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(pings >= 10, "{pings}");
    peer.send(GET_ALL, b"").await;
    peer.answer::<List>(GET_ALL + 1).await;

    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(!peer.serving.is_finished());
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert!(peer.serving.is_finished());
}

/// Knows nobody.
struct Nobody;

impl Authenticator for Nobody {
    async fn authenticate(&self, _: &Attempt<'_>) -> Result<Identity, AuthError> {
        Err(AuthError::invalid("nobody is known"))
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_to_be_known_and_is_not_is_refused_and_closed_with_4505() {
    let known = builder(TaskGateway::default())
        .authenticator(Nobody)
        .require_authentication();
    let server = known.build().unwrap();
    let peer = &mut Peer::connect(&server).await;
    peer.send(GET_ALL, b"").await;
    assert_eq!(peer.error().await.0, UNAUTHENTICATED);
    assert_eq!(peer.closed().await.0, 4505);

    let peer = &mut Peer::connect(&server).await;
    peer.send(ADD, &add_request(&"x".repeat(17_000))).await;
    assert_eq!(peer.closed().await.0, 1009, "more than 16 KiB of nobody");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_pings_closes_with_4429() {
    let peer = &mut Peer::connect(&server()).await;
    for _ in 0..11 {
        peer.socket.send(Message::Ping("x".into())).await.unwrap();
    }
    assert_eq!(peer.closed().await.0, 4429);
}

#[tokio::test(start_paused = true)]
async fn calls_over_the_limit_of_streams_are_refused_and_too_many_of_them_close_with_4429() {
    let gateway = TaskGateway::default();
    let permits = gateway.permits.clone();
    let server = builder(gateway).build().unwrap();
    let peer = &mut Peer::connect(&server).await;
    let held = id("held").encode_to_vec();
    for _ in 0..101 {
        peer.send(DELETE, &held).await;
    }
    assert_eq!(peer.error().await.0, RESOURCE_EXHAUSTED);
    permits.add_permits(1);
    peer.call().await;
    for _ in 0..1_100 {
        if peer
            .socket
            .feed(Message::Binary(call(DELETE, &held).into()))
            .await
            .is_err()
        {
            break;
        }
    }
    let _ = peer.socket.flush().await;
    assert_eq!(peer.closed().await.0, 4429);
}

fn call(message: i32, data: &[u8]) -> Vec<u8> {
    let call = crate::peer::WsCall {
        contract: 0,
        message,
        data: data.to_vec().into(),
    };
    call.encode_to_vec()
}

/// It is there as long as it takes something; pings stand behind the answer, and their pongs are not read meanwhile.
#[tokio::test(start_paused = true)]
async fn a_client_that_takes_minutes_for_a_long_answer_gets_all_of_it() {
    let peer = &mut Peer::connect_as(&server(), ConnectInfo::new(), 1_024).await;
    peer.send(ADD, &add_request("many")).await;
    peer.answer::<Changed>(ADD + 1).await;
    peer.send(GET_ALL, b"").await;

    // One WebSocket message, whose length stands in front.
    let mut header = [0; 10];
    peer.socket.get_mut().read_exact(&mut header).await.unwrap();
    assert_eq!(header[..2], [0x82, 127]);
    let mut left = u64::from_be_bytes(header[2..].try_into().unwrap());
    assert!(left > 1 << 20, "{left}");
    let mut bytes = [0; 8 * 1024];
    while left > 0 {
        let part = left.min(bytes.len() as u64);
        let read = peer.socket.get_mut().read_exact(&mut bytes[..part as usize]);
        read.await.expect("the rest of the answer");
        left -= part;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    peer.send(ADD, &add_request("")).await;
    assert_eq!(peer.error().await.0, INVALID_ARGUMENT, "and goes on");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_in_the_middle_of_an_answer_is_given_up_within_ten_seconds() {
    let peer = &mut Peer::connect_as(&server(), ConnectInfo::new(), 1_024).await;
    peer.send(ADD, &add_request("many")).await;
    peer.answer::<Changed>(ADD + 1).await;
    peer.send(GET_ALL, b"").await;
    let mut bytes = [0; 64 * 1024];
    let read = peer.socket.get_mut().read_exact(&mut bytes);
    read.await.unwrap();
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert!(!peer.serving.is_finished());
    // The close frame has two seconds more.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(peer.serving.is_finished());
}

/// Its answers are refused room, and at last its connection.
#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_closed_with_what_it_asks_for_bounded() {
    let server = server();
    let peer = &mut Peer::connect_as(&server, ConnectInfo::new(), 1_024).await;
    let sent = async {
        let mut sent = 0;
        loop {
            let bytes = call(GET_ALL, b"");
            if peer.socket.send(Message::Binary(bytes.into())).await.is_err() {
                return sent;
            }
            sent += 1;
        }
    };
    let over = tokio::time::timeout(Duration::from_secs(120), sent).await;
    let sent = over.expect("the connection does not stand still and stay");
    // An answer is ten bytes, of which 64 KiB may wait.
    assert!((5_000..20_000).contains(&sent), "{sent}");
}
