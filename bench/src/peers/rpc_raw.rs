//! A client of this project's server that costs about as much for each call as the floor's client: it keeps the request's
//! bytes where the floor's encodes them anew, and reads and writes the project's frames around them.
//!
//! It shows what the server costs under the floor's load. A client that does more leaves the server idle in between,
//! and then waking it up is counted as the server's cost.

use super::websocket::{Handle, READ_BUFFER, config, exchange};
use super::{Client, Counter, text};
use crate::messages::{AddTaskResponse, is_answer, request};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use prost::Message as _;
use rpc_protocol::frame::{AnnouncedLimits, Greeting, Request};
use rpc_protocol::{Frame, FrameKind, SUBPROTOCOL, method_number};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// The method that is measured against other programs.
pub(crate) const ADD_TASK: u64 = method_number("task.TaskService/AddTask");

/// What the client can take before it would have to give credit: more than it ever receives. A server stops sending to a
/// peer that neither announces this nor gives any.
pub(crate) const WINDOW: u64 = 1 << 50;

/// One connection that speaks the project's frames and calls one method, for one load: its stream ids begin at 1.
pub(crate) struct RawClient<const METHOD: u64 = ADD_TASK>(WebSocketStream<TcpStream>);

/// The calls of one connection. Which of them an answer belongs to is not looked up: they are all alike.
struct Calls {
    label: usize,
    /// A request without its stream id, which stands in front.
    request: Bytes,
    last_stream_id: u64,
}

impl Calls {
    fn new(method: u64, label: usize) -> Self {
        let body = request(label).encode_to_vec().into();
        let request = Request {
            method,
            body,
            ..Request::default()
        };
        let request = Frame::new(0, FrameKind::Request(request)).to_bytes();
        Self {
            label,
            request,
            last_stream_id: 0,
        }
    }

    fn open(&mut self) -> Message {
        self.last_stream_id += 1;
        let mut message = Vec::with_capacity(self.request.len() + 11);
        message.push(0x08);
        prost::encoding::encode_varint(self.last_stream_id, &mut message);
        message.extend_from_slice(&self.request);
        Message::Binary(message.into())
    }

    /// Takes a message; whether it was an answer.
    fn take(&self, message: Bytes) -> Result<bool, String> {
        match Frame::decode(message).map_err(text)? {
            Frame {
                stream_id,
                kind: FrameKind::Response(response),
            } if stream_id <= self.last_stream_id => {
                let response = AddTaskResponse::decode(response.body).map_err(text)?;
                is_answer(&response, self.label)
                    .then_some(true)
                    .ok_or_else(|| "an answer is not the request's".to_owned())
            }
            // The server gives credit for what was sent, which is always less than a window.
            Frame {
                kind: FrameKind::Greeting(_) | FrameKind::Credit(_),
                ..
            } => Ok(false),
            other => Err(format!("expected a response, got {other:?}")),
        }
    }
}

/// Connects to this project's server, and announces windows of so many bytes; 0 leaves the protocol's.
pub(crate) async fn connect(addr: SocketAddr, window: u64) -> Result<WebSocketStream<TcpStream>, String> {
    let stream = TcpStream::connect(addr).await.map_err(text)?;
    stream.set_nodelay(true).map_err(text)?;
    let mut handshake = format!("ws://{addr}/rpc").into_client_request().map_err(text)?;
    let headers = handshake.headers_mut();
    headers.insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    // For a server that wants to know who connects; any other does not look at it.
    headers.insert("authorization", HeaderValue::from_static("Bearer bench"));
    let (mut socket, _) =
        tokio_tungstenite::client_async_with_config(handshake, stream, Some(config(READ_BUFFER)))
            .await
            .map_err(text)?;
    let limits = AnnouncedLimits {
        stream_window_bytes: window,
        connection_window_bytes: window,
        ..AnnouncedLimits::default()
    };
    let greeting = Greeting {
        limits: Some(limits),
        ..Greeting::default()
    };
    let greeting = Frame::new(0, FrameKind::Greeting(Box::new(greeting))).to_bytes();
    socket.feed(Message::Binary(greeting)).await.map_err(text)?;
    Ok(socket)
}

impl<const METHOD: u64> Client for RawClient<METHOD> {
    async fn connect(addr: SocketAddr) -> Result<Self, String> {
        connect(addr, WINDOW).await.map(Self)
    }

    async fn call_once(&mut self, label: usize) -> Result<(), String> {
        let mut calls = Calls::new(METHOD, label);
        self.0.send(calls.open()).await.map_err(text)?;
        loop {
            match self.0.next().await {
                Some(Ok(Message::Binary(message))) => {
                    if calls.take(message)? {
                        return Ok(());
                    }
                }
                other => return Err(format!("expected an answer, got {other:?}")),
            }
        }
    }

    async fn load(mut self, in_flight: usize, label: usize, counter: Arc<Counter>) -> Result<(), String> {
        let mut calls = Calls::new(METHOD, label);
        for _ in 0..in_flight {
            self.0.feed(calls.open()).await.map_err(text)?;
        }
        exchange(
            self.0,
            Again {
                calls,
                answered: 0,
                counter,
            },
        )
        .await
    }
}

/// Checks an answer and sends the next request.
struct Again {
    calls: Calls,
    answered: u64,
    counter: Arc<Counter>,
}

impl Handle for Again {
    fn handle(&mut self, message: Bytes) -> Result<Option<Message>, String> {
        if !self.calls.take(message)? {
            return Ok(None);
        }
        self.answered += 1;
        Ok(Some(self.calls.open()))
    }

    fn batch_ended(&mut self) {
        self.counter.add(std::mem::take(&mut self.answered));
    }
}
