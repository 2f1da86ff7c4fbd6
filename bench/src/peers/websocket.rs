//! The client of every peer that takes bare messages over a WebSocket: one task, one flush per readable batch.

use super::{Client, Counter, text};
use crate::messages::{AddTaskResponse, is_answer, request};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, StreamExt};
use prost::Message as _;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

/// How much a socket is asked for at once.
pub(crate) const READ_BUFFER: usize = 16 * 1024;

/// The configuration of both sides: a tuned read buffer, replies gathered until they are flushed.
pub(crate) fn config(read_buffer: usize) -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(read_buffer)
}

/// What is done with each message of a batch.
pub(crate) trait Handle {
    /// Takes one message; a reply is written with the rest of the batch.
    fn handle(&mut self, message: Bytes) -> Result<Option<Message>, String>;
    /// A whole batch has been read.
    fn batch_ended(&mut self) {}
}

/// Reads messages, hands each to `handle`, and flushes all replies once nothing more is readable.
///
/// Ends when the peer closes.
pub(crate) async fn exchange<H: Handle>(
    socket: WebSocketStream<TcpStream>,
    mut handle: H,
) -> Result<(), String> {
    let mut socket = socket;
    let mut unflushed = true;
    poll_fn(move |cx| poll_exchange(&mut socket, &mut handle, &mut unflushed, cx)).await
}

fn poll_exchange<H: Handle>(
    socket: &mut WebSocketStream<TcpStream>,
    handle: &mut H,
    unflushed: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<Result<(), String>> {
    loop {
        if let Err(error) = ready!(Pin::new(&mut *socket).poll_ready(cx)) {
            return Poll::Ready(Err(text(error)));
        }
        match socket.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(Message::Binary(message)))) => {
                if let Some(reply) = handle.handle(message)? {
                    Pin::new(&mut *socket).start_send(reply).map_err(text)?;
                    *unflushed = true;
                }
            }
            Poll::Ready(Some(Ok(Message::Close(_))) | None) => return Poll::Ready(Ok(())),
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(text(error))),
            Poll::Pending => {
                if *unflushed {
                    handle.batch_ended();
                    ready!(socket.poll_flush_unpin(cx)).map_err(text)?;
                    *unflushed = false;
                }
                return Poll::Pending;
            }
        }
    }
}

/// A connection that sends [`AddTaskRequest`](crate::messages::AddTaskRequest)s and takes answers in their order.
pub(crate) struct BareClient(WebSocketStream<TcpStream>);

/// Checks an answer and sends the next request.
struct Again {
    label: usize,
    request: crate::messages::AddTaskRequest,
    answered: u64,
    counter: Arc<Counter>,
}

impl Handle for Again {
    fn handle(&mut self, message: Bytes) -> Result<Option<Message>, String> {
        check(message, self.label)?;
        self.answered += 1;
        Ok(Some(Message::Binary(self.request.encode_to_vec().into())))
    }

    fn batch_ended(&mut self) {
        self.counter.add(std::mem::take(&mut self.answered));
    }
}

fn check(message: Bytes, label: usize) -> Result<(), String> {
    let response = AddTaskResponse::decode(message).map_err(text)?;
    is_answer(&response, label)
        .then_some(())
        .ok_or_else(|| "an answer is not the request's".to_owned())
}

impl Client for BareClient {
    async fn connect(addr: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(addr).await.map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        let url = format!("ws://{addr}/");
        let (socket, _) = tokio_tungstenite::client_async_with_config(url, stream, Some(config(READ_BUFFER)))
            .await
            .map_err(text)?;
        Ok(Self(socket))
    }

    async fn call_once(&mut self, label: usize) -> Result<(), String> {
        self.0
            .send(Message::Binary(request(label).encode_to_vec().into()))
            .await
            .map_err(text)?;
        match self.0.next().await {
            Some(Ok(Message::Binary(message))) => check(message, label),
            other => Err(format!("expected an answer, got {other:?}")),
        }
    }

    async fn load(mut self, in_flight: usize, label: usize, counter: Arc<Counter>) -> Result<(), String> {
        let request = request(label);
        for _ in 0..in_flight {
            let sent: Result<(), Error> = self.0.feed(Message::Binary(request.encode_to_vec().into())).await;
            sent.map_err(text)?;
        }
        exchange(
            self.0,
            Again {
                label,
                request,
                answered: 0,
                counter,
            },
        )
        .await
    }
}
