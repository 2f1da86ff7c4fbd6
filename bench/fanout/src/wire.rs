//! What a subscriber writes and reads of WebSocket: an upgrade, short masked frames, and whole messages out of bytes.

use rpc_protocol::SUBPROTOCOL;
use std::io;
use std::net::SocketAddr;

/// A binary message in one piece.
pub(crate) const BINARY: u8 = 0x82;
/// A close frame.
pub(crate) const CLOSE: u8 = 0x88;
/// The bit that says that a key follows the length.
const MASKED: u8 = 0x80;
/// Lengths up to this stand in the second byte itself; then this and two bytes follow, or one more and eight.
const SHORT: u8 = 125;

/// Asks for the upgrade. Who does not know the subprotocol does not look at it.
pub(crate) fn upgrade(server: SocketAddr) -> String {
    format!(
        "GET /rpc HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    )
}

/// Where the answer to an upgrade ends, once it is whole. Any other answer than "switching protocols" is an error.
pub(crate) fn upgraded(bytes: &[u8]) -> io::Result<Option<usize>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    match bytes.starts_with(b"HTTP/1.1 101 ") {
        true => Ok(Some(end + 4)),
        false => Err(io::Error::other(format!(
            "the upgrade was refused: {}",
            String::from_utf8_lossy(&bytes[..end])
        ))),
    }
}

/// A message of a client. Its mask is of zeros, which changes nothing and is allowed.
pub(crate) fn masked(payload: &[u8]) -> io::Result<Vec<u8>> {
    let mut message = vec![BINARY];
    match u8::try_from(payload.len()) {
        Ok(length @ ..=SHORT) => message.push(MASKED | length),
        _ => {
            let length = u16::try_from(payload.len()).map_err(io::Error::other)?;
            message.push(MASKED | (SHORT + 1));
            message.extend_from_slice(&length.to_be_bytes());
        }
    }
    message.extend_from_slice(&[0; 4]);
    message.extend_from_slice(payload);
    Ok(message)
}

/// A frame of a server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    /// The first byte: what it is.
    pub(crate) kind: u8,
    /// Where its payload begins.
    pub(crate) from: usize,
    /// Where it ends, and the next one begins.
    pub(crate) to: usize,
}

/// The frame that `bytes` begins with, once it is whole.
pub(crate) fn whole(bytes: &[u8]) -> Option<Whole> {
    let (&kind, &length) = (bytes.first()?, bytes.get(1)?);
    let (from, length): (usize, usize) = match length {
        126 => (
            4,
            usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)),
        ),
        127 => {
            let length = u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
            (10, usize::try_from(length).ok()?)
        }
        short => (2, usize::from(short)),
    };
    let to = from.checked_add(length)?;
    (to <= bytes.len()).then_some(Whole { kind, from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_every_length_is_read_once_it_is_whole() {
        for (head, length) in [
            (vec![BINARY, 125], 125),
            (vec![BINARY, 126, 1, 0], 256),
            (vec![BINARY, 127, 0, 0, 0, 0, 0, 1, 0, 0], 65_536),
        ] {
            let bytes = [&head[..], &vec![7; length]].concat();
            assert_eq!(whole(&bytes[..bytes.len() - 1]), None);
            let expected = Whole {
                kind: BINARY,
                from: head.len(),
                to: bytes.len(),
            };
            assert_eq!(whole(&[&bytes[..], &[1]].concat()), Some(expected));
        }
    }

    #[test]
    fn messages_are_masked_with_zeros_behind_a_length_of_either_size() {
        assert_eq!(
            masked(b"ab").expect("short"),
            [BINARY, 0x82, 0, 0, 0, 0, b'a', b'b']
        );
        assert_eq!(
            masked(&[1; 300]).expect("fits")[..8],
            [BINARY, 0xfe, 1, 44, 0, 0, 0, 0]
        );
        assert!(masked(&[1; 70_000]).is_err());
    }

    #[test]
    fn an_answer_is_an_upgrade_or_an_error() {
        assert_eq!(upgraded(b"HTTP/1.1 101 Switching").expect("not whole"), None);
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\nmore";
        assert_eq!(upgraded(answer).expect("an upgrade"), Some(answer.len() - 4));
        assert!(upgraded(b"HTTP/1.1 429 Too Many Requests\r\n\r\n").is_err());
    }
}
