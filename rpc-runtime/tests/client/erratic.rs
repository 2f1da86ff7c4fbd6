//! A server that sends any frame at any time: whatever it does, every call ends, and nothing is left behind.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, Stream, StreamExt, stream};
use rpc_protocol::{
    Code, Frame, FrameKind,
    frame::{
        AnnouncedLimits, Compression, Credit, Data, End as EndFrame, GoAway, Greeting, Metadata, Ping, Reset,
        Response,
    },
};
use rpc_runtime::{
    CallError, Client, ClientBuilder, Outgoing, Reconnect, Status, Streaming, prost::Message as _,
};
use tokio::{task::JoinSet, time::timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    by_hand::{End, by_hand},
    service::{Note, call, method, note, until},
};

/// Numbers that a seed gives again (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn odd(&mut self) -> u64 {
        [0, 1, 7, 1 << 20, u64::MAX - 1, u64::MAX][self.roll(6) as usize]
    }

    fn metadata(&mut self) -> Vec<Metadata> {
        let count = [0, 0, 1, 200][self.roll(4) as usize];
        (0..count).map(|_| Metadata::text("key", "value")).collect()
    }

    fn body(&mut self) -> rpc_runtime::bytes::Bytes {
        match self.roll(4) {
            0 => note(self.roll(9)).encode_to_vec().into(),
            1 => vec![0xff; 20].into(),
            2 => vec![0; 3_000].into(),
            _ => Default::default(),
        }
    }

    fn compression(&mut self) -> Compression {
        [
            Compression::NONE,
            Compression::NONE,
            Compression::DEFLATE,
            Compression(9),
        ][self.roll(4) as usize]
    }

    fn kind(&mut self) -> FrameKind {
        match self.roll(14) {
            0..=2 => FrameKind::Response(Response {
                metadata: self.metadata(),
                open: true,
                ..Response::default()
            }),
            3 | 4 => FrameKind::Response(Response {
                metadata: self.metadata(),
                more: self.roll(3) == 0,
                compression: self.compression(),
                body: self.body(),
                ..Response::default()
            }),
            5..=7 => FrameKind::Data(Data {
                more: self.roll(3) == 0,
                compression: self.compression(),
                body: self.body(),
            }),
            8 => FrameKind::End(EndFrame::new(Code::from_i32(self.roll(20) as i32), "as it likes")),
            9 => FrameKind::Reset(Reset { code: 1 }),
            10 => FrameKind::Credit(Credit { bytes: self.odd() }),
            11 => FrameKind::Ping(Ping::default()),
            12 => FrameKind::Unknown,
            _ => FrameKind::End(EndFrame::default()),
        }
    }

    fn greeting(&mut self) -> FrameKind {
        let limits = AnnouncedLimits {
            max_message_bytes: self.odd(),
            max_streams: self.odd(),
            stream_window_bytes: self.odd(),
            connection_window_bytes: self.odd(),
            max_frame_body_bytes: self.odd(),
            max_body_bytes: self.odd(),
            ..AnnouncedLimits::default()
        };
        FrameKind::Greeting(Box::new(Greeting {
            limits: Some(limits),
            compressions: vec![Compression::DEFLATE],
            ..Greeting::default()
        }))
    }
}

/// Requests that never end, and tell when they are dropped.
struct Endless(Arc<AtomicUsize>);

impl Drop for Endless {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn endless(alive: &Arc<AtomicUsize>, first: usize) -> impl Stream<Item = Note> + Send + 'static {
    alive.fetch_add(1, Ordering::SeqCst);
    let endless = Endless(alive.clone());
    stream::iter((0..first as u64).map(note))
        .chain(stream::pending())
        .map(move |note| {
            let _ = &endless;
            note
        })
}

async fn read(stream: Result<Streaming<Note>, CallError>) {
    if let Ok(mut stream) = stream {
        while let Ok(Some(_)) = stream.message().await {}
    }
}

