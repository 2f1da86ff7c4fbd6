//! Servers that mean ill, and what our client makes of them: it never hangs for want of an end, and holds no more than
//! it says.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt, future::join_all};
use rpc_protocol::{
    Frame, FrameKind,
    frame::{AnnouncedLimits, Greeting, Ping, Response},
};
use rpc_runtime::{CallError, Client, Code, prost::Message as _};
use tokio::{
    io::{AsyncWriteExt, DuplexStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use crate::{
    probe::{Line, Order, call, method, order},
    raw::{bytes_of, generous},
};

/// The server's end, spoken by hand, and a client on the other.
struct Hostile(WebSocketStream<DuplexStream>);

impl Hostile {
    async fn connect() -> (Self, Client) {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let socket = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
        (Self(socket), Client::from_io(near))
    }

    async fn send(&mut self, stream_id: u64, kind: FrameKind) {
        let message = Message::Binary(bytes_of(stream_id, kind));
        self.0.send(message).await.expect("is sent");
    }

    async fn write(&mut self, bytes: &[u8]) {
        // The client may have gone in the middle of it.
        let _ = self.0.get_mut().write_all(bytes).await;
    }

    /// The stream of the next request.
    async fn request(&mut self) -> u64 {
        loop {
            let message = self.0.next().await.expect("a message").expect("is read");
            let Message::Binary(message) = message else {
                continue;
            };
            let frame = Frame::decode(message).expect("a frame");
            if let FrameKind::Request(_) = frame.kind {
                return frame.stream_id;
            }
        }
    }
}

/// A binary message as a server puts it on the wire.
fn unmasked(payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len())
        .ok()
        .filter(|len| *len < 126)
        .expect("is short");
    [&[0x82, len], payload].concat()
}

fn response(order: &Order) -> FrameKind {
    FrameKind::Response(Response {
        body: order.encode_to_vec().into(),
        ..Response::default()
    })
}

/// How a call ends whose server answers with these bytes.
async fn closed_by(bytes: &[u8]) -> u16 {
    let (mut server, client) = Hostile::connect().await;
    let order = order("asks");
    let pending = call(&client, "Echo", &order);
    let server = async {
        server.request().await;
        server.write(bytes).await;
        // Reads on, or the close frame would not get through.
        while let Some(Ok(_)) = server.0.next().await {}
    };
    let (outcome, ()) = tokio::join!(timeout(Duration::from_secs(60), pending), server);
    match outcome.expect("an end") {
        Err(CallError::Closed(closed)) => closed.close_code().as_u16(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn frames_that_are_too_long_garbage_or_of_strange_streams_close_the_connection() {
    let huge = [&[0x82, 127][..], &u64::MAX.to_be_bytes()].concat();
    assert_eq!(closed_by(&huge).await, 1009);
    let over = [&[0x82, 127][..], &((1_u64 << 20) + 1).to_be_bytes()].concat();
    assert_eq!(closed_by(&over).await, 1009);
    assert_eq!(closed_by(&[0x81, 2, b'h', b'i']).await, 1003);
    assert_eq!(closed_by(&[0x83, 0]).await, 1002);
    // Masked, which a server must not.
    assert_eq!(closed_by(&[0x82, 0x81, 0, 0, 0, 0, 0]).await, 1002);
    assert_eq!(closed_by(&unmasked(&[0xff; 9])).await, 4501);
    assert_eq!(
        closed_by(&unmasked(&bytes_of(u64::MAX, response(&order("no"))))).await,
        4502
    );
    assert_eq!(
        closed_by(&unmasked(&bytes_of(2, response(&order("early"))))).await,
        4502
    );
    assert_eq!(closed_by(&[0x89, 1, 0].repeat(1_000)).await, 4429);
    assert_eq!(closed_by(&[0x88, 2, 0x0f, 0xa0]).await, 4000);
}

#[tokio::test]
async fn answers_that_nobody_asked_for_a_second_time_are_ignored() {
    let (mut server, client) = Hostile::connect().await;
    let serving = tokio::spawn(async move {
        for _ in 0..2 {
            let id = server.request().await;
            for label in ["first", "second", "third"] {
                server.send(id, response(&order(label))).await;
            }
        }
        server
    });
    for _ in 0..2 {
        assert_eq!(
            call(&client, "Echo", &Order::default()).await.unwrap(),
            order("first")
        );
    }
    drop(serving.await);
}

#[tokio::test]
async fn a_server_that_vanishes_inside_a_frame_ends_its_calls() {
    let (mut server, client) = Hostile::connect().await;
    let serving = async {
        server.request().await;
        server.write(&[0x82, 126, 0xff, 0xff, 1, 2, 3]).await;
        drop(server);
    };
    let request = Order::default();
    let (outcome, ()) = tokio::join!(call(&client, "Echo", &request), serving);
    assert!(
        matches!(&outcome, Err(CallError::Closed(closed)) if closed.close_code().as_u16() == 1006),
        "{outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_server_does_not_read_does_not_pile_up_and_the_connection_ends_after_30_s() {
    let (_server, client) = Hostile::connect().await;
    // One-way calls are over as soon as they are written: nothing else would hold them back.
    let large = Order {
        blob: vec![0; 100_000].into(),
        ..Order::default()
    };
    let mut written = 0;
    let error = loop {
        match client.unary::<()>(method("Tell"), &large).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 100, "they pile up");
    };
    // 1 MiB that the connection began with, as much that it took behind that, and as much with the calls.
    assert!((10..=35).contains(&written), "{written}");
    assert!(
        matches!(&error, CallError::Closed(closed) if closed.close_code().as_u16() == 4408),
        "{error:?}"
    );
}

#[tokio::test]
async fn calls_that_wait_for_a_stream_go_on_whatever_comes_with_the_answers() {
    let (mut server, client) = Hostile::connect().await;
    let serving = tokio::spawn(async move {
        let mut ids = Vec::new();
        for _ in 0..100 {
            ids.push(server.request().await);
        }
        // All at once: the answers end exactly where the client's turn of 256 messages does.
        let nothing = unmasked(&bytes_of(0, FrameKind::Unknown)).repeat(156);
        let answers = ids
            .iter()
            .flat_map(|&id| unmasked(&bytes_of(id, response(&order("ok")))));
        let bytes: Vec<u8> = nothing.into_iter().chain(answers).collect();
        server.write(&bytes).await;
        for _ in 0..100 {
            let id = server.request().await;
            server.send(id, response(&order("ok"))).await;
        }
        server
    });
    let request = Order::default();
    let calls = (0..200).map(|_| async { call(&client, "Echo", &request).await });
    let outcomes = timeout(Duration::from_secs(10), join_all(calls))
        .await
        .expect("all go on");
    assert!(
        outcomes
            .iter()
            .all(|outcome| *outcome.as_ref().unwrap() == order("ok"))
    );
    drop(serving.await);
}

#[tokio::test]
async fn a_response_that_would_take_too_much_memory_fails_its_call_only() {
    let (mut server, client) = Hostile::connect().await;
    let serving = tokio::spawn(async move {
        let id = server.request().await;
        let bomb = Order {
            lines: vec![Line::default(); 500_000],
            ..Order::default()
        };
        server.send(id, response(&bomb)).await;
        let id = server.request().await;
        server.send(id, response(&order("small"))).await;
        server
    });
    let error = call(&client, "Echo", &Order::default()).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::ResourceExhausted), "{error:?}");
    assert_eq!(
        call(&client, "Echo", &Order::default()).await.unwrap(),
        order("small")
    );
    drop(serving.await);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_and_one_that_allows_no_or_any_number_of_calls_harm_nobody() {
    // Silent: pinged after 25 s, given up after 35.
    let (server, client) = Hostile::connect().await;
    let began = tokio::time::Instant::now();
    let error = call(&client, "Echo", &Order::default()).await.unwrap_err();
    assert!(matches!(error, CallError::Closed(_)), "{error:?}");
    assert!(
        (35..=38).contains(&began.elapsed().as_secs()),
        "{:?}",
        began.elapsed()
    );
    drop(server);
    // Limits that cannot be meant.
    let (mut server, client) = Hostile::connect().await;
    let limits = AnnouncedLimits {
        max_streams: u64::MAX,
        max_message_bytes: u64::MAX,
        ..AnnouncedLimits::default()
    };
    server
        .send(
            0,
            FrameKind::Greeting(Box::new(Greeting {
                limits: Some(limits),
                ..Greeting::default()
            })),
        )
        .await;
    let timed = call(&client, "Echo", &Order::default()).timeout(Duration::from_secs(1));
    assert!(matches!(timed.await, Err(CallError::TimedOut(_))));
}

#[tokio::test]
async fn what_a_slow_server_has_kept_waiting_is_sent_before_the_close_frame() {
    let (mut server, client) = Hostile::connect().await;
    let large = Order {
        blob: vec![7; 400 << 10].into(),
        ..Order::default()
    };
    server.send(0, generous()).await;
    // Once the client answers this, it has read the greeting.
    server.send(0, FrameKind::Ping(Ping::default())).await;
    // Its own greeting, and the pong.
    for _ in 0..2 {
        let message = server.0.next().await.expect("a message").expect("is read");
        assert!(matches!(message, Message::Binary(_)), "{message:?}");
    }
    // Three wait with the connection's task, which takes no more, and three behind them.
    for _ in 0..6 {
        client.unary::<()>(method("Tell"), &large).await.expect("is sent");
    }
    drop(client);
    let mut requests = 0;
    loop {
        match server.0.next().await.expect("a close frame").expect("is read") {
            Message::Binary(_) => requests += 1,
            Message::Close(frame) => {
                assert_eq!(u16::from(frame.expect("a code").code), 1000);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(requests, 6);
}
