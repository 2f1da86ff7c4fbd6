//! Reads the answer to the upgrade, and nothing of what the server sends behind it; of a refusal, what it says in words.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::{HeaderMap, header};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    time::timeout,
};

use crate::text::is_hidden;

/// The end of an HTTP header.
const END: &[u8] = b"\r\n\r\n";

/// What a refusal says is told where it has at most so many bytes.
const MOST_SAID: usize = 1024;

/// What has come with the header is told whatever the time is: so do our own servers send it, in one write. For the rest only a clock
/// can say that it does not come: a server that has announced a text may never send it, and the refusal, whose status and time
/// to come back are known by then, is not to wait for that until the connection has taken too long.
const PATIENCE: Duration = Duration::from_millis(100);

/// Lets the handshake read the answer's header and not a byte more: the server's greeting may be right behind it, and
/// tungstenite keeps what it reads.
pub(super) struct HeaderGate<S> {
    pub(super) stream: S,
    /// How much of [`END`] the bytes so far end with. All of it: the gate is shut.
    matched: usize,
    /// What was read behind the answer.
    pub(super) behind: Vec<u8>,
}

impl<S> HeaderGate<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            matched: 0,
            behind: Vec::new(),
        }
    }
}

impl<S: AsyncRead + Unpin> HeaderGate<S> {
    /// The first line of a text that is behind the answer's header.
    pub(super) async fn text_behind(self, headers: &HeaderMap) -> Option<String> {
        let told = |name| headers.get(name)?.to_str().ok();
        let length: usize = told(header::CONTENT_LENGTH)?.parse().ok()?;
        if !told(header::CONTENT_TYPE)?.starts_with("text/plain") || length > MOST_SAID {
            return None;
        }
        let mut body = self.behind;
        let rest = length.saturating_sub(body.len());
        let mut stream = self.stream.take(rest as u64);
        timeout(PATIENCE, stream.read_to_end(&mut body))
            .await
            .ok()?
            .ok()?;
        body.truncate(length);
        let text = String::from_utf8(body).ok()?;
        let line = text.lines().next()?.trim();
        let is_shown = !line.is_empty() && !line.contains(is_hidden);
        is_shown.then(|| line.to_owned())
    }
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

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    fn headers(kind: &'static str, length: usize) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        headers
    }

    /// What a refusal says of whose body a part came with the header, and the rest later, or never.
    async fn said(headers: &HeaderMap, with_it: &[u8], later: &[u8]) -> Option<String> {
        let (stream, mut server) = duplex(64);
        let mut gate = HeaderGate::new(stream);
        gate.behind = with_it.to_vec();
        server.write_all(later).await.unwrap();
        let said = gate.text_behind(headers).await;
        drop(server);
        said
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_refusal_says_is_its_first_line_whenever_it_comes() {
        let text = headers("text/plain; charset=utf-8", 9);
        let told = Some("too often".to_owned());
        assert_eq!(said(&text, b"too often", b"").await, told);
        assert_eq!(said(&text, b"too", b" often").await, told);
        assert_eq!(
            said(&text, b"", b"too often, and what is no part of it").await,
            told
        );
        let text = headers("text/plain", 14);
        assert_eq!(said(&text, b"too often\n", b"more").await, told);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_told_of_what_does_not_come_or_is_no_short_text() {
        assert_eq!(said(&headers("text/plain", 9), b"too", b"").await, None);
        assert_eq!(said(&headers("text/html", 3), b"too", b"").await, None);
        assert_eq!(
            said(&headers("text/plain", MOST_SAID + 1), b"too", b"").await,
            None
        );
        assert_eq!(said(&headers("text/plain", 3), b"\x1b[1", b"").await, None);
        for hidden in [
            "a\u{202e}b",
            "a\u{2028}b",
            "a\u{200b}b",
            "a\u{feff}b",
            "a\u{e0041}b",
        ] {
            let text = headers("text/plain", hidden.len());
            assert_eq!(said(&text, hidden.as_bytes(), b"").await, None, "{hidden:?}");
        }
        assert_eq!(said(&headers("text/plain", 2), b"\xc3\x28", b"").await, None);
        assert_eq!(said(&headers("text/plain", 0), b"", b"").await, None);
        assert_eq!(said(&HeaderMap::new(), b"too", b"").await, None);
    }
}
