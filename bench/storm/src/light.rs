//! A client that takes next to nothing: a socket that asks for the upgrade, answers pings, and keeps no more than that.
//!
//! What is measured is the server; a hundred thousand of the project's own clients would want the machine for themselves.

use bytes::Bytes;
use rpc_protocol::frame::Pong;
use rpc_protocol::{Frame, FrameKind, SUBPROTOCOL};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// An answer to a handshake has less, and so has the greeting behind it.
const ANSWER_BYTES: usize = 1024;
/// What an idle connection is sent is shorter.
const READ_BYTES: usize = 256;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;

/// What a server makes of a handshake.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The connection is open, and the server has greeted.
    Open(Idle),
    /// It is told why not.
    Refused {
        /// The HTTP status.
        status: u16,
        /// What `Retry-After` says; nothing without one.
        after: Duration,
    },
}

/// An open connection on which nobody calls.
#[derive(Debug)]
pub(crate) struct Idle {
    stream: TcpStream,
    /// The part of a frame that has come.
    unread: Vec<u8>,
}

/// The address that client number `number` comes from: each has its own, so that a server's limits for one address
/// hold as they would in the world, and ports never run out.
pub(crate) fn source(number: u32) -> Ipv4Addr {
    // 127.1.0.0 and up; the callers are at 127.0.0.1.
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() + number)
}

/// Connects, asks for the upgrade, and waits for the server's greeting.
pub(crate) async fn connect(server: SocketAddr, source: Ipv4Addr) -> io::Result<Answer> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((source, 0).into())?;
    let mut stream = socket.connect(server).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET /rpc HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut unread = Vec::with_capacity(ANSWER_BYTES);
    let head = loop {
        if let Some(end) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        read_more(&mut stream, &mut unread).await?;
    };
    let (status, after) = read_head(&unread[..head])?;
    if status != 101 {
        return Ok(Answer::Refused { status, after });
    }
    unread.drain(..head);
    while whole_frame(&unread)?.is_none() {
        read_more(&mut stream, &mut unread).await?;
    }
    stream
        .write_all(&masked(BINARY, &frame(FrameKind::Greeting(Box::default()))))
        .await?;
    let mut idle = Idle {
        stream,
        unread: Vec::new(),
    };
    if idle.take(&unread)? == Took::Close {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    Ok(Answer::Open(idle))
}

async fn read_more(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(unread).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// The status of an answer, and after how long it asks to come back.
fn read_head(head: &[u8]) -> io::Result<(u16, Duration)> {
    let head = std::str::from_utf8(head).map_err(io::Error::other)?;
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("no HTTP status"))?;
    let seconds = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let named = name.eq_ignore_ascii_case("retry-after");
        named.then(|| value.trim().parse().ok()).flatten()
    });
    Ok((status, Duration::from_secs(seconds.unwrap_or_default())))
}

/// What came on an idle connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Took {
    Nothing,
    Close,
}

impl Idle {
    /// Answers pings until the server closes the connection, or it is lost. Cancelling it loses nothing.
    pub(crate) async fn rest(&mut self) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            let mut read = [0; READ_BYTES];
            match self.stream.try_read(&mut read) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    if self.take(&read[..count])? == Took::Close {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Handles what has come, and keeps the part of a frame that ends it.
    fn take(&mut self, came: &[u8]) -> io::Result<Took> {
        self.unread.extend_from_slice(came);
        let mut from = 0;
        while let Some((kind, body)) = whole_frame(&self.unread[from..])? {
            let body = from + body.start..from + body.end;
            from = body.end;
            let body = &self.unread[body];
            if kind == CLOSE {
                // The status code alone is echoed, as RFC 6455 asks.
                self.write(&masked(CLOSE, body.get(..2).unwrap_or_default()))?;
                return Ok(Took::Close);
            }
            let message = Frame::decode(Bytes::copy_from_slice(body)).map_err(io::Error::other)?;
            if let FrameKind::Ping(ping) = message.kind {
                let pong = Pong {
                    payload: ping.payload,
                };
                self.write(&masked(BINARY, &frame(FrameKind::Pong(pong))))?;
            }
        }
        self.unread.drain(..from);
        if self.unread.is_empty() {
            // There are many of these, and most of them are idle for ever.
            self.unread = Vec::new();
        }
        Ok(Took::Nothing)
    }

    /// Writes a few bytes to a socket whose buffer is empty.
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match self.stream.try_write(bytes)? {
            written if written == bytes.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}

/// The first byte of the frame that `bytes` begins with, and where its payload stands, once it is whole.
fn whole_frame(bytes: &[u8]) -> io::Result<Option<(u8, Range<usize>)>> {
    let (kind, from, length) = match *bytes {
        [kind, length @ 0..=125, ..] => (kind, 2, usize::from(length)),
        [kind, 126, high, low, ..] => (kind, 4, usize::from(u16::from_be_bytes([high, low]))),
        [_, 127..=255, ..] => return Err(io::Error::other("a long message on an idle connection")),
        _ => return Ok(None),
    };
    let payload = from..from + length;
    Ok((bytes.len() >= payload.end).then_some((kind, payload)))
}

fn frame(kind: FrameKind) -> Bytes {
    Frame::new(0, kind).to_bytes()
}

/// A short WebSocket frame of a client. Its mask is of zeros, which changes nothing and is allowed.
fn masked(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap_or(u8::MAX);
    assert!(length < 126, "only short frames are sent");
    [&[kind, 0x80 | length, 0, 0, 0, 0][..], payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_an_address_of_its_own_beside_the_callers() {
        assert_eq!(source(0), Ipv4Addr::new(127, 1, 0, 0));
        assert_eq!(source(65_536), Ipv4Addr::new(127, 2, 0, 0));
        assert!(source(1_000_000).is_loopback());
    }

    #[test]
    fn a_refusal_is_read_with_the_time_that_it_asks_for() {
        let head = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 7\r\n\r\n";
        assert_eq!(read_head(head).expect("a head"), (503, Duration::from_secs(7)));
        let head = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";
        assert_eq!(read_head(head).expect("a head"), (101, Duration::ZERO));
        assert!(read_head(b"SSH-2.0\r\n\r\n").is_err());
    }

    #[test]
    fn a_frame_is_read_once_it_is_whole() {
        let bytes = masked(BINARY, b"");
        assert_eq!(bytes.len(), 6);
        assert_eq!(whole_frame(&[BINARY]).expect("short"), None);
        assert_eq!(whole_frame(&[BINARY, 2, 1]).expect("short"), None);
        assert_eq!(
            whole_frame(&[BINARY, 2, 1, 1, 9]).expect("short"),
            Some((BINARY, 2..4))
        );
        assert_eq!(whole_frame(&[BINARY, 126, 1]).expect("short"), None);
        let long = [&[BINARY, 126, 1, 0][..], &[7; 256]].concat();
        assert_eq!(whole_frame(&long).expect("whole"), Some((BINARY, 4..260)));
        assert_eq!(whole_frame(&long[..259]).expect("short"), None);
        assert!(whole_frame(&[BINARY, 127]).is_err());
    }
}
