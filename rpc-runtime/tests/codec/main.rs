//! Contracts and prost's derive read the same bytes to the same values and write the same values to the same bytes.
//!
//! The bytes are made at random along the descriptors: fields in any order and number, packed and not, messages split
//! over several occurrences, unknown fields, oneofs set twice, and now and then a length that lies.

#![allow(unreachable_pub, reason = "contracts are public where users write them")]

mod hostile;
mod messages;

use std::time::{Duration, UNIX_EPOCH};

use bytes::{Buf, Bytes};
use hostile::Hostile;
use messages::{Closed, Color, Lists, Maps, OneOf, Optionals, Ours, Singulars, twins};
use prost::Message;
use rpc_runtime::Contract;

/// Shows a count in the output of a plain `cargo test`, which keeps what tests print.
macro_rules! report {
    ($($text:tt)*) => {{
        use std::io::Write;
        writeln!(std::io::stderr(), $($text)*).expect("standard error is there");
    }};
}

/// Reads many bodies with both, and gives how many of them were valid.
fn compare<Ours, Theirs>(seed: u64) -> usize
where
    Ours: Contract + PartialEq + std::fmt::Debug,
    Theirs: Message + Default,
{
    const CASES: usize = 2000;
    let mut hostile = Hostile::new(seed);
    let mut valid = 0;
    for case in 0..CASES {
        let body = Bytes::from(hostile.body(Ours::descriptor()));
        let (ours, theirs) = (Ours::decode(body.clone()), Theirs::decode(body.clone()));
        let (ours, theirs) = match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => (ours, theirs),
            (Err(_), Err(_)) => continue,
            // Prost reads an entry of a map whatever the wire type of its key says. We refuse that.
            (Err(error), Ok(_)) if error.to_string().contains("expected LengthDelimited") => continue,
            (ours, theirs) => panic!("{case}: {:?} and {:?}", ours.err(), theirs.err()),
        };
        let bytes = ours.encode_to_vec();
        assert_eq!(bytes, theirs.encode_to_vec(), "{case}");
        assert_eq!(bytes.len(), ours.encoded_len(), "{case}");
        let again = Ours::decode(bytes.as_slice()).expect("what was written is read");
        assert_eq!(again.encode_to_vec(), bytes, "{case}");
        // A buffer in pieces, as one that was not received in one.
        let (head, tail) = body.split_at(body.len() / 2);
        let pieces = Ours::decode(head.chain(tail)).expect("pieces are read like the whole");
        assert_eq!(pieces.encode_to_vec(), bytes, "{case}");
        valid += 1;
    }
    assert!(valid > CASES / 4, "only {valid} of {CASES} bodies were valid");
    valid
}

#[test]
fn every_body_is_read_and_written_as_prost_does() {
    let valid = compare::<Singulars, twins::Singulars>(11)
        + compare::<Optionals, twins::Optionals>(12)
        + compare::<Lists, twins::Lists>(13)
        + compare::<Maps, twins::Maps>(14)
        + compare::<OneOf, twins::OneOf>(15);
    report!("{valid} valid bodies compared with prost's derive");
}

#[test]
fn extreme_scalars_are_written_as_prost_does() {
    for (int, long, float) in [
        (i32::MIN, i64::MIN, f64::NEG_INFINITY),
        (i32::MAX, i64::MAX, f64::MAX),
        (-1, -1, f64::NAN),
        (0, 0, -0.0),
    ] {
        let ours = Singulars {
            int32_: int,
            int64_: long,
            uint32_: int as u32,
            uint64_: long as u64,
            sint32_: int,
            sint64_: long,
            sfixed32_: int,
            sfixed64_: long,
            float_: float as f32,
            double_: float,
            color: Color::Other(int),
            ..Singulars::default()
        };
        let theirs = twins::Singulars {
            int32_: int,
            int64_: long,
            uint32_: int as u32,
            uint64_: long as u64,
            sint32_: int,
            sint64_: long,
            sfixed32_: int,
            sfixed64_: long,
            float_: float as f32,
            double_: float,
            color: int,
            ..twins::Singulars::default()
        };
        let bytes = ours.encode_to_vec();
        assert_eq!(bytes, theirs.encode_to_vec());
        assert_eq!(
            Singulars::decode(bytes.as_slice())
                .expect("reads")
                .encode_to_vec(),
            bytes
        );
    }
}

#[test]
fn bytes_are_slices_of_the_received_buffer() {
    let sent = Singulars {
        slice_: Bytes::from(vec![7; 1000]),
        bytes_: vec![7; 10],
        ..Singulars::default()
    };
    let buffer = Bytes::from(sent.encode_to_vec());
    let received = Singulars::decode(buffer.clone()).expect("reads");
    assert!(buffer.as_ptr_range().contains(&received.slice_.as_ptr()));
    assert!(!buffer.as_ptr_range().contains(&received.bytes_.as_ptr()));
}

#[test]
fn a_required_message_is_always_written_and_absent_reads_as_zero() {
    let empty = Ours::decode(&[][..]).expect("nothing is a message");
    assert_eq!(empty, Ours::default());
    assert_eq!((empty.at, empty.lasts), (UNIX_EPOCH, Duration::ZERO));
    // The required message and the two times: a key and a length of zero each.
    assert_eq!(empty.encode_to_vec(), [0x0a, 0, 0x2a, 0, 0x32, 0]);
}

