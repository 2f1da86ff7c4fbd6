//! axum's WebSocket as its documentation shows it: receive, answer, send. Each `send` flushes.

use super::text;
use crate::messages::{AddTaskRequest, add};
use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::any;
use axum::serve::ListenerExt;
use prost::Message as _;
use tokio::net::TcpListener;

/// Serves bare requests over axum's WebSockets.
pub(crate) async fn serve(listener: TcpListener) -> Result<(), String> {
    let listener = listener.tap_io(|stream| {
        // Without it the figures are the delayed acknowledgement's.
        let _ = stream.set_nodelay(true);
    });
    let router = Router::new().route(
        "/",
        any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(answer) }),
    );
    axum::serve(listener, router).await.map_err(text)
}

async fn answer(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let Message::Binary(message) = message else {
            continue;
        };
        let Ok(request) = AddTaskRequest::decode(message) else {
            return;
        };
        let response = add(request).encode_to_vec();
        if socket.send(Message::Binary(response.into())).await.is_err() {
            return;
        }
    }
}
