//! A client of this project's streams that costs about as much for each message as the floor's: one task that reads and
//! writes the project's frames, and keeps to the server's windows.
//!
//! It shows what the server costs under the floor's load, as the raw client of the calls does.

use super::items::{Check, Flow, Item, Start, Summary};
use super::load::StreamClient;
use super::shape::Direction;
use crate::peers::rpc_raw::{WINDOW, connect};
use crate::peers::text;
use bytes::Bytes;
use futures_util::{Sink, SinkExt, StreamExt};
use prost::Message as _;
use rpc_protocol::frame::{AnnouncedLimits, Data, End, Request};
use rpc_protocol::{DATA_FRAME_COST, Frame, FrameKind, Limits, method_number};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// How many messages are written before what came is looked at.
const WRITTEN_AT_ONCE: usize = 256;

/// One connection that speaks the project's frames, for one load: its stream ids begin at 1.
pub(crate) struct RawClient(WebSocketStream<TcpStream>);

impl StreamClient for RawClient {
    async fn connect(addr: SocketAddr) -> Result<Self, String> {
        connect(addr, WINDOW).await.map(Self)
    }

    async fn run(self, flows: Vec<Flow>) -> Result<(), String> {
        let shape = flows.first().ok_or("no stream")?.shape;
        let sends = shape.direction != Direction::Down;
        let limits = Limits::default();
        let mut run = Run {
            socket: self.0,
            connection: limits.connection_window_bytes as i64,
            streams: flows
                .into_iter()
                .map(|flow| Stream {
                    items: flow.items(shape.direction == Direction::Up),
                    check: Check::new(shape.payload),
                    window: limits.stream_window_bytes as i64,
                    sends,
                    flow,
                })
                .collect(),
            next: 0,
            running: shape.streams,
            unflushed: true,
        };
        run.open(shape.direction, shape.payload).await?;
        poll_fn(|cx| run.poll(cx)).await
    }
}

struct Run<I> {
    socket: WebSocketStream<TcpStream>,
    /// The connection's window.
    connection: i64,
    streams: Vec<Stream<I>>,
    /// The stream whose turn it is to send.
    next: usize,
    /// Streams that have not ended.
    running: usize,
    unflushed: bool,
}

struct Stream<I> {
    flow: Flow,
    items: I,
    check: Check,
    window: i64,
    /// It has more to send.
    sends: bool,
}

fn message(stream: usize, kind: FrameKind) -> Message {
    Message::Binary(Frame::new(stream as u64 + 1, kind).to_bytes())
}

impl<I: Iterator<Item = Item>> Run<I> {
    async fn open(&mut self, direction: Direction, payload: usize) -> Result<(), String> {
        let (method, body) = match direction {
            Direction::Down => {
                let start = Start {
                    payload: payload as u64,
                    items: 0,
                };
                (method_number("flow.FlowService/Down"), start.encode_to_vec())
            }
            Direction::Up => (method_number("flow.FlowService/Up"), Vec::new()),
            Direction::Echo => (method_number("flow.FlowService/Echo"), Vec::new()),
        };
        for stream in 0..self.streams.len() {
            let request = Request {
                method,
                open: direction != Direction::Down,
                body: body.clone().into(),
                ..Request::default()
            };
            self.socket
                .feed(message(stream, FrameKind::Request(request)))
                .await
                .map_err(text)?;
        }
        Ok(())
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        loop {
            let written = self.write(cx)?;
            loop {
                match self.socket.poll_next_unpin(cx) {
                    Poll::Ready(Some(Ok(Message::Binary(message)))) => self.take(message)?,
                    Poll::Ready(_) => return Poll::Ready(Err("the server ended".to_owned())),
                    Poll::Pending => break,
                }
            }
            if self.running == 0 {
                return Poll::Ready(Ok(()));
            }
            if written == WRITTEN_AT_ONCE || self.connection > 0 && self.streams.iter().any(Stream::may_send)
            {
                // Credit has come, or there was more to send: on, unless the socket takes no more.
                if Pin::new(&mut self.socket).poll_ready(cx).is_ready() {
                    continue;
                }
                return Poll::Pending;
            }
            if self.unflushed
                && let Poll::Ready(flushed) = self.socket.poll_flush_unpin(cx)
            {
                flushed.map_err(text)?;
                self.unflushed = false;
            }
            return Poll::Pending;
        }
    }

    /// Writes what the windows and the socket take, each stream in turn. How many messages.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<usize, String> {
        let (mut written, mut passed) = (0, 0);
        while written < WRITTEN_AT_ONCE && passed < self.streams.len() && self.connection > 0 {
            let stream = self.next;
            self.next = (self.next + 1) % self.streams.len();
            if !self.streams[stream].may_send() {
                passed += 1;
                continue;
            }
            match Pin::new(&mut self.socket).poll_ready(cx) {
                Poll::Ready(ready) => ready.map_err(text)?,
                Poll::Pending => break,
            }
            let kind = match self.streams[stream].items.next() {
                Some(item) => {
                    let body = Bytes::from(item.encode_to_vec());
                    let cost = body.len() as i64 + DATA_FRAME_COST as i64;
                    self.connection -= cost;
                    self.streams[stream].window -= cost;
                    FrameKind::Data(Data {
                        body,
                        ..Data::default()
                    })
                }
                None => {
                    self.streams[stream].sends = false;
                    FrameKind::End(End::default())
                }
            };
            Pin::new(&mut self.socket)
                .start_send(message(stream, kind))
                .map_err(text)?;
            self.unflushed = true;
            (written, passed) = (written + 1, 0);
        }
        Ok(written)
    }

    fn take(&mut self, message: Bytes) -> Result<(), String> {
        let Frame { stream_id, kind } = Frame::decode(message).map_err(text)?;
        if stream_id == 0 {
            match kind {
                FrameKind::Greeting(greeting) => self.widen(&greeting.limits.unwrap_or_default()),
                FrameKind::Credit(credit) => self.connection += credit.bytes as i64,
                _ => {}
            }
            return Ok(());
        }
        let stream = self
            .streams
            .get_mut(stream_id as usize - 1)
            .ok_or("a frame of no stream")?;
        match kind {
            FrameKind::Data(data) => {
                stream.check.take(&Item::decode(data.body).map_err(text)?)?;
                stream.flow.count(stream.check.items);
            }
            FrameKind::Credit(credit) => stream.window += credit.bytes as i64,
            FrameKind::Response(response) if response.open => {}
            FrameKind::Response(response) => {
                let summary = Summary::decode(response.body).map_err(text)?;
                stream.flow.check_summary(summary.items)?;
                self.running -= 1;
            }
            other => return Err(format!("expected a stream's message, got {other:?}")),
        }
        Ok(())
    }

    /// The server's windows, where they are not the protocol's.
    fn widen(&mut self, announced: &AnnouncedLimits) {
        let defaults = Limits::default();
        let grown = |announced: u64, default: usize| (announced as i64 - default as i64).max(0);
        self.connection += grown(
            announced.connection_window_bytes,
            defaults.connection_window_bytes,
        );
        for stream in &mut self.streams {
            stream.window += grown(announced.stream_window_bytes, defaults.stream_window_bytes);
        }
    }
}

impl<I> Stream<I> {
    fn may_send(&self) -> bool {
        self.sends && self.window > 0
    }
}
