//! An echo endpoint on the server's own stack: what `cargo xtask autobahn` sets Autobahn's fuzzing client on.
//!
//! Accepting, upgrading, reading, flushing, pings and closing are those of every connection; only what a message means
//! is not looked at. Prints its URL and serves until its standard input ends, so that it cannot outlive who started it.

use rpc_runtime::{Limits, Rate, Server, ServerLimits, StartError};
use std::{error::Error, time::Duration};
use tokio::{
    io::{AsyncReadExt, stdin},
    net::TcpListener,
};

/// The longest message of Autobahn's cases has 16 MiB.
const LONGEST: usize = 64 << 20;

fn server() -> Result<Server, StartError> {
    let limits = Limits {
        message_bytes: LONGEST,
        // Heartbeats are frames of ours, which nobody expects here.
        ping_interval: Duration::from_secs(3_600),
        ..Limits::default()
    };
    // The suite connects once for each case, as fast as it can.
    let server_limits = ServerLimits {
        connects_per_address: Rate::per_second(10_000),
        ..ServerLimits::default()
    };
    let server = Server::builder().limits(limits).server_limits(server_limits);
    Ok(server.build()?.echo())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = server()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("ws://{}/rpc", listener.local_addr()?);
    let input_ends = async {
        // Whatever ends it: an end or an error.
        let _ = stdin().read_to_end(&mut Vec::new()).await;
    };
    server.serve_with_listener(listener, input_ends).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::{connect_async, tungstenite::Message};

    #[tokio::test]
    async fn text_and_binary_messages_of_all_lengths_come_back_as_they_were() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("ws://{}/rpc", listener.local_addr().expect("an address"));
        let serving = server().expect("a server");
        tokio::spawn(async move {
            serving
                .serve_with_listener(listener, std::future::pending())
                .await
        });
        let (mut socket, _) = connect_async(url).await.expect("is upgraded");
        for length in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
            for message in [
                Message::text("x".repeat(length)),
                Message::binary(vec![7; length]),
            ] {
                socket.send(message.clone()).await.expect("is sent");
                let echo = socket.next().await.expect("a message").expect("is whole");
                assert!(echo == message, "{length} bytes came back changed");
            }
        }
        socket.close(None).await.expect("is closed");
        assert!(matches!(socket.next().await, Some(Ok(Message::Close(None)))));
    }
}
