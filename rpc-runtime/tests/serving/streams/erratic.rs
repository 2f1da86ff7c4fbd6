//! Clients that send any frame at any time: whatever they do, every handler is dropped, all clean-up runs, and others are
//! served.

use futures_util::SinkExt;
use rpc_protocol::{
    Frame, FrameKind,
    frame::{AnnouncedLimits, Compression, Credit, Data, End, Greeting, Metadata, Ping, Request, Reset},
};
use rpc_runtime::{Limits, prost::Message as _};
use tokio_tungstenite::tungstenite::Message;

use super::{
    service::{Item, Traces, item, method, server},
    wire::{Peer, Said},
};
use crate::probe::until;

const METHODS: [&str; 17] = [
    "Echo",
    "Count",
    "CountApart",
    "Sum",
    "SumApart",
    "Ignore",
    "Keep",
    "Mirror",
    "MirrorApart",
    "Talk",
    "TalkApart",
    "Linger",
    "Flood",
    "GiveUp",
    "Tell",
    "Late",
    "Deaf",
];

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

    fn often(&mut self) -> bool {
        self.roll(3) > 0
    }

    fn body(&mut self) -> rpc_runtime::bytes::Bytes {
        match self.roll(6) {
            0 => vec![0xff; 20].into(),
            1 => vec![0; 3_000].into(),
            2 => Default::default(),
            _ => {
                let text = ["", "", "", "hang", "fail", "panic"][self.roll(6) as usize];
                let item = Item {
                    text: text.to_owned(),
                    ..item(self.roll(50))
                };
                item.encode_to_vec().into()
            }
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

    fn request(&mut self) -> FrameKind {
        let open = self.roll(2) == 0;
        let known = self.roll(10) > 0;
        FrameKind::Request(Request {
            method: if known {
                method(METHODS[self.roll(17) as usize]).number
            } else {
                self.odd()
            },
            metadata: (0..[0, 0, 2, 200][self.roll(4) as usize])
                .map(|_| Metadata::text("key", "value"))
                .collect(),
            timeout_us: if self.often() { 0 } else { self.odd() },
            open,
            more: !open && self.roll(5) == 0,
            one_way: !open && self.roll(8) == 0,
            compression: if self.often() {
                Compression::NONE
            } else {
                self.compression()
            },
            body: if open { Default::default() } else { self.body() },
            ..Request::default()
        })
    }

    fn other(&mut self) -> FrameKind {
        match self.roll(12) {
            0..=5 => FrameKind::Data(Data {
                more: self.roll(4) == 0,
                compression: self.compression(),
                body: self.body(),
            }),
            6 | 7 => FrameKind::End(End::default()),
            8 => FrameKind::Reset(Reset { code: 1 }),
            9 | 10 => FrameKind::Credit(Credit { bytes: self.odd() }),
            _ => FrameKind::Unknown,
        }
    }

    fn of_the_connection(&mut self) -> FrameKind {
        match self.roll(4) {
            0 => FrameKind::Ping(Ping::default()),
            1 => FrameKind::Greeting(Box::new(Greeting {
                limits: Some(AnnouncedLimits {
                    max_message_bytes: self.odd(),
                    stream_window_bytes: self.odd(),
                    connection_window_bytes: self.odd(),
                    max_frame_body_bytes: self.odd(),
                    max_body_bytes: self.odd(),
                    ..AnnouncedLimits::default()
                }),
                ..Greeting::default()
            })),
            _ => FrameKind::Credit(Credit { bytes: self.odd() }),
        }
    }
}

async fn misbehave(peer: &mut Peer, dice: &mut Dice) {
    let (mut last, frames) = (0, dice.roll(300));
    // Where a stream may go on.
    let mut open = Vec::new();
    for _ in 0..frames {
        let (stream_id, kind) = match dice.roll(60) {
            0 => (1 + dice.roll(last.max(1)), dice.other()),
            1 => (0, dice.of_the_connection()),
            2..=20 => {
                last += 1;
                let request = dice.request();
                if matches!(&request, FrameKind::Request(request) if request.open) {
                    open.push(last);
                }
                (last, request)
            }
            _ if open.is_empty() => continue,
            _ => {
                let at = dice.roll(open.len() as u64) as usize;
                let (stream_id, other) = (open[at], dice.other());
                if matches!(other, FrameKind::End(_) | FrameKind::Reset(_)) {
                    open.remove(at);
                }
                (stream_id, other)
            }
        };
        let message = Message::Binary(Frame::new(stream_id, kind).to_bytes());
        // What it does not read waits with the server.
        if peer.raw.socket.send(message).await.is_err() {
            return;
        }
        if dice.roll(20) == 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_handler_is_dropped_and_cleaned_up_after_whatever_a_client_sends() {
    let (server, traces) = server(Limits::default());
    for seed in 1..=300_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut peer = Peer::connect_with_default_windows(&server).await;
        misbehave(&mut peer, &mut dice).await;
        let mut other = Peer::connect(&server).await;
        other.call(1, "Echo", &item(seed)).await;
        assert_eq!(other.said(1).await, Said::Answer(item(seed)), "seed {seed}");
        drop((peer, other));
        until("the connections are gone", || server.connections() == 0).await;
        until("all are dropped and cleaned up", || {
            let started = Traces::get(&traces.started);
            started == Traces::get(&traces.dropped)
                && started == Traces::get(&traces.closed)
                && started == Traces::get(&traces.cancelled)
        })
        .await;
    }
    let started = Traces::get(&traces.started);
    assert!(started > 1_000, "only {started} calls were begun");
}
