//! A client of this project's server that is no more than the protocol's client end over tokio-tungstenite, driven like
//! the floor's client: it shows what the server costs under the floor's load.

use super::websocket::{Handle, READ_BUFFER, config, exchange};
use super::{Client, Counter, text};
use crate::messages::{AddTaskRequest, AddTaskResponse, is_answer, request};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use prost::Message as _;
use rpc_protocol::frame::Request;
use rpc_protocol::{Body, ClientConnection, ClientEvent, Limits, Output, SUBPROTOCOL, method_number};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// The method that is measured.
const METHOD: u64 = method_number("task.TaskService/AddTask");

/// One connection that speaks the project's frames.
pub(crate) struct RawClient {
    socket: WebSocketStream<TcpStream>,
    calls: Calls,
}

/// The calls of one connection.
struct Calls {
    connection: ClientConnection,
    head: Request,
    /// When the connection began. Nothing here is late enough to look at the clock again.
    now: Instant,
}

/// One message on its way out.
#[derive(Default)]
struct Outgoing(Vec<u8>);

impl Output for Outgoing {
    fn begin_message(&mut self, len: usize) -> &mut Vec<u8> {
        self.0.reserve(len);
        &mut self.0
    }
}

/// A request as the body of a frame.
struct RequestBody<'a>(&'a AddTaskRequest);

impl Body for RequestBody<'_> {
    fn encoded_len(&self) -> usize {
        self.0.encoded_len()
    }

    fn encode(&self, buf: &mut Vec<u8>) {
        self.0.encode_raw(buf);
    }
}

impl Calls {
    fn open(&mut self, request: &AddTaskRequest) -> Result<Message, String> {
        let mut out = Outgoing::default();
        self.connection
            .open_unary(&self.head, &RequestBody(request), &mut out)
            .map_err(text)?;
        Ok(Message::Binary(out.0.into()))
    }

    /// Takes a message; whether it was an answer.
    fn take(&mut self, message: Bytes, label: usize) -> Result<bool, String> {
        let mut out = Outgoing::default();
        match self
            .connection
            .handle_message(message, self.now, &mut out)
            .map_err(text)?
        {
            ClientEvent::Response { response, .. } => {
                let response = AddTaskResponse::decode(response.body).map_err(text)?;
                is_answer(&response, label)
                    .then_some(true)
                    .ok_or_else(|| "an answer is not the request's".to_owned())
            }
            ClientEvent::Greeting(_) => Ok(false),
            other => Err(format!("expected a response, got {other:?}")),
        }
    }
}

impl Client for RawClient {
    async fn connect(addr: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(addr).await.map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        let mut handshake = format!("ws://{addr}/rpc").into_client_request().map_err(text)?;
        handshake
            .headers_mut()
            .insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        let (socket, _) =
            tokio_tungstenite::client_async_with_config(handshake, stream, Some(config(READ_BUFFER)))
                .await
                .map_err(text)?;
        let now = Instant::now();
        let connection = ClientConnection::new(Limits::default(), now);
        let head = Request {
            method: METHOD,
            ..Request::default()
        };
        Ok(Self {
            socket,
            calls: Calls {
                connection,
                head,
                now,
            },
        })
    }

    async fn call_once(&mut self, label: usize) -> Result<(), String> {
        let message = self.calls.open(&request(label))?;
        self.socket.send(message).await.map_err(text)?;
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Binary(message))) => {
                    if self.calls.take(message, label)? {
                        return Ok(());
                    }
                }
                other => return Err(format!("expected an answer, got {other:?}")),
            }
        }
    }

    async fn load(mut self, in_flight: usize, label: usize, counter: Arc<Counter>) -> Result<(), String> {
        let request = request(label);
        for _ in 0..in_flight {
            let message = self.calls.open(&request)?;
            self.socket.feed(message).await.map_err(text)?;
        }
        exchange(
            self.socket,
            Again {
                calls: self.calls,
                label,
                request,
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
    label: usize,
    request: AddTaskRequest,
    answered: u64,
    counter: Arc<Counter>,
}

impl Handle for Again {
    fn handle(&mut self, message: Bytes) -> Result<Option<Message>, String> {
        if !self.calls.take(message, self.label)? {
            return Ok(None);
        }
        self.answered += 1;
        self.calls.open(&self.request).map(Some)
    }

    fn batch_ended(&mut self) {
        self.counter.add(std::mem::take(&mut self.answered));
    }
}
