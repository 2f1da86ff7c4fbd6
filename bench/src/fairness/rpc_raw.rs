//! Calls beside streams from this project's server, with a client on one task that reads frames,
//! gives credit and does no more: it shows
//! what stands in front of an answer when it leaves the server.

use super::Traffic;
use super::load::{CALL_PAYLOAD, Latencies};
use crate::peers::rpc_raw::connect;
use crate::peers::text;
use crate::streams::items::{Item, Start};
use futures_util::{SinkExt, StreamExt};
use rpc_protocol::frame::{Credit, Request};
use rpc_protocol::{DATA_FRAME_COST, Frame, FrameKind, Limits, method_number};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// What tells a server that hangs from a machine that stood still.
const STALL: Duration = Duration::from_secs(5);

struct Raw {
    socket: WebSocketStream<TcpStream>,
    last_stream_id: u64,
    /// Bytes of messages that came on streams.
    carried: u64,
    /// What came on each stream and was not given as credit.
    uncredited: Vec<usize>,
    /// The same of the connection.
    all_uncredited: usize,
    limits: Limits,
}

/// Measures calls for `window` after `warm_up`, beside `traffic` from the server.
pub(crate) async fn measure_beside(
    addr: SocketAddr,
    traffic: Traffic,
    warm_up: Duration,
    window: Duration,
) -> Result<Latencies, String> {
    let (streams, from_server, payload) = traffic.streams();
    let mut raw = Raw {
        socket: connect(addr, 0).await?,
        last_stream_id: 0,
        carried: 0,
        uncredited: vec![0; streams + 1],
        all_uncredited: 0,
        limits: Limits::default(),
    };
    if !from_server {
        return Err("it sends no streams".to_owned());
    }
    for _ in 0..streams {
        let start = Start {
            payload: payload as u64,
            items: 0,
        };
        raw.open("flow.FlowService/Down", &start).await?;
    }
    raw.call_for(warm_up).await?;
    let (began, before) = (Instant::now(), raw.carried);
    let times = raw.call_for(window).await?;
    Latencies::of(times, began.elapsed(), raw.carried - before)
}

impl Raw {
    async fn open(&mut self, method: &str, request: &impl prost::Message) -> Result<(), String> {
        self.last_stream_id += 1;
        let request = Request {
            method: method_number(method),
            body: request.encode_to_vec().into(),
            ..Request::default()
        };
        let request = Frame::new(self.last_stream_id, FrameKind::Request(request)).to_bytes();
        self.socket.feed(Message::Binary(request)).await.map_err(text)
    }

    /// Calls, one after the other, for so long; gives how long each took.
    async fn call_for(&mut self, time: Duration) -> Result<Vec<Duration>, String> {
        let mut times = Vec::with_capacity(1 << 16);
        let until = Instant::now() + time;
        loop {
            let began = Instant::now();
            if began >= until {
                return Ok(times);
            }
            let item = Item {
                number: times.len() as u64,
                payload: vec![b'x'; CALL_PAYLOAD].into(),
            };
            self.open("flow.FlowService/Ping", &item).await?;
            self.socket.flush().await.map_err(text)?;
            while !self.read().await? {}
            times.push(began.elapsed());
        }
    }

    /// Reads a message; whether it is the answer.
    async fn read(&mut self) -> Result<bool, String> {
        let Ok(next) = tokio::time::timeout(STALL, self.socket.next()).await else {
            return Err(format!(
                "call {} has no answer after {STALL:?}, nor does anything come on the streams: {} bytes came, of which {} \
                 are not credited, {:?} by stream",
                self.last_stream_id, self.carried, self.all_uncredited, self.uncredited
            ));
        };
        let Some(Ok(Message::Binary(message))) = next else {
            return Err("the server ended".to_owned());
        };
        match Frame::decode(message).map_err(text)? {
            Frame {
                stream_id,
                kind: FrameKind::Data(data),
            } => {
                self.carried += data.body.len() as u64;
                self.consume(stream_id, data.body.len() + DATA_FRAME_COST).await?;
            }
            Frame {
                stream_id,
                kind: FrameKind::Response(response),
            } if !response.open => {
                self.consume(0, response.body.len()).await?;
                return Ok(stream_id == self.last_stream_id);
            }
            Frame {
                kind: FrameKind::Response(_) | FrameKind::Greeting(_) | FrameKind::Credit(_),
                ..
            } => {}
            other => return Err(format!("expected an answer or a message, got {other:?}")),
        }
        Ok(false)
    }

    /// Gives credit once half of a window was used, as this project's own client does.
    async fn consume(&mut self, stream_id: u64, cost: usize) -> Result<(), String> {
        self.all_uncredited += cost;
        let mut credits = Vec::new();
        if self.all_uncredited >= self.limits.connection_window_bytes / 2 {
            credits.push((0, std::mem::take(&mut self.all_uncredited)));
        }
        // Bodies of responses count on the connection's window alone.
        if stream_id != 0 {
            let uncredited = &mut self.uncredited[stream_id as usize];
            *uncredited += cost;
            if *uncredited >= self.limits.stream_window_bytes / 2 {
                credits.push((stream_id, std::mem::take(uncredited)));
            }
        }
        for (stream_id, bytes) in credits {
            let credit = FrameKind::Credit(Credit { bytes: bytes as u64 });
            let credit = Frame::new(stream_id, credit).to_bytes();
            self.socket.send(Message::Binary(credit)).await.map_err(text)?;
        }
        Ok(())
    }
}
