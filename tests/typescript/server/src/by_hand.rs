//! A server that a case plays itself, frame by frame: for what no good server does.
//!
//! The case connects here by a WebSocket, and is told `{"url": …}`, at which its client then connects. From there on
//!
//! - the case is told `{"came": n, "protocols": […]}`, `{"text": n, "said": …}` and `{"left": n, "code": …, "reason": …}`;
//! - binary messages begin with the connection's number, four bytes, the most significant first, and go on with what the client has sent,
//!   or is to be sent;
//! - text messages from the case say what is to be done: [`Command`].

use std::{collections::HashMap, net::SocketAddr};

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};
use tokio_tungstenite::{
    WebSocketStream, accept_async, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::{HeaderValue, StatusCode, header},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use crate::world::{Failure, explain};

/// What the case has done.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", deny_unknown_fields)]
enum Command {
    /// Handshakes that come select this subprotocol, or none.
    Select { protocol: Option<String> },
    /// Handshakes that come are answered so.
    Answer { status: u16 },
    /// Handshakes that come are not answered.
    Hold,
    /// Sends a text message.
    Text { connection: u32, text: String },
    /// Closes with a close frame.
    Close {
        connection: u32,
        code: u16,
        reason: String,
    },
    /// Drops the connection.
    Drop { connection: u32 },
}

/// How handshakes are answered.
#[derive(Debug, Clone)]
enum Handshakes {
    Select(Option<String>),
    Answer(u16),
    Hold,
}

/// What is to be done with one connection.
#[derive(Debug)]
enum Order {
    Send(Message),
    Drop,
}

/// Serves cases that play servers, for ever.
pub(crate) async fn serve(listener: TcpListener) {
    loop {
        if let Ok((case, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Err(error) = play(case).await {
                    eprintln!("a server that is played by hand: {error}");
                }
            });
        }
    }
}

/// Does what one case says, until it goes.
async fn play(case: TcpStream) -> Result<(), Failure> {
    let mut case = accept_async(case).await.map_err(explain("no case"))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/rpc", listener.local_addr()?);
    let (told, mut tells) = mpsc::unbounded_channel();
    told.send(Message::text(json!({ "url": url }).to_string()))?;
    let (handshakes, _) = watch::channel(Handshakes::Select(Some("rpc.v1".into())));
    let mut orders: HashMap<u32, mpsc::UnboundedSender<Order>> = HashMap::new();
    let mut last = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _): (_, SocketAddr) = accepted?;
                last += 1;
                let (order, ordered) = mpsc::unbounded_channel();
                orders.insert(last, order);
                let shake = handshakes.borrow().clone();
                tokio::spawn(client_comes(client, last, shake, told.clone(), ordered));
            }
            told = tells.recv() => match told {
                Some(message) => case.send(message).await?,
                None => return Ok(()),
            },
            said = case.next() => {
                let (connection, order) = match said {
                    Some(Ok(Message::Binary(bytes))) => {
                        let Some((number, body)) = bytes.split_first_chunk() else { continue };
                        let body = bytes.slice_ref(body);
                        (u32::from_be_bytes(*number), Order::Send(Message::Binary(body)))
                    }
                    Some(Ok(Message::Text(text))) => match serde_json::from_str(&text)? {
                        Command::Select { protocol } => {
                            handshakes.send_replace(Handshakes::Select(protocol));
                            continue;
                        }
                        Command::Answer { status } => {
                            handshakes.send_replace(Handshakes::Answer(status));
                            continue;
                        }
                        Command::Hold => {
                            handshakes.send_replace(Handshakes::Hold);
                            continue;
                        }
                        Command::Text { connection, text } => (connection, Order::Send(Message::text(text))),
                        Command::Close { connection, code, reason } => {
                            let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
                            (connection, Order::Send(Message::Close(Some(frame))))
                        }
                        Command::Drop { connection } => (connection, Order::Drop),
                    },
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => return Ok(()),
                };
                // A client that has gone meanwhile is told nothing.
                if let Some(orders) = orders.get(&connection) {
                    drop(orders.send(order));
                }
            }
        }
    }
}

/// One connection of the client, from its handshake to its end.
#[allow(clippy::result_large_err, reason = "the library's own signature")]
async fn client_comes(
    client: TcpStream,
    number: u32,
    handshakes: Handshakes,
    told: mpsc::UnboundedSender<Message>,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    if matches!(handshakes, Handshakes::Hold) {
        // Held until the case says something of it, or goes.
        orders.recv().await;
        return;
    }
    let mut protocols = Vec::new();
    let answer =
        |request: &Request, response: Response| answer(request, response, &handshakes, &mut protocols);
    let client = accept_hdr_async(client, answer).await;
    let say = |what: serde_json::Value| drop(told.send(Message::text(what.to_string())));
    say(json!({ "came": number, "protocols": protocols }));
    let left = match client {
        Ok(client) => carry(client, number, &told, &mut orders).await,
        Err(_) => None,
    };
    let code = left.as_ref().map_or(1006, |frame| u16::from(frame.code));
    let reason = left.map(|frame| frame.reason.to_string());
    say(json!({ "left": number, "code": code, "reason": reason.unwrap_or_default() }));
}

#[allow(clippy::result_large_err, reason = "the library's own signature")]
fn answer(
    request: &Request,
    mut response: Response,
    handshakes: &Handshakes,
    protocols: &mut Vec<String>,
) -> Result<Response, ErrorResponse> {
    for value in request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        let names = value.to_str().unwrap_or_default().split(',');
        protocols.extend(names.map(|name| name.trim().to_owned()));
    }
    match handshakes {
        Handshakes::Select(Some(protocol)) => {
            if let Ok(protocol) = HeaderValue::from_str(protocol) {
                response
                    .headers_mut()
                    .insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
            }
            Ok(response)
        }
        Handshakes::Answer(status) => {
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST);
            Err(refusal)
        }
        Handshakes::Select(None) | Handshakes::Hold => Ok(response),
    }
}

/// Carries messages both ways until the connection ends; gives the client's close frame.
async fn carry(
    mut client: WebSocketStream<TcpStream>,
    number: u32,
    told: &mpsc::UnboundedSender<Message>,
    orders: &mut mpsc::UnboundedReceiver<Order>,
) -> Option<CloseFrame> {
    let mut left = None;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Send(message)) => {
                    // Behind a close frame nothing can be sent; the client's answer to it still comes.
                    let _ = client.send(message).await;
                }
                Some(Order::Drop) | None => return left,
            },
            message = client.next() => {
                let say = match message {
                    Some(Ok(Message::Binary(body))) => Message::binary([&number.to_be_bytes()[..], &body].concat()),
                    Some(Ok(Message::Text(text))) => {
                        Message::text(json!({ "text": number, "said": text.as_str() }).to_string())
                    }
                    Some(Ok(Message::Close(frame))) => {
                        left = frame;
                        continue;
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => return left,
                };
                if told.send(say).is_err() {
                    return left;
                }
            }
        }
    }
}
