//! `#[contract]` as a user writes it, over every type that a field can have.

#![allow(missing_docs, reason = "the contracts of a test")]

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use prost::Message;
use rpc_runtime::contract;
use rpc_runtime::contract::{Cardinality, DefaultValue, Kind};
use rpc_runtime::validate::validate;
use rpc_runtime::{Contract, ContractEnum, Event, Status, rpc};

/// How much it matters.
#[contract(package = "kitchen", detached)]
pub enum Priority {
    Low,
    /// Now.
    High = 5,
}

#[contract(package = "kitchen", detached)]
pub enum Origin {
    Unknown = 0,
    Web = 1,
    #[field(other)]
    Other(i32),
}

#[contract(package = "kitchen", detached)]
pub enum Shape {
    #[default]
    Unset,
    Point,
    Circle(f64),
    Named(String),
    #[field(tag = 9)]
    Tree(Box<Node>),
}

#[contract(package = "kitchen", detached)]
pub struct Node {
    pub name: String,
    pub left: Option<Box<Self>>,
    pub children: Vec<Node>,
}

/// Everything at once.
#[contract(
    package = "kitchen",
    controller = "Sink",
    changes = "sinks",
    detached,
    reserved(3, "old"),
    event,
    channels = "sink:{id}"
)]
#[derive(Clone)]
pub struct Sink {
    #[field(unique, min_len = 1, max_len = 200)]
    pub label: String,
    #[field(default = true)]
    pub checked: bool,
    #[field(proto = "sint64", range = -10..=10, default = -3)]
    pub delta: i64,
    #[field(id)]
    pub id: String,
    pub raw: Bytes,
    pub copied: Vec<u8>,
    pub note: Option<String>,
    pub numbers: Vec<u32>,
    pub by_name: HashMap<String, Node>,
    pub sorted: BTreeMap<u32, Priority>,
    #[field(default = Priority::High)]
    pub priority: Priority,
    pub origins: Vec<Origin>,
    pub node: Node,
    pub shape: Option<Shape>,
    pub at: SystemTime,
    pub took: Option<Duration>,
    pub stamp: Option<prost_types::Timestamp>,
    pub free: Option<prost_types::Struct>,
    pub nothing: Option<()>,
    #[field(skip)]
    pub cache: Vec<usize>,
    #[field(tag = 100, deprecated)]
    pub r#type: u64,
}

fn full() -> Sink {
    Sink {
        label: "milk".into(),
        checked: true,
        delta: -7,
        id: "1".into(),
        raw: Bytes::from_static(b"\x00\x01"),
        copied: vec![2, 3],
        note: Some(String::new()),
        numbers: vec![1, 300, 0],
        by_name: HashMap::from([(
            "a".into(),
            Node {
                name: "n".into(),
                ..Default::default()
            },
        )]),
        sorted: BTreeMap::from([(2, Priority::High), (1, Priority::Low)]),
        priority: Priority::High,
        origins: vec![Origin::Web, Origin::Other(77), Origin::Unknown],
        node: Node {
            left: Some(Box::new(Node::default())),
            children: vec![Node::default()],
            ..Default::default()
        },
        shape: Some(Shape::Tree(Box::new(Node {
            name: "t".into(),
            ..Default::default()
        }))),
        at: SystemTime::UNIX_EPOCH + Duration::from_millis(1500),
        took: Some(Duration::from_micros(3)),
        stamp: Some(prost_types::Timestamp { seconds: 1, nanos: 2 }),
        free: Some(prost_types::Struct::default()),
        nothing: Some(()),
        cache: Vec::new(),
        r#type: 9,
    }
}

#[test]
fn every_kind_of_field_round_trips() {
    let sink = full();
    let bytes = sink.encode_to_vec();
    assert_eq!(bytes.len(), sink.encoded_len());
    assert_eq!(Sink::decode(bytes.as_slice()).expect("its own bytes"), sink);
    for shape in [
        Shape::Unset,
        Shape::Point,
        Shape::Circle(0.0),
        Shape::Named("x".into()),
    ] {
        assert_eq!(
            Shape::decode(shape.encode_to_vec().as_slice()).expect("its own bytes"),
            shape
        );
    }
}

#[test]
fn numbers_skip_what_is_reserved() {
    let numbers: Vec<_> = Sink::descriptor()
        .fields
        .iter()
        .map(|field| (field.name, field.number))
        .take(4)
        .collect();
    assert_eq!(numbers, [("label", 1), ("checked", 2), ("delta", 4), ("id", 5)]);
    assert_eq!(
        Sink::descriptor().field(100).map(|field| field.name),
        Some("type")
    );
}

#[test]
fn the_descriptor_has_the_facts() {
    let descriptor = Sink::descriptor();
    assert_eq!(Sink::FULL_NAME, "kitchen.Sink");
    assert_eq!(descriptor.docs, "Everything at once.");
    assert!(descriptor.event);
    assert_eq!(descriptor.channels, Some("sink:{id}"));
    assert_eq!(<Sink as Event>::CHANNELS, Some("sink:{id}"));
    assert_eq!(descriptor.crud.and_then(|crud| crud.changes), Some("sinks"));
    assert!(!Node::descriptor().event && Node::descriptor().channels.is_none());
    assert_eq!(
        descriptor.crud.map(|crud| crud.service),
        Some("kitchen.SinkService")
    );
    assert_eq!(descriptor.id().map(|field| field.name), Some("id"));
    let label = descriptor.field(1).expect("label");
    assert!(label.unique && label.rules.len() == 2);
    assert!(matches!(
        descriptor.field(2).and_then(|field| field.default),
        Some(DefaultValue::Bool(true))
    ));
    let sorted = descriptor
        .fields
        .iter()
        .find(|field| field.name == "sorted")
        .expect("sorted");
    assert!(matches!(sorted.cardinality, Cardinality::Map(Kind::Uint32)));
    assert_eq!(Priority::descriptor().values[1].name, "PRIORITY_HIGH");
    assert_eq!(Shape::descriptor().oneof, Some("kind"));
}

#[test]
fn defaults_are_zeros_and_declared_defaults_are_asked_for() {
    assert!(!Sink::default().checked);
    let declared = Sink::with_defaults();
    assert!(declared.checked);
    assert_eq!(declared.delta, -3);
    assert_eq!(declared.priority, Priority::High);
    assert_eq!(Priority::default(), Priority::Low);
}

#[test]
fn a_closed_enum_refuses_and_an_open_one_keeps() {
    assert_eq!(Priority::from_number(1), None);
    assert_eq!(Origin::from_number(1), Some(Origin::Web));
    assert_eq!(Origin::from_number(7), Some(Origin::Other(7)));
    assert_eq!(Origin::Other(7).number(), 7);
}

/// A gateway one of whose handlers has a contract in its body.
struct LocalGateway;

#[rpc("kitchen.local", detached)]
impl LocalGateway {
    /// Tells how many of its rules an empty label breaks.
    #[message]
    async fn check(&self, data: Node) -> Result<Node, Status> {
        #[contract(package = "kitchen.local", detached)]
        struct Labelled {
            #[field(min_len = 1)]
            label: String,
        }
        let checked = validate(&Labelled { label: data.name });
        Ok(Node {
            name: checked.map_or_else(|broken| broken.to_string(), |()| "right".to_owned()),
            ..Node::default()
        })
    }
}

#[tokio::test]
async fn a_contract_in_the_body_of_a_handler_keeps_its_rules() {
    let node = LocalGateway.check(Node::default()).await.expect("answers");
    assert_eq!(node.name, "label: must be at least 1 characters [string.min_len]");
}
