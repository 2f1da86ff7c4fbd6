//! The headers of WebSocket frames.

/// The header of a WebSocket frame (RFC 6455, section 5.2).
#[derive(Debug)]
pub(crate) struct Header {
    /// FIN, reserved bits and opcode.
    pub(crate) first: u8,
    /// Bytes of the header itself.
    pub(crate) length: usize,
    /// Bytes of the payload.
    pub(crate) payload: u64,
    pub(crate) mask: Option<[u8; 4]>,
}

impl Header {
    /// Reads the header at the front of `bytes`, when all of it is there.
    pub(crate) fn peek(bytes: &[u8]) -> Option<Self> {
        let (&first, &second) = (bytes.first()?, bytes.get(1)?);
        let (payload, at) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
            127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
            short => (u64::from(short), 2),
        };
        if second & 0x80 == 0 {
            return Some(Self {
                first,
                length: at,
                payload,
                mask: None,
            });
        }
        let mask = *bytes.get(at..)?.first_chunk()?;
        Some(Self {
            first,
            length: at + 4,
            payload,
            mask: Some(mask),
        })
    }
}