/// Calls of every kind.
fn calls(client: &Client, alive: &Arc<AtomicUsize>) -> JoinSet<()> {
    let mut calls = JoinSet::new();
    for round in 0..3 {
        let one = call(client, "Echo", &note(1)).into_future();
        calls.spawn(async move { drop(one.await) });
        let many = client
            .server_streaming::<Note>(method("Count"), &note(1))
            .into_future();
        calls.spawn(async move { read(many.await).await });
        let sum = client.client_streaming::<Note, Note>(method("Sum"), endless(alive, round * 40));
        calls.spawn(async move { drop(sum.await) });
        let mirror = client.bidirectional::<Note, Note>(method("Mirror"), endless(alive, round));
        calls.spawn(async move { read(mirror.await).await });
        let client = client.clone();
        calls.spawn(async move {
            let run = async |output: Outgoing<Note>, mut input: Streaming<Note>| {
                let _ = output.send(note(1)).await;
                while let Ok(Some(_)) = input.message().await {}
                Ok::<_, Status>(())
            };
            drop(client.session(method("Double"), run).await);
        });
    }
    calls
}

async fn misbehave(end: &mut End, dice: &mut Dice) {
    for _ in 0..dice.roll(120) {
        let (stream_id, kind) = match dice.roll(20) {
            0 => (0, dice.greeting()),
            1 => {
                let go_away = GoAway {
                    last_stream_id: dice.roll(12),
                    return_after_us: dice.odd(),
                    ..GoAway::default()
                };
                (0, FrameKind::GoAway(go_away))
            }
            2 => (0, FrameKind::Credit(Credit { bytes: dice.odd() })),
            _ => (1 + dice.roll(16), dice.kind()),
        };
        let frame = Frame::new(stream_id, kind).to_bytes();
        if end.0.send(Message::Binary(frame)).await.is_err() {
            return;
        }
        if dice.roll(4) == 0 {
            let _ = timeout(Duration::from_millis(1), end.0.next()).await;
        }
    }
}

async fn survives(builder: ClientBuilder, ends: crate::by_hand::Ends, seed: u64, connections: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let client = builder.lazy().unwrap();
    let alive = Arc::default();
    let mut calls = calls(&client, &alive);
    for _ in 0..connections {
        let Ok(mut end) = timeout(Duration::from_secs(100), ends.next()).await else {
            break;
        };
        misbehave(&mut end, &mut dice).await;
        // Now and then it stays, and says nothing more.
        if dice.roll(2) == 0 {
            drop(end);
        } else {
            tokio::spawn(async move { while let Some(Ok(_)) = end.0.next().await {} });
        }
    }
    client.close(rpc_runtime::CloseCode::Normal, "enough");
    let all = async {
        while calls
            .join_next()
            .await
            .transpose()
            .expect("no call panics")
            .is_some()
        {}
    };
    timeout(Duration::from_secs(1_000), all)
        .await
        .unwrap_or_else(|_| panic!("seed {seed}: a call has no end"));
    drop(client);
    until("requests that nobody takes are dropped", || {
        alive.load(Ordering::SeqCst) == 0
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn every_call_ends_and_its_requests_are_dropped_whatever_a_server_sends() {
    for seed in 0..150 {
        let (builder, ends) = by_hand();
        survives(builder.reconnect(Reconnect::never()), ends, seed, 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_ends_whatever_a_row_of_servers_sends() {
    for seed in 0..40 {
        let (builder, ends) = by_hand();
        survives(builder, ends, seed, 5).await;
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_calls_that_wait_for_a_dead_server_end_with_it_and_others_go_on() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    client.ready().await.unwrap();
    let mut end = ends.next().await;
    let mut waiting = JoinSet::new();
    for number in 0..10_000 {
        waiting.spawn(call(&client, "Echo", &note(number)).into_future());
    }
    let (first, _) = end.request().await;
    drop(end);
    let mut failed = 0;
    while let Some(outcome) = waiting.join_next().await {
        assert!(outcome.unwrap().is_err());
        failed += 1;
    }
    assert_eq!((first, failed), (1, 10_000));
    let mut end = ends.next().await;
    client.ready().await.unwrap();
    let echo = tokio::spawn(call(&client, "Echo", &note(2)).into_future());
    let (stream_id, _) = end.request().await;
    end.answer(stream_id, &note(3)).await;
    assert_eq!(echo.await.unwrap().unwrap(), note(3));
}
