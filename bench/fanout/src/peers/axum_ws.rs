//! axum's WebSocket and tokio's broadcast, in the two ways in which its users write it: one task that waits for either, and
//! two over a split socket, as in axum's chat example.

use crate::contracts::Tick;
use crate::publisher::Publish;
use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::any;
use axum::serve::ListenerExt;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use prost::Message as _;
use rpc_bench_measure::text;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// Where events go.
pub(super) struct Messages(pub(super) broadcast::Sender<Bytes>);

impl Publish for Messages {
    async fn publish(&self, tick: Tick) -> Result<(), String> {
        self.0.send(tick.encode_to_vec().into()).map(drop).map_err(text)
    }

    fn subscribers(&self) -> usize {
        self.0.receiver_count()
    }
}

/// Serves subscribers until the process ends.
pub(super) async fn serve(
    listener: TcpListener,
    events: broadcast::Sender<Bytes>,
    split: bool,
) -> Result<(), String> {
    let listener = listener.tap_io(|stream| {
        // Without it the figures are the delayed acknowledgement's.
        let _ = stream.set_nodelay(true);
    });
    let upgrade = async move |upgrade: WebSocketUpgrade| {
        let events = events.subscribe();
        upgrade.on_upgrade(move |socket| async move {
            match split {
                true => relay_split(socket, events).await,
                false => relay(socket, events).await,
            }
        })
    };
    let router = Router::new().route("/rpc", any(upgrade));
    axum::serve(listener, router).await.map_err(text)
}

async fn relay(mut socket: WebSocket, mut events: broadcast::Receiver<Bytes>) {
    loop {
        tokio::select! {
            event = events.recv() => {
                let Ok(event) = event else { return };
                if socket.send(Message::Binary(event)).await.is_err() {
                    return;
                }
            }
            message = socket.recv() => match message {
                Some(Ok(_)) => {}
                _ => return,
            },
        }
    }
}

async fn relay_split(socket: WebSocket, mut events: broadcast::Receiver<Bytes>) {
    let (mut sender, mut receiver) = socket.split();
    let mut sending = tokio::spawn(async move {
        while let Ok(event) = events.recv().await {
            if sender.send(Message::Binary(event)).await.is_err() {
                return;
            }
        }
    });
    let mut receiving = tokio::spawn(async move { while let Some(Ok(_)) = receiver.next().await {} });
    tokio::select! {
        _ = &mut sending => receiving.abort(),
        _ = &mut receiving => sending.abort(),
    }
}
