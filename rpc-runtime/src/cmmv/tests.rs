//! What is cut, written again and announced, apart from connections.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;

use super::{
    Cmmv,
    answers::{Operation, answer},
    explicit::{Explicit, Unsent},
    websocket::{FromClient, Piece},
};
use crate::{Contract, contract};

/// What the fields of a contract may be.
#[contract(package = "cmmv.test", detached)]
enum Priority {
    Low,
    High,
}

#[contract(package = "cmmv.test", detached)]
struct Inner {
    number: i64,
    /// Not the item's, and so it stays.
    #[field(id)]
    id: String,
}

#[contract(package = "cmmv.test", controller = "Wide", detached)]
struct Wide {
    #[field(id)]
    id: u32,
    text: String,
    flag: bool,
    float: f32,
    double: f64,
    bytes: Bytes,
    priority: Priority,
    maybe: Option<u32>,
    inner: Inner,
    inners: Vec<Inner>,
    by_name: BTreeMap<String, Inner>,
    again: Option<Box<Wide>>,
    #[field(proto = "fixed64")]
    fixed: u64,
}

/// The same where presence can be seen.
#[derive(Clone, PartialEq, prost::Message)]
struct SeenInner {
    #[prost(int64, optional, tag = "1")]
    number: Option<i64>,
    #[prost(string, optional, tag = "2")]
    id: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Seen {
    #[prost(uint32, optional, tag = "1")]
    id: Option<u32>,
    #[prost(string, optional, tag = "2")]
    text: Option<String>,
    #[prost(bool, optional, tag = "3")]
    flag: Option<bool>,
    #[prost(float, optional, tag = "4")]
    float: Option<f32>,
    #[prost(double, optional, tag = "5")]
    double: Option<f64>,
    #[prost(bytes = "bytes", optional, tag = "6")]
    bytes: Option<Bytes>,
    #[prost(int32, optional, tag = "7")]
    priority: Option<i32>,
    #[prost(uint32, optional, tag = "8")]
    maybe: Option<u32>,
    #[prost(message, optional, tag = "9")]
    inner: Option<SeenInner>,
    #[prost(message, repeated, tag = "10")]
    inners: Vec<SeenInner>,
    #[prost(message, optional, boxed, tag = "12")]
    again: Option<Box<Seen>>,
    #[prost(fixed64, optional, tag = "13")]
    fixed: Option<u64>,
}

fn explicit(limit: usize) -> Explicit {
    Explicit {
        item: Wide::descriptor(),
        limit,
    }
}

fn seen(item: &Wide) -> Seen {
    let mut out = Vec::new();
    explicit(usize::MAX)
        .write_item(&item.encode_to_vec(), &mut out)
        .unwrap();
    Seen::decode(&out[..]).unwrap()
}

fn zeros() -> Seen {
    Seen {
        id: None,
        text: Some(String::new()),
        flag: Some(false),
        float: Some(0.0),
        double: Some(0.0),
        bytes: Some(Bytes::new()),
        priority: Some(0),
        maybe: None,
        inner: Some(SeenInner {
            number: Some(0),
            id: Some(String::new()),
        }),
        inners: Vec::new(),
        again: None,
        fixed: Some(0),
    }
}

#[test]
fn every_scalar_without_presence_is_written_at_every_depth_and_the_items_id_at_none() {
    assert_eq!(seen(&Wide::default()), zeros());
    let item = Wide {
        id: 7,
        text: "a".to_owned(),
        maybe: Some(0),
        inners: vec![Inner {
            number: 0,
            id: "b".to_owned(),
        }],
        again: Some(Box::new(Wide {
            id: 8,
            flag: true,
            ..Wide::default()
        })),
        ..Wide::default()
    };
    let expected = Seen {
        text: Some("a".to_owned()),
        maybe: Some(0),
        inners: vec![SeenInner {
            number: Some(0),
            id: Some("b".to_owned()),
        }],
        again: Some(Box::new(Seen {
            flag: Some(true),
            ..zeros()
        })),
        ..zeros()
    };
    assert_eq!(seen(&item), expected);
}

#[test]
fn what_is_written_again_means_the_same_and_is_written_again_as_it_is() {
    let item = Wide {
        float: 1.5,
        priority: Priority::High,
        by_name: [("x".to_owned(), Inner::default())].into(),
        fixed: u64::MAX,
        ..Wide::default()
    };
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    explicit(usize::MAX)
        .write_item(&item.encode_to_vec(), &mut once)
        .unwrap();
    assert_eq!(Wide::decode(&once[..]).unwrap(), item);
    explicit(usize::MAX).write_item(&once, &mut twice).unwrap();
    assert_eq!(twice, once);
}

#[test]
fn an_answer_that_grows_beyond_its_bound_is_not_made() {
    // Two bytes an item, which become some forty each.
    let body = [0x0a, 0x00].repeat(10_000);
    assert_eq!(
        answer(Operation::GetAll, &body, explicit(100_000)),
        Err(Unsent::TooLong)
    );
    assert!(answer(Operation::GetAll, &body, explicit(1_000_000)).is_ok());
}

#[test]
fn an_answer_that_is_none_is_an_error_and_no_panic() {
    for body in [&[0xff; 4][..], &[0x0a, 0x05, 0x00], &[0x12, 0x02, 0x0a, 0x09]] {
        for operation in Operation::ALL {
            let answered = answer(operation, body, explicit(1_000));
            assert!(
                matches!(answered, Err(Unsent::Malformed) | Ok(_)),
                "{operation:?}"
            );
        }
    }
    let cut = [0x12, 0x02, 0x12, 0x09];
    assert_eq!(
        answer(Operation::Add, &cut, explicit(1_000)),
        Err(Unsent::Malformed)
    );
}

#[test]
fn an_id_is_of_the_type_that_the_contract_gives_it() {
    // `id = 7`, and none.
    let answered = answer(Operation::Delete, &[0x08, 0x01, 0x18, 0x07], explicit(1_000)).unwrap();
    assert_eq!(answered, [0x08, 0x01, 0x10, 0x01, 0x18, 0x07]);
    let answered = answer(Operation::Delete, &[], explicit(1_000)).unwrap();
    assert_eq!(answered, [0x08, 0x00, 0x10, 0x00, 0x18, 0x00]);
    let script = Cmmv::new().contract::<Wide>().script();
    assert!(
        script.contains(r#""DeleteWideRequest":{"fields":{"id":{"type":"uint32","id":1}}}"#),
        "{script}"
    );
}

#[test]
fn types_of_fields_are_announced_once_and_apart() {
    let script = Cmmv::new().contract::<Wide>().script();
    for expected in [
        r#""priority":{"type":".referenced.cmmv_test_Priority","id":7}"#,
        r#""maybe":{"type":"uint32","id":8,"options":{"proto3_optional":true}}"#,
        r#""inners":{"rule":"repeated","type":".referenced.cmmv_test_Inner","id":10}"#,
        r#""by_name":{"keyType":"string","type":".referenced.cmmv_test_Inner","id":11}"#,
        r#""again":{"type":".wide.Wide","id":12,"options":{"proto3_optional":true}}"#,
        r#""referenced":{"nested":{"cmmv_test_Inner":{"fields":{"number":{"type":"int64","id":1},"id":{"type":"string","id":2}}},"cmmv_test_Priority":{"values":{"#,
    ] {
        assert!(script.contains(expected), "{expected}\nin {script}");
    }
}

/// Beside `Inner`: of another package, by a dot alone.
#[contract(package = "cmmv_test", message = "Inner", detached)]
struct Twin {
    text: String,
}

#[contract(package = "cmmv.test", controller = "Pair", detached)]
struct Pair {
    #[field(id)]
    id: String,
    inner: Inner,
    twin: Twin,
    again: Twin,
}

#[test]
fn types_whose_names_are_the_same_without_dots_are_announced_as_two() {
    let script = Cmmv::new().contract::<Pair>().script();
    for expected in [
        r#""inner":{"type":".referenced.cmmv_test_Inner","id":2}"#,
        r#""twin":{"type":".referenced.cmmv_test_Inner_","id":3}"#,
        r#""again":{"type":".referenced.cmmv_test_Inner_","id":4}"#,
        r#""cmmv_test_Inner_":{"fields":{"text":{"type":"string","id":1}}}"#,
    ] {
        assert!(script.contains(expected), "{expected}\nin {script}");
    }
}

/// A client's frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [7, 8, 9, 10];
    let mut frame = vec![first, 0x80 | 126];
    frame.extend((payload.len() as u16).to_be_bytes());
    frame.extend(key);
    frame.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

/// What is left of the pieces when it does not count in how many parts they came.
fn cut(bytes: &[u8], step: usize) -> Vec<Piece> {
    let mut client = FromClient::new(1_000);
    let mut pieces: Vec<Piece> = Vec::new();
    for part in bytes.chunks(step) {
        client.push(part);
        while let Some(piece) = client.next() {
            match (pieces.last_mut(), piece) {
                (_, Piece::Begun | Piece::Whole) => {}
                (Some(Piece::Raw(before)), Piece::Raw(raw)) => *before = [&before[..], &raw].concat().into(),
                (_, piece) => pieces.push(piece),
            }
        }
    }
    pieces
}

#[test]
fn bytes_are_cut_the_same_however_they_come() {
    let ping = [0x89, 0x81, 0, 0, 0, 0, b'p'];
    let mut pong = vec![0x8a, 0x88, 1, 1, 1, 1];
    pong.extend(300_u64.to_be_bytes().map(|byte| byte ^ 1));
    let text = frame(0x81, b"text");
    let bytes = [
        &frame(0x82, b"whole")[..],
        &ping,
        &frame(0x02, b"in "),
        &ping,
        &frame(0x00, b""),
        &frame(0x80, b"pieces"),
        &pong,
        &frame(0x82, b""),
        &text,
        &frame(0x82, b"behind what ends it"),
    ]
    .concat();
    let raw = |raw: &[u8]| Piece::Raw(Bytes::copy_from_slice(raw));
    let end = [&text[..], &frame(0x82, b"behind what ends it")].concat();
    let expected = [
        Piece::Message("whole".into()),
        raw(&[ping, ping].concat()),
        Piece::Message("in pieces".into()),
        Piece::Pong(300),
        Piece::Message("".into()),
        raw(&end),
    ];
    for step in 1..bytes.len() + 1 {
        assert_eq!(cut(&bytes, step), expected, "in steps of {step}");
    }
}

#[test]
fn a_message_that_is_begun_is_told_once_and_taken_back_before_it_is_given() {
    let mut client = FromClient::new(1_000);
    let bytes = frame(0x82, b"whole");
    client.push(&bytes[..9]);
    assert_eq!(client.next(), Some(Piece::Begun));
    assert_eq!(client.next(), None);
    client.push(&bytes[9..]);
    assert_eq!(client.next(), Some(Piece::Whole));
    assert_eq!(client.next(), Some(Piece::Message("whole".into())));
    assert_eq!(client.next(), None);
    client.push(&bytes);
    assert_eq!(
        client.next(),
        Some(Piece::Message("whole".into())),
        "whole at once, and nobody is told"
    );
}
