//! The three messages that nearly all traffic consists of: a request of a method and a body, a response of a body, and a
//! whole message of a stream, with their fields in the order in which encoders write them.
//!
//! They are recognised as a whole, which takes a quarter of the time of reading them field by field. Everything else, and
//! everything invalid, is left to [`Frame::decode`](super::Frame::decode)'s general way, which reads these alike: the
//! property tests that compare with prost hold for both.

/// What was recognised.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// A request of this method.
    Request(u64),
    Response,
    Data,
}

/// The stream id of such a message, what it is, and where its body begins, which then reaches to the end.
#[inline]
pub(super) fn recognise(message: &[u8]) -> Option<(u64, Plain, usize)> {
    let [0x08, rest @ ..] = message else { return None };
    let (stream_id, rest) = varint(rest)?;
    let (plain, rest) = match rest {
        [0x12, rest @ ..] => {
            let [0x09, rest @ ..] = reaching_to_the_end(rest)? else {
                return None;
            };
            let (method, rest) = rest.split_first_chunk()?;
            (Plain::Request(u64::from_le_bytes(*method)), rest)
        }
        [0x1a, rest @ ..] => (Plain::Response, reaching_to_the_end(rest)?),
        [0x22, rest @ ..] => (Plain::Data, reaching_to_the_end(rest)?),
        _ => return None,
    };
    let body = match rest {
        [] => rest,
        [0x7a, rest @ ..] => reaching_to_the_end(rest)?,
        _ => return None,
    };
    Some((stream_id, plain, message.len() - body.len()))
}

/// What a length stands in front of, if that is all that is left.
#[inline]
fn reaching_to_the_end(bytes: &[u8]) -> Option<&[u8]> {
    let (len, rest) = varint(bytes)?;
    (len == rest.len() as u64).then_some(rest)
}

/// A number of at most nine bytes: those of ten need checks that nothing plain comes to.
#[inline]
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Compression, Data, Frame, FrameKind, Metadata, Request, Response};

    fn message(stream_id: u64, kind: FrameKind) -> bytes::Bytes {
        Frame::new(stream_id, kind).to_bytes()
    }

    #[test]
    fn plain_requests_responses_and_data_of_every_size_are_recognised() {
        for body in [0, 1, 100, 127, 128, 70_000] {
            for stream_id in [1, 127, 128, 1 << 40] {
                let bytes = bytes::Bytes::from(vec![7; body]);
                let request = Request {
                    method: 5,
                    body: bytes.clone(),
                    ..Request::default()
                };
                let response = Response {
                    body: bytes.clone(),
                    ..Response::default()
                };
                let data = Data {
                    body: bytes,
                    ..Data::default()
                };
                let request = message(stream_id, FrameKind::Request(request));
                let response = message(stream_id, FrameKind::Response(response));
                let data = message(stream_id, FrameKind::Data(data));
                assert_eq!(
                    recognise(&request),
                    Some((stream_id, Plain::Request(5), request.len() - body))
                );
                assert_eq!(
                    recognise(&response),
                    Some((stream_id, Plain::Response, response.len() - body))
                );
                assert_eq!(
                    recognise(&data),
                    Some((stream_id, Plain::Data, data.len() - body))
                );
            }
        }
    }

    #[test]
    fn what_carries_more_is_left_to_the_general_way() {
        let metadata = vec![Metadata::text("k", "v")];
        for request in [
            Request {
                method: 5,
                metadata,
                ..Request::default()
            },
            Request {
                method: 5,
                timeout_us: 9,
                ..Request::default()
            },
            Request {
                method_name: "s/M".to_owned(),
                ..Request::default()
            },
        ] {
            assert_eq!(recognise(&message(1, FrameKind::Request(request))), None);
        }
        for data in [
            Data {
                more: true,
                ..Data::default()
            },
            Data {
                compression: Compression::DEFLATE,
                ..Data::default()
            },
        ] {
            assert_eq!(recognise(&message(1, FrameKind::Data(data))), None);
        }
        let two = [
            message(1, FrameKind::Response(Response::default())),
            message(0, FrameKind::Unknown),
        ]
        .concat();
        assert_eq!(recognise(&[&two[..], &[0x10]].concat()), None);
        assert_eq!(recognise(&[]), None);
    }
}
