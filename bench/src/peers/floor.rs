//! The floor: tokio-tungstenite and the messages, nothing else. Requests are handled where they are read, and a
//! readable batch is answered with one flush.

use super::text;
use super::websocket::{Handle, config, exchange};
use crate::messages::{AddTaskRequest, add};
use bytes::Bytes;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

struct Answer;

impl Handle for Answer {
    fn handle(&mut self, message: Bytes) -> Result<Option<Message>, String> {
        let response = add(AddTaskRequest::decode(message).map_err(text)?);
        Ok(Some(Message::Binary(response.encode_to_vec().into())))
    }
}

/// Serves bare requests over WebSockets.
pub(crate) async fn serve(listener: TcpListener, read_buffer: usize) -> Result<(), String> {
    loop {
        let (stream, _) = listener.accept().await.map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        tokio::spawn(async move {
            let socket = tokio_tungstenite::accept_async_with_config(stream, Some(config(read_buffer))).await;
            if let Ok(socket) = socket {
                // A peer that went away is no error of the server's.
                let _ = exchange(socket, Answer).await;
            }
        });
    }
}