#[test]
fn a_closed_enum_refuses_what_it_does_not_know_wherever_it_stands() {
    let refused: [&[u8]; 4] = [
        &[0x10, 2],
        &[0x1a, 3, 1, 2, 0],
        &[0x18, 2],
        &[0x22, 5, 0x0a, 1, b'k', 0x10, 2],
    ];
    for body in refused {
        let error = Ours::decode(body).expect_err("2 is not known").to_string();
        assert!(error.contains("unknown value of a closed enum"), "{error}");
    }
    let known = Ours::decode(&[0x1a, 2, 1, 0][..]).expect("1 and 0 are known");
    assert_eq!(known.closed_list, [Closed::One, Closed::None]);
}

/// A body with `seconds` and `nanos` in field `number`, in one piece or in two.
fn time(number: u8, seconds: i64, nanos: i32, split: bool) -> Vec<u8> {
    let seconds = prost_types::Timestamp { seconds, nanos: 0 }.encode_to_vec();
    let nanos = prost_types::Timestamp { seconds: 0, nanos }.encode_to_vec();
    let key = number << 3 | 2;
    let pieces = if split {
        vec![seconds, nanos]
    } else {
        vec![[seconds, nanos].concat()]
    };
    pieces
        .into_iter()
        .flat_map(|piece| [vec![key, piece.len() as u8], piece].concat())
        .collect()
}

#[test]
fn times_merge_like_the_messages_that_they_are_on_the_wire() {
    for split in [false, true] {
        let ours = Ours::decode(time(5, 5, 3, split).as_slice()).expect("a time");
        assert_eq!(ours.at, UNIX_EPOCH + Duration::new(5, 3));
        let before = Ours::decode(time(5, -5, 3, split).as_slice()).expect("a time before 1970");
        assert_eq!(before.at, UNIX_EPOCH - Duration::new(5, 0) + Duration::new(0, 3));
        let lasts = Ours::decode(time(6, 5, 3, split).as_slice()).expect("a duration");
        assert_eq!(lasts.lasts, Duration::new(5, 3));
        assert_eq!(
            Ours::decode(lasts.encode_to_vec().as_slice()).expect("comes back"),
            lasts
        );
        assert_eq!(
            Ours::decode(before.encode_to_vec().as_slice()).expect("comes back"),
            before
        );
    }
}

#[test]
fn times_write_what_prost_types_write() {
    let at = UNIX_EPOCH - Duration::new(1, 1);
    let ours = Ours {
        at,
        lasts: Duration::new(2, 5),
        times: vec![at],
        ..Ours::default()
    };
    let wire = prost_types::Timestamp::from(at).encode_to_vec();
    let bytes = ours.encode_to_vec();
    assert_eq!(
        bytes.windows(wire.len()).filter(|window| *window == wire).count(),
        2
    );
    let lasts = prost_types::Duration { seconds: 2, nanos: 5 }.encode_to_vec();
    assert!(bytes.windows(lasts.len()).any(|window| window == lasts));
}

#[test]
fn a_time_that_rust_cannot_hold_is_a_decode_error() {
    for body in [
        time(6, -1, 0, false),
        time(6, 0, -1, false),
        time(6, i64::MIN, i32::MIN, false),
        time(5, i64::MAX, i32::MAX, false),
        time(5, i64::MIN, i32::MIN, false),
        time(7, i64::MIN, -1, false),
    ] {
        let error = Ours::decode(body.as_slice()).expect_err("is refused").to_string();
        assert!(
            error.contains("negative duration") || error.contains("out of range"),
            "{error}"
        );
    }
}

#[test]
fn a_duration_that_the_wire_cannot_hold_is_the_longest_it_can() {
    let ours = Ours {
        lasts: Duration::MAX,
        ..Ours::default()
    };
    let back = Ours::decode(ours.encode_to_vec().as_slice()).expect("reads");
    assert_eq!(back.lasts.as_secs(), i64::MAX as u64);
}

#[test]
fn an_entry_may_lack_its_key_or_its_value() {
    let both = Maps::decode(&[0x0a, 0][..]).expect("an empty entry");
    assert_eq!(both.to_bool.get(&0), Some(&false));
    let value = Maps::decode(&[0x0a, 2, 0x10, 1][..]).expect("a value alone");
    assert_eq!(value.to_bool.get(&0), Some(&true));
    let last = Maps::decode(&[0x0a, 4, 0x08, 1, 0x10, 1, 0x0a, 2, 0x08, 1][..]).expect("a key twice");
    assert_eq!(last.to_bool.get(&1), Some(&false));
}

#[test]
fn nesting_over_100_is_refused_through_messages_and_through_maps() {
    fn nested(depth: usize, wrap: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
        (0..depth).fold(Vec::new(), |inner, _| wrap(inner))
    }
    fn delimited(number: u32, bytes: Vec<u8>) -> Vec<u8> {
        let mut out = Vec::new();
        prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut out);
        prost::encoding::encode_varint(bytes.len() as u64, &mut out);
        [out, bytes].concat()
    }
    let boxed = |depth| nested(depth, |inner| delimited(19, inner));
    assert!(Optionals::decode(boxed(100).as_slice()).is_ok());
    let error = Optionals::decode(boxed(101).as_slice())
        .expect_err("101")
        .to_string();
    assert!(error.contains("recursion limit reached"), "{error}");
    // An entry is a message too, so that each level of maps is two deep.
    let mapped = |depth| nested(depth, |inner| delimited(9, delimited(2, inner)));
    assert!(Ours::decode(mapped(50).as_slice()).is_ok());
    assert!(Ours::decode(mapped(51).as_slice()).is_err());
}

#[test]
fn a_decode_error_names_message_and_field() {
    let error = Lists::decode(&[0x92, 0x01, 3, 0x72, 1, 0xff][..])
        .expect_err("not UTF-8")
        .to_string();
    assert!(
        error.contains("Lists.message: ") && error.contains("string"),
        "{error}"
    );
}
