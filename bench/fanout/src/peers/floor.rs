//! The floor: tokio-tungstenite, a broadcast of one encoded message, a task for each connection. What has been published is
//! written with one flush.

use crate::contracts::Tick;
use crate::publisher::Publish;
use futures_util::{SinkExt, StreamExt};
use prost::Message as _;
use rpc_bench_measure::text;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Subscribers send next to nothing, and the default is touched in whole at each attempt to read.
const READ_BUFFER: usize = 4 * 1024;

/// Where events go.
pub(super) struct Messages(pub(super) broadcast::Sender<Message>);

impl Publish for Messages {
    async fn publish(&self, tick: Tick) -> Result<(), String> {
        let message = Message::Binary(tick.encode_to_vec().into());
        self.0.send(message).map(drop).map_err(text)
    }

    fn subscribers(&self) -> usize {
        self.0.receiver_count()
    }
}

/// Serves subscribers until the process ends.
pub(super) async fn serve(listener: TcpListener, events: broadcast::Sender<Message>) -> Result<(), String> {
    loop {
        let (stream, _) = listener.accept().await.map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        let events = events.subscribe();
        tokio::spawn(async move {
            // A subscriber that went away is no error of the server's; one that misses an event is noticed where events are counted.
            let _ = relay(stream, events).await;
        });
    }
}

async fn relay(stream: TcpStream, mut events: broadcast::Receiver<Message>) -> Result<(), String> {
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    let mut socket = tokio_tungstenite::accept_async_with_config(stream, Some(config))
        .await
        .map_err(text)?;
    loop {
        tokio::select! {
            // One attempt to read for each wake-up.
            biased;
            event = events.recv() => {
                socket.feed(event.map_err(text)?).await.map_err(text)?;
                while let Ok(event) = events.try_recv() {
                    socket.feed(event).await.map_err(text)?;
                }
                socket.flush().await.map_err(text)?;
            }
            message = socket.next() => match message {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(text(error)),
                None => return Ok(()),
            },
        }
    }
}
