//! The codec written by hand against the one that prost-build makes of `frame.proto`: the same bytes out, the same
//! verdict on whatever comes in.

mod support;

use bytes::{BufMut, Bytes};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message as _;
use rpc_protocol::frame::{Data, Request, Response};
use rpc_protocol::{Body, Frame, FrameError, FrameKind};
use support::{frame, number, pb, to_prost};

/// Both codecs read the same frame, or both refuse.
fn check_same_verdict(bytes: &[u8]) -> Result<(), TestCaseError> {
    let ours = Frame::decode(Bytes::copy_from_slice(bytes));
    let reference = pb::Frame::decode(bytes);
    match (ours, reference) {
        (Ok(ours), Ok(reference)) => prop_assert_eq!(to_prost(&ours), reference),
        (Err(_), Err(_)) => {}
        (ours, reference) => prop_assert!(false, "ours: {ours:?}\nprost: {reference:?}\nbytes: {bytes:02x?}"),
    }
    Ok(())
}

/// Fields of any number and wire type, nested at random: what a generator of whole frames never writes.
fn wild_fields(depth: u32) -> BoxedStrategy<Vec<u8>> {
    let payload = if depth == 0 {
        vec(any::<u8>(), 0..6).boxed()
    } else {
        prop_oneof![1 => vec(any::<u8>(), 0..6), 2 => "[a-z]{0,5}".prop_map(String::into_bytes), 6 => wild_fields(depth - 1)]
            .boxed()
    };
    let field = (1..20_u64, 0..10_u8, number(), payload).prop_map(|(field, wire, number, payload)| {
        let mut out = Vec::new();
        let key = |wire: u64| field << 3 | wire;
        match wire {
            0..=2 => {
                prost::encoding::encode_varint(key(0), &mut out);
                prost::encoding::encode_varint(number, &mut out);
            }
            3 => {
                prost::encoding::encode_varint(key(1), &mut out);
                out.put_u64_le(number);
            }
            4 => {
                prost::encoding::encode_varint(key(5), &mut out);
                out.put_u32_le(number as u32);
            }
            5 => {
                prost::encoding::encode_varint(key(3), &mut out);
                out.extend(payload);
                prost::encoding::encode_varint(key(4), &mut out);
            }
            _ => {
                prost::encoding::encode_varint(key(2), &mut out);
                prost::encoding::encode_varint(payload.len() as u64, &mut out);
                out.extend(payload);
            }
        }
        out
    });
    vec(field, 0..6).prop_map(|fields| fields.concat()).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_frame_has_the_bytes_that_prost_gives_it(frame in frame()) {
        prop_assert_eq!(frame.to_bytes(), Bytes::from(to_prost(&frame).encode_to_vec()));
    }

    #[test]
    fn a_frame_survives_the_wire(frame in frame()) {
        prop_assert_eq!(Frame::decode(frame.to_bytes()).unwrap(), frame);
    }

    #[test]
    fn frames_written_one_after_the_other_are_merged_as_protobuf_says(frames in vec(frame(), 2..4)) {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::to_bytes).collect();
        check_same_verdict(&bytes)?;
    }

    #[test]
    fn a_frame_cut_short_gets_the_same_verdict(frame in frame(), at in any::<Index>()) {
        let bytes = frame.to_bytes();
        check_same_verdict(&bytes[..at.index(bytes.len() + 1)])?;
    }

    #[test]
    fn a_frame_with_a_byte_changed_gets_the_same_verdict(frame in frame(), at in any::<Index>(), byte: u8) {
        let mut bytes = frame.to_bytes().to_vec();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check_same_verdict(&bytes)?;
    }

    #[test]
    fn a_plain_call_with_a_byte_changed_gets_the_same_verdict(
        stream_id in prop_oneof![1..300_u64, any::<u64>()],
        method: u64,
        body in vec(any::<u8>(), 0..140),
        answer: bool,
        at in any::<Index>(),
        byte: u8,
    ) {
        let body = Bytes::from(body);
        let kind = if answer {
            FrameKind::Response(Response { body, ..Response::default() })
        } else {
            FrameKind::Request(Request { method, body, ..Request::default() })
        };
        let mut bytes = Frame::new(stream_id, kind).to_bytes().to_vec();
        check_same_verdict(&bytes)?;
        let at = at.index(bytes.len());
        bytes[at] = byte;
        check_same_verdict(&bytes)?;
    }

    #[test]
    fn a_frame_with_foreign_bytes_inside_gets_the_same_verdict(
        frame in frame(), at in any::<Index>(), foreign in wild_fields(1),
    ) {
        let mut bytes = frame.to_bytes().to_vec();
        let at = at.index(bytes.len() + 1);
        bytes.splice(at..at, foreign);
        check_same_verdict(&bytes)?;
    }

    #[test]
    fn unknown_fields_around_a_frame_are_skipped(
        frame in frame(), field in 16..1_000_u64, number in number(), text in "[a-z]{0,9}",
    ) {
        let mut bytes = Vec::new();
        prost::encoding::encode_varint(field << 3, &mut bytes);
        prost::encoding::encode_varint(number, &mut bytes);
        bytes.extend(frame.to_bytes());
        prost::encoding::encode_varint(field << 3 | 2, &mut bytes);
        prost::encoding::encode_varint(text.len() as u64, &mut bytes);
        bytes.extend(text.as_bytes());
        prop_assert_eq!(Frame::decode(Bytes::from(bytes)).unwrap(), frame);
    }

    #[test]
    fn fields_in_any_order_and_of_any_type_get_the_same_verdict(bytes in wild_fields(3)) {
        check_same_verdict(&bytes)?;
    }

    #[test]
    fn any_bytes_get_the_same_verdict_and_never_panic(bytes in vec(any::<u8>(), 0..64)) {
        check_same_verdict(&bytes)?;
    }
}

