//! From a URL to a connection whose upgrade is over.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::{HeaderValue, Uri, header};
use rpc_protocol::SUBPROTOCOL;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Error as WsError, client::IntoClientRequest},
};

use super::error::{CallError, Refused, RefusedBecause};

/// How long connecting may take in all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects, and upgrades. The second value was read behind the upgrade's answer.
pub(super) async fn connect(url: &str) -> Result<(TcpStream, Vec<u8>), CallError> {
    let refused = |why: Why| {
        let Why { status, text, source } = why;
        CallError::Refused(Refused(Box::new(RefusedBecause {
            url: url.to_owned(),
            status,
            text,
            source,
        })))
    };
    match tokio::time::timeout(CONNECT_TIMEOUT, upgrade(url)).await {
        Ok(result) => result.map_err(refused),
        Err(_) => Err(refused(Why::text("no answer within 10 s"))),
    }
}

/// Why there is no connection.
struct Why {
    status: Option<u16>,
    text: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Why {
    fn text(text: impl Into<String>) -> Self {
        Self {
            status: None,
            text: text.into(),
            source: None,
        }
    }
}

impl From<io::Error> for Why {
    fn from(error: io::Error) -> Self {
        Self {
            status: None,
            text: error.to_string(),
            source: Some(error.into()),
        }
    }
}

impl From<WsError> for Why {
    fn from(error: WsError) -> Self {
        match error {
            WsError::Http(response) => Self {
                status: Some(response.status().as_u16()),
                text: format!("the server answered with HTTP status {}", response.status()),
                source: None,
            },
            WsError::Io(error) => error.into(),
            error => Self {
                status: None,
                text: format!("no WebSocket server of this protocol: {error}"),
                source: Some(error.into()),
            },
        }
    }
}

async fn upgrade(url: &str) -> Result<(TcpStream, Vec<u8>), Why> {
    let uri: Uri = url
        .parse()
        .map_err(|error| Why::text(format!("not a URL: {error}")))?;
    let host = match (uri.scheme_str(), uri.host()) {
        (Some("ws"), Some(host)) => host.trim_start_matches('[').trim_end_matches(']'),
        (Some("wss"), _) => return Err(Why::text("this client speaks ws:// only, without TLS")),
        _ => return Err(Why::text("a URL as in ws://127.0.0.1:3000/rpc is expected")),
    };
    let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(80))).await?;
    stream.set_nodelay(true)?;
    let mut request = uri.into_client_request()?;
    request.headers_mut().insert(
        header::SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static(SUBPROTOCOL),
    );
    let gate = HeaderGate {
        stream,
        matched: 0,
        behind: Vec::new(),
    };
    let (socket, _) = client_async(request, gate).await?;
    let HeaderGate { stream, behind, .. } = socket.into_inner();
    Ok((stream, behind))
}

/// The end of an HTTP header.
const END: &[u8] = b"\r\n\r\n";

/// Lets the handshake read the answer's header and not a byte more: the server's greeting may be right behind it, and
/// tungstenite keeps what it reads.
struct HeaderGate<S> {
    stream: S,
    /// How much of [`END`] the bytes so far end with. All of it: the gate is shut.
    matched: usize,
    behind: Vec<u8>,
}

impl<S: AsyncRead + Unpin> AsyncRead for HeaderGate<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let filled = buffer.filled().len();
        if this.matched == END.len() {
            return Poll::Ready(Ok(()));
        }
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        for (index, byte) in buffer.filled()[filled..].iter().enumerate() {
            this.matched = match *byte {
                byte if byte == END[this.matched] => this.matched + 1,
                b'\r' => 1,
                _ => 0,
            };
            if this.matched == END.len() {
                let end = filled + index + 1;
                this.behind = buffer.filled()[end..].to_vec();
                buffer.set_filled(end);
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeaderGate<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
