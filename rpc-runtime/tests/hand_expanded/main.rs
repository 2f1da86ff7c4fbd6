//! The reference expansion: what `#[contract]` emits, written by hand, and compared with what prost's derive does.

#![allow(unreachable_pub, reason = "contracts are public where users write them")]
#![allow(
    clippy::identity_op,
    clippy::match_single_binding,
    clippy::derivable_impls,
    reason = "the expansion has one shape, whatever the number of fields"
)]

mod contracts;
mod twins;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use contracts::{Everything, Figure, Marker, Node, Priority, Task, Tone};
use prost::Message;
use rpc_runtime::codegen::{Contract, ContractEnum, DefaultValue, Kind};

fn everything() -> Everything {
    let node = Node {
        name: "root".into(),
        left: Some(Box::new(Node {
            name: "l".into(),
            ..Node::default()
        })),
        others: vec![Node::default()],
    };
    Everything {
        flag: true,
        small: -3,
        zigzag: -70_000,
        fixed: 7,
        ratio: 0.5,
        label: "naïve".into(),
        raw: vec![1, 2, 3],
        slice: Bytes::from_static(b"slice"),
        maybe: Some(0),
        maybe_text: None,
        numbers: vec![1, -1, 300],
        widths: vec![1, 2],
        flags: vec![true, false],
        words: vec![String::new(), "word".into()],
        counts: HashMap::from([("a".to_owned(), 1)]),
        children: BTreeMap::from([
            (0, Task::default()),
            (
                5,
                Task {
                    label: "x".into(),
                    ..Task::default()
                },
            ),
        ]),
        priority: Priority::High,
        tones: vec![Tone::Plain, Tone::Unknown(77), Tone::Loud],
        task: Task {
            label: "required".into(),
            checked: true,
            id: "1".into(),
        },
        maybe_task: Some(Task::default()),
        tasks: vec![
            Task::default(),
            Task {
                checked: true,
                ..Task::default()
            },
        ],
        node: Some(Box::new(node)),
        figure: Figure::Circle(2.5),
        created: SystemTime::UNIX_EPOCH + Duration::new(5, 3),
        lasts: Duration::from_millis(1500),
        stamp: Some(prost_types::Timestamp { seconds: 1, nanos: 2 }),
        payload: Some(prost_types::Value {
            kind: Some(prost_types::value::Kind::StringValue("v".into())),
        }),
        nothing: (),
        r#type: 9,
        scratch: 0,
    }
}

#[test]
fn bytes_equal_those_of_prosts_derive_and_come_back() {
    let ours = everything();
    let bytes = ours.encode_to_vec();
    let theirs = twins::Everything::decode(bytes.as_slice()).expect("the twin reads it");
    assert_eq!(theirs.encode_to_vec(), bytes);
    assert_eq!(bytes.len(), ours.encoded_len());
    assert_eq!(Everything::decode(bytes.as_slice()).expect("we read it"), ours);
}

#[test]
fn a_default_message_differs_from_the_twin_only_by_its_required_messages() {
    let bytes = Everything::default().encode_to_vec();
    let twin = twins::Everything::decode(bytes.as_slice()).expect("the twin reads it");
    assert_eq!(
        twin,
        twins::Everything {
            task: Some(twins::Task::default()),
            figure: Some(twins::Figure::default()),
            created: Some(prost_types::Timestamp::default()),
            lasts: Some(prost_types::Duration::default()),
            nothing: Some(()),
            ..twins::Everything::default()
        }
    );
    assert_eq!(
        Everything::decode(&[][..]).expect("nothing is a message"),
        Everything::default()
    );
}

#[test]
fn every_figure_round_trips_and_the_last_member_wins() {
    let figures = [
        Figure::Nothing,
        Figure::Circle(0.0),
        Figure::Named(String::new()),
        Figure::Task(Task {
            label: "t".into(),
            ..Task::default()
        }),
        Figure::Tree(Box::default()),
        Figure::Empty(()),
        Figure::Priority(Priority::High),
    ];
    for figure in figures {
        let bytes = figure.encode_to_vec();
        assert_eq!(bytes.len(), figure.encoded_len());
        assert_eq!(Figure::decode(bytes.as_slice()).expect("reads"), figure);
        let twin = twins::Figure::decode(bytes.as_slice()).expect("the twin reads it");
        assert_eq!(twin.encode_to_vec(), bytes);
    }
    let mut both = Figure::Task(Task {
        label: "first".into(),
        ..Task::default()
    })
    .encode_to_vec();
    both.extend(
        Figure::Task(Task {
            checked: true,
            ..Task::default()
        })
        .encode_to_vec(),
    );
    let merged = Figure::decode(both.as_slice()).expect("merges");
    assert_eq!(
        merged,
        Figure::Task(Task {
            label: "first".into(),
            checked: true,
            ..Task::default()
        })
    );
}

#[test]
fn an_empty_message_skips_what_it_does_not_know() {
    assert!(Marker::default().encode_to_vec().is_empty());
    assert_eq!(
        Marker::decode(everything().encode_to_vec().as_slice()).expect("skips"),
        Marker::default()
    );
}

#[test]
fn a_closed_enum_refuses_an_unknown_number_and_an_open_one_keeps_it() {
    let bytes = twins::Everything {
        priority: 9,
        ..twins::Everything::default()
    }
    .encode_to_vec();
    let error = Everything::decode(bytes.as_slice())
        .expect_err("9 is no priority")
        .to_string();
    assert!(
        error.contains("Everything.priority: unknown value of a closed enum"),
        "{error}"
    );
    let bytes = twins::Everything {
        tones: vec![9],
        ..twins::Everything::default()
    }
    .encode_to_vec();
    assert_eq!(
        Everything::decode(bytes.as_slice()).expect("kept").tones,
        [Tone::Unknown(9)]
    );
}

#[test]
fn declared_defaults_are_no_part_of_default_or_decoding() {
    let task = Task::with_defaults();
    assert!(task.checked);
    assert!(!Task::default().checked);
    assert!(!Task::decode(&[][..]).expect("nothing").checked);
    let facts = Task::descriptor().field(2).expect("field 2");
    assert_eq!(facts.default, Some(DefaultValue::Bool(true)));
    assert!(Task::descriptor().id().is_some_and(|field| field.name == "id"));
    assert_eq!(Priority::descriptor().values[1].number, Priority::High.number());
    assert!(
        matches!(Node::descriptor().fields[1].kind, Kind::Message(of) if of().full_name == Node::FULL_NAME)
    );
}

#[test]
fn rules_are_checked_through_the_whole_message() {
    let mut message = everything();
    message.tasks[1].label = "far too long for it".into();
    message.numbers = vec![];
    message.words = vec!["UPPER".into()];
    let violations = rpc_runtime::validate::validate(&message)
        .expect_err("three rules")
        .violations;
    let found: Vec<_> = violations
        .iter()
        .filter_map(|violation| violation.rule_id.as_deref())
        .collect();
    assert_eq!(found, ["repeated.min_items", "string.pattern", "string.max_len"]);
    assert!(rpc_runtime::validate::needs_validation::<Everything>());
    assert!(!rpc_runtime::validate::needs_validation::<Node>());
}
