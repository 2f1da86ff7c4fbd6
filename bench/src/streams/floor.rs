//! The floor of the streams: tokio-tungstenite, each message with the number of its stream in front, and nothing that
//! holds a sender back but the socket.

use super::items::{Check, Flow, Item, Items, Start, Summary};
use super::load::StreamClient;
use super::shape::Direction;
use crate::peers::text;
use crate::peers::websocket::{Handle, READ_BUFFER, config, exchange};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, StreamExt};
use prost::Message as _;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

type Socket = WebSocketStream<TcpStream>;

/// The stream's number, before every message.
const PREFIX: usize = 4;
/// The number under which the client says that it is done, and under which the server then answers.
const DONE: u32 = u32::MAX;
/// How many messages a client that echoes writes before it looks for what came back.
const WRITTEN_AT_ONCE: usize = 256;

fn framed(stream: u32, item: &impl prost::Message) -> Message {
    let mut message = Vec::with_capacity(PREFIX + item.encoded_len());
    message.extend_from_slice(&stream.to_le_bytes());
    item.encode_raw(&mut message);
    Message::Binary(message.into())
}

fn unframed(message: &mut Bytes) -> Result<u32, String> {
    let prefix = message.first_chunk().ok_or("a message without its stream")?;
    let stream = u32::from_le_bytes(*prefix);
    let _ = message.split_to(PREFIX);
    Ok(stream)
}

/// Serves streams over bare WebSockets. The first message of a connection says what is wanted.
pub(crate) async fn serve(listener: TcpListener, read_buffer: usize) -> Result<(), String> {
    loop {
        let (stream, _) = listener.accept().await.map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        tokio::spawn(async move {
            let socket = tokio_tungstenite::accept_async_with_config(stream, Some(config(read_buffer))).await;
            if let Ok(socket) = socket {
                // A peer that went away is no error of the server's.
                let _ = answer(socket).await;
            }
        });
    }
}

async fn answer(mut socket: Socket) -> Result<(), String> {
    let Some(Ok(Message::Binary(mut first))) = socket.next().await else {
        return Err("no first message".to_owned());
    };
    let streams = unframed(&mut first)?;
    let direction = *first.first().ok_or("no direction")?;
    let start = Start::decode(first.slice(1..)).map_err(text)?;
    match direction {
        0 => {
            let mut all: Vec<Items> = (0..streams).map(|_| Items::new(start.payload, 0)).collect();
            loop {
                for (stream, items) in (0..).zip(&mut all) {
                    let item: Item = items.take().ok_or("no more")?;
                    socket.feed(framed(stream, &item)).await.map_err(text)?;
                }
            }
        }
        1 => {
            let payload = usize::try_from(start.payload).map_err(text)?;
            let mut checks: Vec<Check> = (0..streams).map(|_| Check::new(payload)).collect();
            while let Some(Ok(Message::Binary(mut message))) = socket.next().await {
                match unframed(&mut message)? {
                    DONE => {
                        let items = checks.iter().map(|check| check.items).sum();
                        socket
                            .send(framed(DONE, &Summary { items }))
                            .await
                            .map_err(text)?;
                    }
                    stream => take(&mut checks, stream, message)?,
                }
            }
            Ok(())
        }
        _ => exchange(socket, Echo).await,
    }
}

fn take(checks: &mut [Check], stream: u32, message: Bytes) -> Result<(), String> {
    let item = Item::decode(message).map_err(text)?;
    checks
        .get_mut(stream as usize)
        .ok_or("a message of no stream")?
        .take(&item)
}

/// Decodes and encodes each message, as a stream of typed messages has to.
struct Echo;

impl Handle for Echo {
    fn handle(&mut self, mut message: Bytes) -> Result<Option<Message>, String> {
        let stream = unframed(&mut message)?;
        let item = Item::decode(message).map_err(text)?;
        Ok(Some(framed(stream, &item)))
    }
}

/// One connection.
pub(crate) struct FloorClient(Socket);

impl StreamClient for FloorClient {
    async fn connect(addr: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(addr).await.map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        let url = format!("ws://{addr}/");
        let (socket, _) = tokio_tungstenite::client_async_with_config(url, stream, Some(config(READ_BUFFER)))
            .await
            .map_err(text)?;
        Ok(Self(socket))
    }