fn request(body: Vec<u8>) -> Frame {
    let request = Request {
        method: 0x1122_3344_5566_7788,
        body: Bytes::from(body),
        ..Request::default()
    };
    Frame::new(5, FrameKind::Request(request))
}

#[test]
fn of_several_kinds_the_last_wins_and_takes_nothing_from_those_before() {
    let mut bytes = request(vec![1; 9]).to_bytes().to_vec();
    bytes.extend(Frame::new(6, FrameKind::Data(Data::default())).to_bytes());
    let frame = Frame::decode(Bytes::from(bytes)).unwrap();
    assert_eq!(frame, Frame::new(6, FrameKind::Data(Data::default())));
}

#[test]
fn a_kind_that_comes_twice_is_merged() {
    let first = Request {
        timeout_us: 7,
        body: Bytes::from_static(b"first"),
        ..Request::default()
    };
    let second = Request {
        method: 3,
        ..Request::default()
    };
    let mut bytes = Frame::new(1, FrameKind::Request(first)).to_bytes().to_vec();
    bytes.extend(Frame::new(0, FrameKind::Request(second)).to_bytes());
    let FrameKind::Request(merged) = Frame::decode(Bytes::from(bytes)).unwrap().kind else {
        panic!("still a request");
    };
    assert_eq!(
        (merged.method, merged.timeout_us, &merged.body[..]),
        (3, 7, &b"first"[..])
    );
}

#[test]
fn a_body_is_a_part_of_the_received_buffer() {
    let bytes = request(vec![9; 300]).to_bytes();
    let FrameKind::Request(request) = Frame::decode(bytes.clone()).unwrap().kind else {
        panic!("a request");
    };
    let received = bytes.as_ptr_range();
    assert!(received.contains(&request.body.as_ptr()));
    assert_eq!(request.body.as_ptr_range().end, received.end, "the body is last");
}

#[test]
fn a_short_binary_value_does_not_keep_a_long_message_alive() {
    let mut long = request(vec![9; 3_000]);
    if let FrameKind::Request(request) = &mut long.kind {
        request.metadata = vec![rpc_protocol::frame::Metadata::binary("trace-bin", &b"0123"[..])];
    }
    let bytes = long.to_bytes();
    let FrameKind::Request(request) = Frame::decode(bytes.clone()).unwrap().kind else {
        panic!("a request");
    };
    assert!(
        !bytes
            .as_ptr_range()
            .contains(&request.metadata[0].binary.as_ptr())
    );
}

#[test]
fn lists_end_at_a_bound_before_memory_is_taken() {
    // 2 bytes each on the wire: an empty pair of metadata in a request.
    let message = |count: usize| {
        let mut bytes = vec![0x12];
        prost::encoding::encode_varint(2 * count as u64, &mut bytes);
        bytes.extend([0x1a, 0].repeat(count));
        Frame::decode(Bytes::from(bytes))
    };
    assert!(message(1_024).is_ok());
    assert_eq!(message(1_025), Err(FrameError::TooManyElements));
    assert_eq!(message(500_000), Err(FrameError::TooManyElements));
}

#[test]
fn groups_nest_as_deep_as_prost_lets_them() {
    for depth in [99, 100, 101, 100_000] {
        let mut bytes = [0x83, 0x01].repeat(depth);
        bytes.extend([0x84, 0x01].repeat(depth));
        let ours = Frame::decode(Bytes::from(bytes.clone()));
        assert_eq!(
            ours.is_ok(),
            pb::Frame::decode(&bytes[..]).is_ok(),
            "depth {depth}"
        );
    }
}

#[test]
fn a_number_of_more_than_64_bits_is_refused() {
    let longest = [&[0x08][..], &[0xff; 9], &[0x01]].concat();
    assert_eq!(Frame::decode(Bytes::from(longest)).unwrap().stream_id, u64::MAX);
    for wrong in [
        [&[0x08][..], &[0xff; 9], &[0x02]].concat(),
        [&[0x08][..], &[0xff; 10], &[0x01]].concat(),
    ] {
        assert_eq!(Frame::decode(Bytes::from(wrong)), Err(FrameError::VarintTooLong));
    }
}

#[test]
fn the_empty_message_is_a_frame_of_no_kind() {
    assert_eq!(Frame::decode(Bytes::new()), Ok(Frame::default()));
    assert_eq!(Frame::default().to_bytes(), Bytes::new());
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    use rpc_protocol::frame::{Authenticate, Greeting, Identity, Metadata};
    let secret = "s3cret";
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        Authenticate {
            credential: secret.into(),
            ..Authenticate::default()
        },
        Greeting {
            resume_token: secret.into(),
            ..Greeting::default()
        },
        Identity {
            resume_token: secret.into(),
            ..Identity::default()
        },
        Metadata::text("Authorization", secret),
    );
    assert!(!shown.contains(secret), "{shown}");
}

#[test]
fn a_body_is_written_straight_into_the_output() {
    struct Counted(std::cell::Cell<u32>);
    impl Body for Counted {
        fn encoded_len(&self) -> usize {
            3
        }
        fn encode(&self, buf: &mut Vec<u8>) {
            self.0.set(self.0.get() + 1);
            buf.put_slice(b"abc");
        }
    }
    let body = Counted(std::cell::Cell::new(0));
    let mut out: Vec<Vec<u8>> = Vec::new();
    Data::default().encode(3, &body, &mut out);
    assert_eq!(body.0.get(), 1, "a body is encoded once");
    assert_eq!(&out[0][..], [0x08, 3, 0x22, 5, 0x7a, 3, b'a', b'b', b'c']);
}
