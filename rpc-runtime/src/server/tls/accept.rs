//! From a socket to TLS, and a clear end for what does not speak it.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ProtocolVersion, ServerConnection},
    server::TlsStream,
};

use super::ServerTls;
use crate::TlsInfo;

/// How every TLS connection begins (RFC 8446, section 5.1: a record of the type `handshake`).
const HANDSHAKE: u8 = 22;

/// What a client is told that speaks HTTP where TLS is spoken.
const SPEAK_TLS: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
     Connection: close\r\nContent-Length: 64\r\n\r\n\
     this port speaks TLS: connect with wss:// or https:// instead \r\n";

/// As much of what comes is read behind the server's last word, so that this is not lost with a reset connection, and for so long at most.
const READ_OUT: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(1);

impl ServerTls {
    /// Speaks TLS with a client. `None` where nothing comes of it: the client has been told, and the log says why. It takes
    /// as long as the client takes.
    pub(in crate::server) async fn accept(
        &self,
        mut stream: TcpStream,
        remote: SocketAddr,
    ) -> Option<(TlsStream<TcpStream>, TlsInfo)> {
        let mut first = [0];
        match stream.peek(&mut first).await {
            Ok(1) if first[0] == HANDSHAKE => {}
            Ok(1) => {
                tracing::debug!(%remote, "what came is not TLS");
                if first[0].is_ascii_uppercase() {
                    tell_to_speak_tls(&mut stream).await;
                }
                return None;
            }
            _ => return None,
        }
        // There is one as soon as a server is built.
        let config = self.active.load_full()?;
        match TlsAcceptor::from(config).accept(stream).into_fallible().await {
            Ok(stream) => {
                let info = info(stream.get_ref().1);
                Some((stream, info))
            }
            Err((error, mut stream)) => {
                tracing::debug!(%remote, %error, "no TLS came about");
                // A client whose certificate is not taken has sent its request already.
                end(&mut stream).await;
                None
            }
        }
    }
}

/// Answers plain HTTP, and reads what is left of the request.
async fn tell_to_speak_tls(stream: &mut TcpStream) {
    // It has gone already, where that fails.
    if stream.write_all(SPEAK_TLS.as_bytes()).await.is_ok() {
        end(stream).await;
    }
}

/// Says nothing more, and reads what the client has still sent.
async fn end(stream: &mut TcpStream) {
    if stream.shutdown().await.is_ok() {
        let (mut rest, mut nowhere) = (stream.take(READ_OUT), tokio::io::sink());
        let _ = tokio::time::timeout(PATIENCE, tokio::io::copy(&mut rest, &mut nowhere)).await;
    }
}

fn info(connection: &ServerConnection) -> TlsInfo {
    let version = connection.protocol_version().map(|version| match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
        ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
        other => format!("{other:?}"),
    });
    let cipher_suite = connection
        .negotiated_cipher_suite()
        .and_then(|suite| suite.suite().as_str());
    let certificates = connection.peer_certificates().unwrap_or_default();
    TlsInfo {
        version,
        cipher_suite: cipher_suite.map(str::to_owned),
        server_name: connection.server_name().map(str::to_owned),
        peer_certificates: certificates
            .iter()
            .map(|certificate| Bytes::copy_from_slice(certificate))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_plain_http_has_the_length_that_it_says() {
        let (_, body) = SPEAK_TLS.split_once("\r\n\r\n").unwrap();
        assert!(SPEAK_TLS.contains(&format!("Content-Length: {}\r\n", body.len())));
    }
}