    async fn run(self, flows: Vec<Flow>) -> Result<(), String> {
        let mut socket = self.0;
        let shape = flows.first().ok_or("no stream")?.shape;
        let start = Start {
            payload: shape.payload as u64,
            items: 0,
        };
        let direction = match shape.direction {
            Direction::Down => 0,
            Direction::Up => 1,
            Direction::Echo => 2,
        };
        let streams = u32::try_from(flows.len()).map_err(text)?;
        let first = [&streams.to_le_bytes()[..], &[direction], &start.encode_to_vec()].concat();
        socket.send(Message::Binary(first.into())).await.map_err(text)?;
        match shape.direction {
            Direction::Down => receive(socket, &flows).await,
            Direction::Up => send(socket, &flows).await,
            Direction::Echo => {
                let mut echoing = Echoing {
                    socket,
                    checks: checks(&flows),
                    sending: flows.iter().map(|flow| flow.items(false)).collect(),
                    next: 0,
                    flows,
                };
                poll_fn(|cx| echoing.poll(cx)).await
            }
        }
    }
}

fn checks(flows: &[Flow]) -> Vec<Check> {
    flows.iter().map(|flow| Check::new(flow.shape.payload)).collect()
}

async fn receive(mut socket: Socket, flows: &[Flow]) -> Result<(), String> {
    let mut checks = checks(flows);
    loop {
        let Some(Ok(Message::Binary(message))) = socket.next().await else {
            return Err("the server ended".to_owned());
        };
        receive_one(&mut checks, flows, message)?;
    }
}

fn receive_one(checks: &mut [Check], flows: &[Flow], mut message: Bytes) -> Result<(), String> {
    let stream = unframed(&mut message)?;
    take(checks, stream, message)?;
    flows[stream as usize].count(checks[stream as usize].items);
    Ok(())
}

async fn send(mut socket: Socket, flows: &[Flow]) -> Result<(), String> {
    let mut all: Vec<_> = flows.iter().map(|flow| flow.items::<Item>(true)).collect();
    'sending: loop {
        for (stream, items) in (0..).zip(&mut all) {
            let Some(item) = items.next() else { break 'sending };
            socket.feed(framed(stream, &item)).await.map_err(text)?;
        }
    }
    socket
        .send(framed(DONE, &Summary::default()))
        .await
        .map_err(text)?;
    let Some(Ok(Message::Binary(mut message))) = socket.next().await else {
        return Err("the server gave no summary".to_owned());
    };
    unframed(&mut message)?;
    let summary = Summary::decode(message).map_err(text)?;
    let sent: u64 = flows.iter().map(Flow::counted).sum();
    (summary.items == sent)
        .then_some(())
        .ok_or_else(|| format!("{sent} messages were sent, and {} came", summary.items))
}

/// Sends on every stream and takes what comes back, on one task.
struct Echoing<I> {
    socket: Socket,
    flows: Vec<Flow>,
    checks: Vec<Check>,
    sending: Vec<I>,
    /// The stream whose turn it is.
    next: usize,
}

impl<I: Iterator<Item = Item> + Unpin> Echoing<I> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        loop {
            let mut written = 0;
            while written < WRITTEN_AT_ONCE
                && let Poll::Ready(is_ready) = Pin::new(&mut self.socket).poll_ready(cx)
            {
                is_ready.map_err(text)?;
                let Some(item) = self.sending[self.next].next() else {
                    return Poll::Ready(Ok(()));
                };
                let stream = u32::try_from(self.next).map_err(text)?;
                Pin::new(&mut self.socket)
                    .start_send(framed(stream, &item))
                    .map_err(text)?;
                self.next = (self.next + 1) % self.sending.len();
                written += 1;
            }
            loop {
                match self.socket.poll_next_unpin(cx) {
                    Poll::Ready(Some(Ok(Message::Binary(message)))) => {
                        receive_one(&mut self.checks, &self.flows, message)?;
                    }
                    Poll::Ready(_) => return Poll::Ready(Err("the server ended".to_owned())),
                    Poll::Pending => break,
                }
            }
            if written < WRITTEN_AT_ONCE {
                // The socket takes no more: either it does again, or something comes back.
                ready!(Poll::Pending::<()>);
            }
        }
    }
}
