//! Where a contract differs from prost on purpose: messages that are always there, closed enums, times that Rust's types
//! cannot hold, and declared defaults.

use bytes::Bytes;
use equivalence::contracts::{Closed, ClosedEnums, Declared, DeclaredNested, Node, Open, Required, Times};
use equivalence::twins;
use prost::Message;
use rpc_runtime::Contract;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

#[test]
fn an_absent_required_message_reads_as_zero_and_is_always_written() {
    let required = Required::decode(&b""[..]).expect("an empty message");
    assert_eq!(required, Required::default());
    assert_eq!(required.at, SystemTime::UNIX_EPOCH);
    let written = required.encode_to_vec();
    let twin = twins::Required::decode(written.as_slice()).expect("what a contract writes");
    assert!(twin.node.is_some() && twin.choice.is_some() && twin.at.is_some() && twin.took.is_some());
    assert!(twin.boxed.is_some() && twin.nothing.is_some());
    assert_eq!(twin.encode_to_vec(), written, "and in prost's form");
}

#[test]
fn a_required_message_that_was_sent_in_two_parts_is_merged() {
    let name = twins::Required {
        node: Some(twins::Node {
            name: "a".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let weight = twins::Required {
        node: Some(twins::Node {
            weight: 3,
            ..Default::default()
        }),
        ..Default::default()
    };
    let both = [name.encode_to_vec(), weight.encode_to_vec()].concat();
    let required = Required::decode(both.as_slice()).expect("two parts");
    assert_eq!(
        required.node,
        Node {
            name: "a".into(),
            weight: 3,
            ..Default::default()
        }
    );
}

#[test]
fn a_closed_enum_refuses_a_number_that_it_does_not_know_everywhere() {
    for twin in [
        twins::ClosedEnums {
            single: 2,
            ..Default::default()
        },
        twins::ClosedEnums {
            optional: Some(-1),
            ..Default::default()
        },
        twins::ClosedEnums {
            list: vec![0, 1, 2],
            ..Default::default()
        },
        twins::ClosedEnums {
            map: BTreeMap::from([(1, 2)]),
            ..Default::default()
        },
    ] {
        let error = ClosedEnums::decode(twin.encode_to_vec().as_slice()).expect_err("2 is no value");
        assert!(error.to_string().contains("ClosedEnums"), "{error}");
    }
    let known = twins::ClosedEnums {
        single: 7,
        optional: Some(0),
        list: vec![0, 1, 7],
        map: BTreeMap::from([(1, 1)]),
    };
    let read = ClosedEnums::decode(known.encode_to_vec().as_slice()).expect("all known");
    assert_eq!(read.list, [Closed::Zero, Closed::One, Closed::Seven]);
    assert_eq!(read.encode_to_vec(), known.encode_to_vec());
}

#[test]
fn an_open_enum_keeps_the_number() {
    let twin = twins::Scalars {
        open: 4711,
        ..Default::default()
    };
    let read = equivalence::contracts::Scalars::decode(twin.encode_to_vec().as_slice()).expect("open");
    assert_eq!(read.open, Open::Other(4711));
    assert_eq!(read.encode_to_vec(), twin.encode_to_vec());
}

#[test]
fn times_keep_every_instant_that_both_sides_have() {
    for (seconds, nanos) in [
        (0, 0),
        (0, 1),
        (1, 999_999_999),
        (-1, 0),
        (-1, 1),
        (-62_135_596_800, 0),
        (253_402_300_799, 999_999_999),
    ] {
        let stamp = prost_types::Timestamp { seconds, nanos };
        let twin = twins::Times {
            at: Some(stamp),
            ats: vec![stamp],
            ..Default::default()
        };
        let times = Times::decode(twin.encode_to_vec().as_slice()).expect("an instant");
        assert_eq!(times.encode_to_vec(), twin.encode_to_vec(), "{seconds} {nanos}");
    }
    let took = twins::Times {
        took: Some(prost_types::Duration { seconds: 3, nanos: 4 }),
        tooks: BTreeMap::from([(1, prost_types::Duration { seconds: 0, nanos: 5 })]),
        ..Default::default()
    };
    let times = Times::decode(took.encode_to_vec().as_slice()).expect("durations");
    assert_eq!(times.took, Some(Duration::new(3, 4)));
    assert_eq!(times.encode_to_vec(), took.encode_to_vec());
}

#[test]
fn a_duration_that_rust_cannot_hold_is_refused() {
    for (seconds, nanos) in [(-1, 0), (0, -1), (-1, 999_999_999)] {
        let twin = twins::Times {
            took: Some(prost_types::Duration { seconds, nanos }),
            ..Default::default()
        };
        assert!(
            Times::decode(twin.encode_to_vec().as_slice()).is_err(),
            "{seconds} {nanos}"
        );
    }
}

/// Zeros of every field against defaults that are not zero.
fn zeros() -> Declared {
    Declared {
        optional: Some(false),
        ..Declared::default()
    }
}

#[test]
fn a_zero_that_was_sent_is_never_turned_into_the_declared_default() {
    let zeros = zeros();
    assert!(!zeros.bool && zeros.int32 == 0 && zeros.string.is_empty() && zeros.closed == Closed::Zero);
    assert_eq!(
        Declared::decode(zeros.encode_to_vec().as_slice()).expect("zeros"),
        zeros
    );
    let nested = DeclaredNested {
        optional: Some(zeros.clone()),
        list: vec![zeros.clone(), zeros.clone()],
        map: BTreeMap::from([(String::new(), zeros.clone())]),
        required: zeros,
    };
    assert_eq!(
        DeclaredNested::decode(nested.encode_to_vec().as_slice()).expect("zeros"),
        nested
    );
    let mut cleared = Declared::with_defaults();
    cleared.clear();
    assert_eq!(cleared, Declared::default());
}

#[test]
fn declared_defaults_are_set_by_asking_for_them() {
    let declared = Declared::with_defaults();
    assert!(declared.bool);
    assert_eq!(
        (declared.int32, declared.int64, declared.uint32, declared.uint64),
        (7, -7, 7, 7)
    );
    assert_eq!((declared.float, declared.double), (0.5, -0.5));
    assert_eq!(declared.string, "text");
    assert_eq!(
        (declared.bytes, declared.byte_vec),
        (Bytes::from_static(b"raw"), b"raw".to_vec())
    );
    assert_eq!(
        (declared.closed, declared.open, declared.optional),
        (Closed::Seven, Open::First, Some(true))
    );
}
