//! Contracts, each as the user writes it (in the comment above it) and as `#[contract]` expands it.
//!
//! The struct or enum itself is the user's, with the `#[field]` attributes taken off and the derives that are missing
//! of `Clone`, `Debug`, `PartialEq` (and `Default` for an enum) added.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

// /// A thing to be done.
// #[contract(package = "test", controller = "Task", reserved(3), event)]
// pub struct Task {
//     #[field(unique, max_len = 10)]
//     pub label: String,
//     #[field(default = true)]
//     pub checked: bool,
//     #[field(tag = 4, id)]
//     pub id: String,
// }
/// A thing to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub label: String,
    pub checked: bool,
    pub id: String,
}

const _: () = {
    use ::rpc_runtime::codegen;

    static DESCRIPTOR: codegen::MessageDescriptor = codegen::MessageDescriptor::new::<Task>(
        "test",
        "test.Task",
        "Task",
        &[
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Utf8>>("label", 1u32)
                .unique()
                .rules(&[codegen::Rule::MaxLen(10u64)]),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Bool>>("checked", 2u32)
                .default(codegen::DefaultValue::Bool(true)),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Utf8>>("id", 4u32).id(),
        ],
    )
    .docs("A thing to be done.")
    .event()
    .crud(codegen::CrudDescriptor::new(
        "test.TaskService",
        &["add", "update", "delete", "get_all"],
    ));

    impl codegen::Message for Task {
        fn encode_raw(&self, buf: &mut impl codegen::BufMut) {
            <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::encode(&self.label, 1u32, buf);
            <codegen::Singular<codegen::Bool> as codegen::FieldCodec>::encode(&self.checked, 2u32, buf);
            <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::encode(&self.id, 4u32, buf);
        }
        fn merge_field(
            &mut self,
            number: u32,
            wire_type: codegen::WireType,
            buf: &mut impl codegen::Buf,
            cx: codegen::DecodeContext,
        ) -> ::core::result::Result<(), codegen::DecodeError> {
            match number {
                1u32 => <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::merge(
                    &mut self.label,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Task", "label")),
                2u32 => <codegen::Singular<codegen::Bool> as codegen::FieldCodec>::merge(
                    &mut self.checked,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Task", "checked")),
                4u32 => <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::merge(
                    &mut self.id,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Task", "id")),
                _ => codegen::skip_field(wire_type, number, buf, cx),
            }
        }
        fn encoded_len(&self) -> usize {
            0usize
                + <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::encoded_len(&self.label, 1u32)
                + <codegen::Singular<codegen::Bool> as codegen::FieldCodec>::encoded_len(&self.checked, 2u32)
                + <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::encoded_len(&self.id, 4u32)
        }
        fn clear(&mut self) {
            <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::clear(&mut self.label);
            <codegen::Singular<codegen::Bool> as codegen::FieldCodec>::clear(&mut self.checked);
            <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::clear(&mut self.id);
        }
    }

    impl ::core::default::Default for Task {
        fn default() -> Self {
            Self {
                label: <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::zero(),
                checked: <codegen::Singular<codegen::Bool> as codegen::FieldCodec>::zero(),
                id: <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::zero(),
            }
        }
    }

    impl codegen::ContractField for Task {
        codegen::message_field!();
        fn validate(&self, validator: &mut codegen::Validator<'_>) {
            let facts = DESCRIPTOR.fields;
            <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::validate(
                &self.label,
                &facts[0usize],
                validator,
            );
            <codegen::Singular<codegen::Bool> as codegen::FieldCodec>::validate(
                &self.checked,
                &facts[1usize],
                validator,
            );
            <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::validate(
                &self.id,
                &facts[2usize],
                validator,
            );
        }
    }

    impl codegen::Contract for Task {
        const FULL_NAME: &'static str = "test.Task";
        fn descriptor() -> &'static codegen::MessageDescriptor {
            &DESCRIPTOR
        }
        fn with_defaults() -> Self {
            Self {
                checked: true,
                ..::core::default::Default::default()
            }
        }
    }
};

// #[contract(package = "test")]
// pub struct Node { pub name: String, pub left: Option<Box<Self>>, pub others: Vec<Node> }
/// A tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub name: String,
    pub left: Option<Box<Self>>,
    pub others: Vec<Node>,
}

const _: () = {
    use ::rpc_runtime::codegen;

    static DESCRIPTOR: codegen::MessageDescriptor = codegen::MessageDescriptor::new::<Node>(
        "test",
        "test.Node",
        "Node",
        &[
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Utf8>>("name", 1u32),
            codegen::FieldDescriptor::of::<codegen::Optional<codegen::Boxed<codegen::Named<Node>>>>(
                "left", 2u32,
            ),
            codegen::FieldDescriptor::of::<codegen::Repeated<codegen::Named<Node>>>("others", 3u32),
        ],
    )
    .docs("A tree.");

    impl codegen::Message for Node {
        fn encode_raw(&self, buf: &mut impl codegen::BufMut) {
            <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::encode(&self.name, 1u32, buf);
            <codegen::Optional<codegen::Boxed<codegen::Named<Node>>> as codegen::FieldCodec>::encode(
                &self.left, 2u32, buf,
            );
            <codegen::Repeated<codegen::Named<Node>> as codegen::FieldCodec>::encode(&self.others, 3u32, buf);
        }
        fn merge_field(
            &mut self,
            number: u32,
            wire_type: codegen::WireType,
            buf: &mut impl codegen::Buf,
            cx: codegen::DecodeContext,
        ) -> ::core::result::Result<(), codegen::DecodeError> {
            match number {
                1u32 => <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::merge(
                    &mut self.name,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Node", "name")),
                2u32 => {
                    <codegen::Optional<codegen::Boxed<codegen::Named<Node>>> as codegen::FieldCodec>::merge(
                        &mut self.left,
                        wire_type,
                        buf,
                        cx,
                    )
                    .map_err(|error| codegen::in_field(error, "Node", "left"))
                }
                3u32 => <codegen::Repeated<codegen::Named<Node>> as codegen::FieldCodec>::merge(
                    &mut self.others,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Node", "others")),
                _ => codegen::skip_field(wire_type, number, buf, cx),
            }
        }
        fn encoded_len(&self) -> usize {
            0usize
+ <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::encoded_len(&self.name, 1u32)
+ <codegen::Optional<codegen::Boxed<codegen::Named<Node>>> as codegen::FieldCodec>::encoded_len(&self.left, 2u32)
+ <codegen::Repeated<codegen::Named<Node>> as codegen::FieldCodec>::encoded_len(&self.others, 3u32)
        }
        fn clear(&mut self) {
            <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::clear(&mut self.name);
            <codegen::Optional<codegen::Boxed<codegen::Named<Node>>> as codegen::FieldCodec>::clear(
                &mut self.left,
            );
            <codegen::Repeated<codegen::Named<Node>> as codegen::FieldCodec>::clear(&mut self.others);
        }
    }

    impl ::core::default::Default for Node {
        fn default() -> Self {
            Self {
                name: <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::zero(),
                left: <codegen::Optional<codegen::Boxed<codegen::Named<Node>>> as codegen::FieldCodec>::zero(
                ),
                others: <codegen::Repeated<codegen::Named<Node>> as codegen::FieldCodec>::zero(),
            }
        }
    }

    impl codegen::ContractField for Node {
        codegen::message_field!();
        fn validate(&self, validator: &mut codegen::Validator<'_>) {
            let facts = DESCRIPTOR.fields;
            <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::validate(
                &self.name,
                &facts[0usize],
                validator,
            );
            <codegen::Optional<codegen::Boxed<codegen::Named<Node>>> as codegen::FieldCodec>::validate(
                &self.left,
                &facts[1usize],
                validator,
            );
            <codegen::Repeated<codegen::Named<Node>> as codegen::FieldCodec>::validate(
                &self.others,
                &facts[2usize],
                validator,
            );
        }
    }

    impl codegen::Contract for Node {
        const FULL_NAME: &'static str = "test.Node";
        fn descriptor() -> &'static codegen::MessageDescriptor {
            &DESCRIPTOR
        }
    }
};

// #[contract(package = "test")]
// pub struct Marker {}   (a unit struct expands to the same: `Self {}` names it too)
/// An empty message.
#[derive(Clone, Debug, PartialEq)]
pub struct Marker {}

const _: () = {
    use ::rpc_runtime::codegen;

    static DESCRIPTOR: codegen::MessageDescriptor =
        codegen::MessageDescriptor::new::<Marker>("test", "test.Marker", "Marker", &[])
            .docs("An empty message.");

    impl codegen::Message for Marker {
        fn encode_raw(&self, buf: &mut impl codegen::BufMut) {
            let _ = buf;
        }
        fn merge_field(
            &mut self,
            number: u32,
            wire_type: codegen::WireType,
            buf: &mut impl codegen::Buf,
            cx: codegen::DecodeContext,
        ) -> ::core::result::Result<(), codegen::DecodeError> {
            match number {
                _ => codegen::skip_field(wire_type, number, buf, cx),
            }
        }
        fn encoded_len(&self) -> usize {
            0usize
        }
        fn clear(&mut self) {}
    }

    impl ::core::default::Default for Marker {
        fn default() -> Self {
            Self {}
        }
    }

    impl codegen::ContractField for Marker {
        codegen::message_field!();
    }

    impl codegen::Contract for Marker {
        const FULL_NAME: &'static str = "test.Marker";
        fn descriptor() -> &'static codegen::MessageDescriptor {
            &DESCRIPTOR
        }
    }
};

// One field of every cardinality and kind; the attributes can be read off the descriptor.
/// Everything at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Everything {
    pub flag: bool,
    pub small: i32,
    pub zigzag: i64,
    pub fixed: u64,
    pub ratio: f32,
    pub label: String,
    pub raw: Vec<u8>,
    pub slice: Bytes,
    pub maybe: Option<u32>,
    pub maybe_text: Option<String>,
    pub numbers: Vec<i64>,
    pub widths: Vec<i32>,
    pub flags: Vec<bool>,
    pub words: Vec<String>,
    pub counts: HashMap<String, u32>,
    pub children: BTreeMap<i32, Task>,
    pub priority: Priority,
    pub tones: Vec<Tone>,
    pub task: Task,
    pub maybe_task: Option<Task>,
    pub tasks: Vec<Task>,
    pub node: Option<Box<Node>>,
    pub figure: Figure,
    pub created: SystemTime,
    pub lasts: Duration,
    pub stamp: Option<prost_types::Timestamp>,
    pub payload: Option<prost_types::Value>,
    pub nothing: (),
    pub r#type: u64,
    pub scratch: u8,
}

const _: () = {
    use ::rpc_runtime::codegen;

    static PATTERN_14: codegen::Pattern = codegen::Pattern::new("^[a-z]*$");

    static DESCRIPTOR: codegen::MessageDescriptor = codegen::MessageDescriptor::new::<Everything>(
        "test",
        "test.Everything",
        "Everything",
        &[
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Bool>>("flag", 1u32),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Int32>>("small", 2u32).rules(&[
                codegen::Rule::Range {
                    min: codegen::Bound::Inclusive(codegen::Number::Int(-10i64)),
                    max: codegen::Bound::Exclusive(codegen::Number::Int(10i64)),
                },
            ]),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Sint64>>("zigzag", 3u32),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Fixed64>>("fixed", 4u32),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Float>>("ratio", 5u32),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Utf8>>("label", 6u32)
                .rules(&[codegen::Rule::Required]),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::ByteVec>>("raw", 7u32),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::ByteSlice>>("slice", 8u32),
            codegen::FieldDescriptor::of::<codegen::Optional<codegen::Uint32>>("maybe", 9u32),
            codegen::FieldDescriptor::of::<codegen::Optional<codegen::Utf8>>("maybe_text", 10u32)
                .rules(&[codegen::Rule::Format(codegen::Format::Email)]),
            codegen::FieldDescriptor::of::<codegen::Repeated<codegen::Int64>>("numbers", 11u32)
                .rules(&[codegen::Rule::MinItems(1u64)]),
            codegen::FieldDescriptor::of::<codegen::Repeated<codegen::Sfixed32>>("widths", 12u32),
            codegen::FieldDescriptor::of::<codegen::Repeated<codegen::Bool>>("flags", 13u32),
            codegen::FieldDescriptor::of::<codegen::Repeated<codegen::Utf8>>("words", 14u32)
                .rules(&[codegen::Rule::Pattern(&PATTERN_14)]),
            codegen::FieldDescriptor::of::<codegen::Map<codegen::Utf8, codegen::Uint32>>("counts", 15u32),
            codegen::FieldDescriptor::of::<codegen::SortedMap<codegen::Int32, codegen::Named<Task>>>(
                "children", 16u32,
            ),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Named<Priority>>>("priority", 17u32),
            codegen::FieldDescriptor::of::<codegen::Repeated<codegen::Named<Tone>>>("tones", 18u32),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Named<Task>>>("task", 19u32),
            codegen::FieldDescriptor::of::<codegen::Optional<codegen::Named<Task>>>("maybe_task", 20u32),
            codegen::FieldDescriptor::of::<codegen::Repeated<codegen::Named<Task>>>("tasks", 21u32),
            codegen::FieldDescriptor::of::<codegen::Optional<codegen::Boxed<codegen::Named<Node>>>>(
                "node", 22u32,
            ),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Named<Figure>>>("figure", 23u32),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Named<SystemTime>>>("created", 24u32),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Named<Duration>>>("lasts", 25u32),
            codegen::FieldDescriptor::of::<codegen::Optional<codegen::Named<prost_types::Timestamp>>>(
                "stamp", 26u32,
            ),
            codegen::FieldDescriptor::of::<codegen::Optional<codegen::Named<prost_types::Value>>>(
                "payload", 27u32,
            ),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Named<()>>>("nothing", 28u32),
            codegen::FieldDescriptor::of::<codegen::Singular<codegen::Uint64>>("type", 29u32),
        ],
    )
    .docs("Everything at once.");

    impl codegen::Message for Everything {
        fn encode_raw(&self, buf: &mut impl codegen::BufMut) {
            <codegen::Singular<codegen::Bool> as codegen::FieldCodec>::encode(&self.flag, 1u32, buf);
            <codegen::Singular<codegen::Int32> as codegen::FieldCodec>::encode(&self.small, 2u32, buf);
            <codegen::Singular<codegen::Sint64> as codegen::FieldCodec>::encode(&self.zigzag, 3u32, buf);
            <codegen::Singular<codegen::Fixed64> as codegen::FieldCodec>::encode(&self.fixed, 4u32, buf);
            <codegen::Singular<codegen::Float> as codegen::FieldCodec>::encode(&self.ratio, 5u32, buf);
            <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::encode(&self.label, 6u32, buf);
            <codegen::Singular<codegen::ByteVec> as codegen::FieldCodec>::encode(&self.raw, 7u32, buf);
            <codegen::Singular<codegen::ByteSlice> as codegen::FieldCodec>::encode(&self.slice, 8u32, buf);
            <codegen::Optional<codegen::Uint32> as codegen::FieldCodec>::encode(&self.maybe, 9u32, buf);
            <codegen::Optional<codegen::Utf8> as codegen::FieldCodec>::encode(&self.maybe_text, 10u32, buf);
            <codegen::Repeated<codegen::Int64> as codegen::FieldCodec>::encode(&self.numbers, 11u32, buf);
            <codegen::Repeated<codegen::Sfixed32> as codegen::FieldCodec>::encode(&self.widths, 12u32, buf);
            <codegen::Repeated<codegen::Bool> as codegen::FieldCodec>::encode(&self.flags, 13u32, buf);
            <codegen::Repeated<codegen::Utf8> as codegen::FieldCodec>::encode(&self.words, 14u32, buf);
            <codegen::Map<codegen::Utf8, codegen::Uint32> as codegen::FieldCodec>::encode(
                &self.counts,
                15u32,
                buf,
            );
            <codegen::SortedMap<codegen::Int32, codegen::Named<Task>> as codegen::FieldCodec>::encode(
                &self.children,
                16u32,
                buf,
            );
            <codegen::Singular<codegen::Named<Priority>> as codegen::FieldCodec>::encode(
                &self.priority,
                17u32,
                buf,
            );
            <codegen::Repeated<codegen::Named<Tone>> as codegen::FieldCodec>::encode(&self.tones, 18u32, buf);
            <codegen::Singular<codegen::Named<Task>> as codegen::FieldCodec>::encode(&self.task, 19u32, buf);
            <codegen::Optional<codegen::Named<Task>> as codegen::FieldCodec>::encode(
                &self.maybe_task,
                20u32,
                buf,
            );
            <codegen::Repeated<codegen::Named<Task>> as codegen::FieldCodec>::encode(&self.tasks, 21u32, buf);
            <codegen::Optional<codegen::Boxed<codegen::Named<Node>>> as codegen::FieldCodec>::encode(
                &self.node, 22u32, buf,
            );
            <codegen::Singular<codegen::Named<Figure>> as codegen::FieldCodec>::encode(
                &self.figure,
                23u32,
                buf,
            );
            <codegen::Singular<codegen::Named<SystemTime>> as codegen::FieldCodec>::encode(
                &self.created,
                24u32,
                buf,
            );
            <codegen::Singular<codegen::Named<Duration>> as codegen::FieldCodec>::encode(
                &self.lasts,
                25u32,
                buf,
            );
            <codegen::Optional<codegen::Named<prost_types::Timestamp>> as codegen::FieldCodec>::encode(
                &self.stamp,
                26u32,
                buf,
            );
            <codegen::Optional<codegen::Named<prost_types::Value>> as codegen::FieldCodec>::encode(
                &self.payload,
                27u32,
                buf,
            );
            <codegen::Singular<codegen::Named<()>> as codegen::FieldCodec>::encode(&self.nothing, 28u32, buf);
            <codegen::Singular<codegen::Uint64> as codegen::FieldCodec>::encode(&self.r#type, 29u32, buf);
        }
        fn merge_field(
            &mut self,
            number: u32,
            wire_type: codegen::WireType,
            buf: &mut impl codegen::Buf,
            cx: codegen::DecodeContext,
        ) -> ::core::result::Result<(), codegen::DecodeError> {
            match number {
                1u32 => <codegen::Singular<codegen::Bool> as codegen::FieldCodec>::merge(
                    &mut self.flag,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "flag")),
                2u32 => <codegen::Singular<codegen::Int32> as codegen::FieldCodec>::merge(
                    &mut self.small,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "small")),
                3u32 => <codegen::Singular<codegen::Sint64> as codegen::FieldCodec>::merge(
                    &mut self.zigzag,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "zigzag")),
                4u32 => <codegen::Singular<codegen::Fixed64> as codegen::FieldCodec>::merge(
                    &mut self.fixed,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "fixed")),
                5u32 => <codegen::Singular<codegen::Float> as codegen::FieldCodec>::merge(
                    &mut self.ratio,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "ratio")),
                6u32 => <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::merge(
                    &mut self.label,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "label")),
                7u32 => <codegen::Singular<codegen::ByteVec> as codegen::FieldCodec>::merge(
                    &mut self.raw,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "raw")),
                8u32 => <codegen::Singular<codegen::ByteSlice> as codegen::FieldCodec>::merge(
                    &mut self.slice,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "slice")),
                9u32 => <codegen::Optional<codegen::Uint32> as codegen::FieldCodec>::merge(
                    &mut self.maybe,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "maybe")),
                10u32 => <codegen::Optional<codegen::Utf8> as codegen::FieldCodec>::merge(
                    &mut self.maybe_text,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "maybe_text")),
                11u32 => <codegen::Repeated<codegen::Int64> as codegen::FieldCodec>::merge(
                    &mut self.numbers,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "numbers")),
                12u32 => <codegen::Repeated<codegen::Sfixed32> as codegen::FieldCodec>::merge(
                    &mut self.widths,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "widths")),
                13u32 => <codegen::Repeated<codegen::Bool> as codegen::FieldCodec>::merge(
                    &mut self.flags,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "flags")),
                14u32 => <codegen::Repeated<codegen::Utf8> as codegen::FieldCodec>::merge(
                    &mut self.words,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "words")),
                15u32 => <codegen::Map<codegen::Utf8, codegen::Uint32> as codegen::FieldCodec>::merge(
                    &mut self.counts,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "counts")),
                16u32 => {
                    <codegen::SortedMap<codegen::Int32, codegen::Named<Task>> as codegen::FieldCodec>::merge(
                        &mut self.children,
                        wire_type,
                        buf,
                        cx,
                    )
                    .map_err(|error| codegen::in_field(error, "Everything", "children"))
                }
                17u32 => <codegen::Singular<codegen::Named<Priority>> as codegen::FieldCodec>::merge(
                    &mut self.priority,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "priority")),
                18u32 => <codegen::Repeated<codegen::Named<Tone>> as codegen::FieldCodec>::merge(
                    &mut self.tones,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "tones")),
                19u32 => <codegen::Singular<codegen::Named<Task>> as codegen::FieldCodec>::merge(
                    &mut self.task,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "task")),
                20u32 => <codegen::Optional<codegen::Named<Task>> as codegen::FieldCodec>::merge(
                    &mut self.maybe_task,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "maybe_task")),
                21u32 => <codegen::Repeated<codegen::Named<Task>> as codegen::FieldCodec>::merge(
                    &mut self.tasks,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "tasks")),
                22u32 => {
                    <codegen::Optional<codegen::Boxed<codegen::Named<Node>>> as codegen::FieldCodec>::merge(
                        &mut self.node,
                        wire_type,
                        buf,
                        cx,
                    )
                    .map_err(|error| codegen::in_field(error, "Everything", "node"))
                }
                23u32 => <codegen::Singular<codegen::Named<Figure>> as codegen::FieldCodec>::merge(
                    &mut self.figure,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "figure")),
                24u32 => <codegen::Singular<codegen::Named<SystemTime>> as codegen::FieldCodec>::merge(
                    &mut self.created,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "created")),
                25u32 => <codegen::Singular<codegen::Named<Duration>> as codegen::FieldCodec>::merge(
                    &mut self.lasts,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "lasts")),
                26u32 => {
                    <codegen::Optional<codegen::Named<prost_types::Timestamp>> as codegen::FieldCodec>::merge(
                        &mut self.stamp,
                        wire_type,
                        buf,
                        cx,
                    )
                    .map_err(|error| codegen::in_field(error, "Everything", "stamp"))
                }
                27u32 => {
                    <codegen::Optional<codegen::Named<prost_types::Value>> as codegen::FieldCodec>::merge(
                        &mut self.payload,
                        wire_type,
                        buf,
                        cx,
                    )
                    .map_err(|error| codegen::in_field(error, "Everything", "payload"))
                }
                28u32 => <codegen::Singular<codegen::Named<()>> as codegen::FieldCodec>::merge(
                    &mut self.nothing,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "nothing")),
                29u32 => <codegen::Singular<codegen::Uint64> as codegen::FieldCodec>::merge(
                    &mut self.r#type,
                    wire_type,
                    buf,
                    cx,
                )
                .map_err(|error| codegen::in_field(error, "Everything", "type")),
                _ => codegen::skip_field(wire_type, number, buf, cx),
            }
        }
        fn encoded_len(&self) -> usize {
            0usize
+ <codegen::Singular<codegen::Bool> as codegen::FieldCodec>::encoded_len(&self.flag, 1u32)
+ <codegen::Singular<codegen::Int32> as codegen::FieldCodec>::encoded_len(&self.small, 2u32)
+ <codegen::Singular<codegen::Sint64> as codegen::FieldCodec>::encoded_len(&self.zigzag, 3u32)
+ <codegen::Singular<codegen::Fixed64> as codegen::FieldCodec>::encoded_len(&self.fixed, 4u32)
+ <codegen::Singular<codegen::Float> as codegen::FieldCodec>::encoded_len(&self.ratio, 5u32)
+ <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::encoded_len(&self.label, 6u32)
+ <codegen::Singular<codegen::ByteVec> as codegen::FieldCodec>::encoded_len(&self.raw, 7u32)
+ <codegen::Singular<codegen::ByteSlice> as codegen::FieldCodec>::encoded_len(&self.slice, 8u32)
+ <codegen::Optional<codegen::Uint32> as codegen::FieldCodec>::encoded_len(&self.maybe, 9u32)
+ <codegen::Optional<codegen::Utf8> as codegen::FieldCodec>::encoded_len(&self.maybe_text, 10u32)
+ <codegen::Repeated<codegen::Int64> as codegen::FieldCodec>::encoded_len(&self.numbers, 11u32)
+ <codegen::Repeated<codegen::Sfixed32> as codegen::FieldCodec>::encoded_len(&self.widths, 12u32)
+ <codegen::Repeated<codegen::Bool> as codegen::FieldCodec>::encoded_len(&self.flags, 13u32)
+ <codegen::Repeated<codegen::Utf8> as codegen::FieldCodec>::encoded_len(&self.words, 14u32)
+ <codegen::Map<codegen::Utf8, codegen::Uint32> as codegen::FieldCodec>::encoded_len(&self.counts, 15u32)
+ <codegen::SortedMap<codegen::Int32, codegen::Named<Task>> as codegen::FieldCodec>::encoded_len(&self.children, 16u32)
+ <codegen::Singular<codegen::Named<Priority>> as codegen::FieldCodec>::encoded_len(&self.priority, 17u32)
+ <codegen::Repeated<codegen::Named<Tone>> as codegen::FieldCodec>::encoded_len(&self.tones, 18u32)
+ <codegen::Singular<codegen::Named<Task>> as codegen::FieldCodec>::encoded_len(&self.task, 19u32)
+ <codegen::Optional<codegen::Named<Task>> as codegen::FieldCodec>::encoded_len(&self.maybe_task, 20u32)
+ <codegen::Repeated<codegen::Named<Task>> as codegen::FieldCodec>::encoded_len(&self.tasks, 21u32)
+ <codegen::Optional<codegen::Boxed<codegen::Named<Node>>> as codegen::FieldCodec>::encoded_len(&self.node, 22u32)
+ <codegen::Singular<codegen::Named<Figure>> as codegen::FieldCodec>::encoded_len(&self.figure, 23u32)
+ <codegen::Singular<codegen::Named<SystemTime>> as codegen::FieldCodec>::encoded_len(&self.created, 24u32)
+ <codegen::Singular<codegen::Named<Duration>> as codegen::FieldCodec>::encoded_len(&self.lasts, 25u32)
+ <codegen::Optional<codegen::Named<prost_types::Timestamp>> as codegen::FieldCodec>::encoded_len(&self.stamp, 26u32)
+ <codegen::Optional<codegen::Named<prost_types::Value>> as codegen::FieldCodec>::encoded_len(&self.payload, 27u32)
+ <codegen::Singular<codegen::Named<()>> as codegen::FieldCodec>::encoded_len(&self.nothing, 28u32)
+ <codegen::Singular<codegen::Uint64> as codegen::FieldCodec>::encoded_len(&self.r#type, 29u32)
        }
        fn clear(&mut self) {
            <codegen::Singular<codegen::Bool> as codegen::FieldCodec>::clear(&mut self.flag);
            <codegen::Singular<codegen::Int32> as codegen::FieldCodec>::clear(&mut self.small);
            <codegen::Singular<codegen::Sint64> as codegen::FieldCodec>::clear(&mut self.zigzag);
            <codegen::Singular<codegen::Fixed64> as codegen::FieldCodec>::clear(&mut self.fixed);
            <codegen::Singular<codegen::Float> as codegen::FieldCodec>::clear(&mut self.ratio);
            <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::clear(&mut self.label);
            <codegen::Singular<codegen::ByteVec> as codegen::FieldCodec>::clear(&mut self.raw);
            <codegen::Singular<codegen::ByteSlice> as codegen::FieldCodec>::clear(&mut self.slice);
            <codegen::Optional<codegen::Uint32> as codegen::FieldCodec>::clear(&mut self.maybe);
            <codegen::Optional<codegen::Utf8> as codegen::FieldCodec>::clear(&mut self.maybe_text);
            <codegen::Repeated<codegen::Int64> as codegen::FieldCodec>::clear(&mut self.numbers);
            <codegen::Repeated<codegen::Sfixed32> as codegen::FieldCodec>::clear(&mut self.widths);
            <codegen::Repeated<codegen::Bool> as codegen::FieldCodec>::clear(&mut self.flags);
            <codegen::Repeated<codegen::Utf8> as codegen::FieldCodec>::clear(&mut self.words);
            <codegen::Map<codegen::Utf8, codegen::Uint32> as codegen::FieldCodec>::clear(&mut self.counts);
            <codegen::SortedMap<codegen::Int32, codegen::Named<Task>> as codegen::FieldCodec>::clear(
                &mut self.children,
            );
            <codegen::Singular<codegen::Named<Priority>> as codegen::FieldCodec>::clear(&mut self.priority);
            <codegen::Repeated<codegen::Named<Tone>> as codegen::FieldCodec>::clear(&mut self.tones);
            <codegen::Singular<codegen::Named<Task>> as codegen::FieldCodec>::clear(&mut self.task);
            <codegen::Optional<codegen::Named<Task>> as codegen::FieldCodec>::clear(&mut self.maybe_task);
            <codegen::Repeated<codegen::Named<Task>> as codegen::FieldCodec>::clear(&mut self.tasks);
            <codegen::Optional<codegen::Boxed<codegen::Named<Node>>> as codegen::FieldCodec>::clear(
                &mut self.node,
            );
            <codegen::Singular<codegen::Named<Figure>> as codegen::FieldCodec>::clear(&mut self.figure);
            <codegen::Singular<codegen::Named<SystemTime>> as codegen::FieldCodec>::clear(&mut self.created);
            <codegen::Singular<codegen::Named<Duration>> as codegen::FieldCodec>::clear(&mut self.lasts);
            <codegen::Optional<codegen::Named<prost_types::Timestamp>> as codegen::FieldCodec>::clear(
                &mut self.stamp,
            );
            <codegen::Optional<codegen::Named<prost_types::Value>> as codegen::FieldCodec>::clear(
                &mut self.payload,
            );
            <codegen::Singular<codegen::Named<()>> as codegen::FieldCodec>::clear(&mut self.nothing);
            <codegen::Singular<codegen::Uint64> as codegen::FieldCodec>::clear(&mut self.r#type);
            self.scratch = ::core::default::Default::default();
        }
    }

    impl ::core::default::Default for Everything {
        fn default() -> Self {
            Self {
                flag: <codegen::Singular<codegen::Bool> as codegen::FieldCodec>::zero(),
                small: <codegen::Singular<codegen::Int32> as codegen::FieldCodec>::zero(),
                zigzag: <codegen::Singular<codegen::Sint64> as codegen::FieldCodec>::zero(),
                fixed: <codegen::Singular<codegen::Fixed64> as codegen::FieldCodec>::zero(),
                ratio: <codegen::Singular<codegen::Float> as codegen::FieldCodec>::zero(),
                label: <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::zero(),
                raw: <codegen::Singular<codegen::ByteVec> as codegen::FieldCodec>::zero(),
                slice: <codegen::Singular<codegen::ByteSlice> as codegen::FieldCodec>::zero(),
                maybe: <codegen::Optional<codegen::Uint32> as codegen::FieldCodec>::zero(),
                maybe_text: <codegen::Optional<codegen::Utf8> as codegen::FieldCodec>::zero(),
                numbers: <codegen::Repeated<codegen::Int64> as codegen::FieldCodec>::zero(),
                widths: <codegen::Repeated<codegen::Sfixed32> as codegen::FieldCodec>::zero(),
                flags: <codegen::Repeated<codegen::Bool> as codegen::FieldCodec>::zero(),
                words: <codegen::Repeated<codegen::Utf8> as codegen::FieldCodec>::zero(),
                counts: <codegen::Map<codegen::Utf8, codegen::Uint32> as codegen::FieldCodec>::zero(),
                children:
                    <codegen::SortedMap<codegen::Int32, codegen::Named<Task>> as codegen::FieldCodec>::zero(),
                priority: <codegen::Singular<codegen::Named<Priority>> as codegen::FieldCodec>::zero(),
                tones: <codegen::Repeated<codegen::Named<Tone>> as codegen::FieldCodec>::zero(),
                task: <codegen::Singular<codegen::Named<Task>> as codegen::FieldCodec>::zero(),
                maybe_task: <codegen::Optional<codegen::Named<Task>> as codegen::FieldCodec>::zero(),
                tasks: <codegen::Repeated<codegen::Named<Task>> as codegen::FieldCodec>::zero(),
                node: <codegen::Optional<codegen::Boxed<codegen::Named<Node>>> as codegen::FieldCodec>::zero(
                ),
                figure: <codegen::Singular<codegen::Named<Figure>> as codegen::FieldCodec>::zero(),
                created: <codegen::Singular<codegen::Named<SystemTime>> as codegen::FieldCodec>::zero(),
                lasts: <codegen::Singular<codegen::Named<Duration>> as codegen::FieldCodec>::zero(),
                stamp:
                    <codegen::Optional<codegen::Named<prost_types::Timestamp>> as codegen::FieldCodec>::zero(),
                payload: <codegen::Optional<codegen::Named<prost_types::Value>> as codegen::FieldCodec>::zero(
                ),
                nothing: <codegen::Singular<codegen::Named<()>> as codegen::FieldCodec>::zero(),
                r#type: <codegen::Singular<codegen::Uint64> as codegen::FieldCodec>::zero(),
                scratch: ::core::default::Default::default(),
            }
        }
    }

    impl codegen::ContractField for Everything {
        codegen::message_field!();
        fn validate(&self, validator: &mut codegen::Validator<'_>) {
            let facts = DESCRIPTOR.fields;
            <codegen::Singular<codegen::Bool> as codegen::FieldCodec>::validate(
                &self.flag,
                &facts[0usize],
                validator,
            );
            <codegen::Singular<codegen::Int32> as codegen::FieldCodec>::validate(
                &self.small,
                &facts[1usize],
                validator,
            );
            <codegen::Singular<codegen::Sint64> as codegen::FieldCodec>::validate(
                &self.zigzag,
                &facts[2usize],
                validator,
            );
            <codegen::Singular<codegen::Fixed64> as codegen::FieldCodec>::validate(
                &self.fixed,
                &facts[3usize],
                validator,
            );
            <codegen::Singular<codegen::Float> as codegen::FieldCodec>::validate(
                &self.ratio,
                &facts[4usize],
                validator,
            );
            <codegen::Singular<codegen::Utf8> as codegen::FieldCodec>::validate(
                &self.label,
                &facts[5usize],
                validator,
            );
            <codegen::Singular<codegen::ByteVec> as codegen::FieldCodec>::validate(
                &self.raw,
                &facts[6usize],
                validator,
            );
            <codegen::Singular<codegen::ByteSlice> as codegen::FieldCodec>::validate(
                &self.slice,
                &facts[7usize],
                validator,
            );
            <codegen::Optional<codegen::Uint32> as codegen::FieldCodec>::validate(
                &self.maybe,
                &facts[8usize],
                validator,
            );
            <codegen::Optional<codegen::Utf8> as codegen::FieldCodec>::validate(
                &self.maybe_text,
                &facts[9usize],
                validator,
            );
            <codegen::Repeated<codegen::Int64> as codegen::FieldCodec>::validate(
                &self.numbers,
                &facts[10usize],
                validator,
            );
            <codegen::Repeated<codegen::Sfixed32> as codegen::FieldCodec>::validate(
                &self.widths,
                &facts[11usize],
                validator,
            );
            <codegen::Repeated<codegen::Bool> as codegen::FieldCodec>::validate(
                &self.flags,
                &facts[12usize],
                validator,
            );
            <codegen::Repeated<codegen::Utf8> as codegen::FieldCodec>::validate(
                &self.words,
                &facts[13usize],
                validator,
            );
            <codegen::Map<codegen::Utf8, codegen::Uint32> as codegen::FieldCodec>::validate(
                &self.counts,
                &facts[14usize],
                validator,
            );
            <codegen::SortedMap<codegen::Int32, codegen::Named<Task>> as codegen::FieldCodec>::validate(
                &self.children,
                &facts[15usize],
                validator,
            );
            <codegen::Singular<codegen::Named<Priority>> as codegen::FieldCodec>::validate(
                &self.priority,
                &facts[16usize],
                validator,
            );
            <codegen::Repeated<codegen::Named<Tone>> as codegen::FieldCodec>::validate(
                &self.tones,
                &facts[17usize],
                validator,
            );
            <codegen::Singular<codegen::Named<Task>> as codegen::FieldCodec>::validate(
                &self.task,
                &facts[18usize],
                validator,
            );
            <codegen::Optional<codegen::Named<Task>> as codegen::FieldCodec>::validate(
                &self.maybe_task,
                &facts[19usize],
                validator,
            );
            <codegen::Repeated<codegen::Named<Task>> as codegen::FieldCodec>::validate(
                &self.tasks,
                &facts[20usize],
                validator,
            );
            <codegen::Optional<codegen::Boxed<codegen::Named<Node>>> as codegen::FieldCodec>::validate(
                &self.node,
                &facts[21usize],
                validator,
            );
            <codegen::Singular<codegen::Named<Figure>> as codegen::FieldCodec>::validate(
                &self.figure,
                &facts[22usize],
                validator,
            );
            <codegen::Singular<codegen::Named<SystemTime>> as codegen::FieldCodec>::validate(
                &self.created,
                &facts[23usize],
                validator,
            );
            <codegen::Singular<codegen::Named<Duration>> as codegen::FieldCodec>::validate(
                &self.lasts,
                &facts[24usize],
                validator,
            );
            <codegen::Optional<codegen::Named<prost_types::Timestamp>> as codegen::FieldCodec>::validate(
                &self.stamp,
                &facts[25usize],
                validator,
            );
            <codegen::Optional<codegen::Named<prost_types::Value>> as codegen::FieldCodec>::validate(
                &self.payload,
                &facts[26usize],
                validator,
            );
            <codegen::Singular<codegen::Named<()>> as codegen::FieldCodec>::validate(
                &self.nothing,
                &facts[27usize],
                validator,
            );
            <codegen::Singular<codegen::Uint64> as codegen::FieldCodec>::validate(
                &self.r#type,
                &facts[28usize],
                validator,
            );
        }
    }

    impl codegen::Contract for Everything {
        const FULL_NAME: &'static str = "test.Everything";
        fn descriptor() -> &'static codegen::MessageDescriptor {
            &DESCRIPTOR
        }
    }
};

// #[contract(package = "test")]
// pub enum Priority { Low = 0, High = 5 }
/// How urgent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Priority {
    #[default]
    Low = 0,
    High = 5,
}

const _: () = {
    use ::rpc_runtime::codegen;

    static DESCRIPTOR: codegen::EnumDescriptor = codegen::EnumDescriptor::new(
        "test",
        "test.Priority",
        "Priority",
        &[
            codegen::EnumValueDescriptor::new("PRIORITY_LOW", 0i32),
            codegen::EnumValueDescriptor::new("PRIORITY_HIGH", 5i32),
        ],
    )
    .docs("How urgent.");

    impl codegen::ContractField for Priority {
        codegen::enum_field!();
    }

    impl codegen::ContractEnum for Priority {
        const FULL_NAME: &'static str = "test.Priority";
        fn number(self) -> i32 {
            match self {
                Self::Low => 0i32,
                Self::High => 5i32,
            }
        }
        fn from_number(number: i32) -> ::core::option::Option<Self> {
            ::core::option::Option::Some(match number {
                0i32 => Self::Low,
                5i32 => Self::High,
                _ => return ::core::option::Option::None,
            })
        }
        fn descriptor() -> &'static codegen::EnumDescriptor {
            &DESCRIPTOR
        }
    }
};

// #[contract(package = "test")]
// pub enum Tone { Plain = 0, Loud = 1, #[field(other)] Unknown(i32) }
/// How loud.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Tone {
    #[default]
    Plain,
    Loud,
    Unknown(i32),
}

const _: () = {
    use ::rpc_runtime::codegen;

    static DESCRIPTOR: codegen::EnumDescriptor = codegen::EnumDescriptor::new(
        "test",
        "test.Tone",
        "Tone",
        &[
            codegen::EnumValueDescriptor::new("TONE_PLAIN", 0i32),
            codegen::EnumValueDescriptor::new("TONE_LOUD", 1i32),
        ],
    )
    .docs("How loud.")
    .open();

    impl codegen::ContractField for Tone {
        codegen::enum_field!();
    }

    impl codegen::ContractEnum for Tone {
        const FULL_NAME: &'static str = "test.Tone";
        fn number(self) -> i32 {
            match self {
                Self::Plain => 0i32,
                Self::Loud => 1i32,
                Self::Unknown(number) => number,
            }
        }
        fn from_number(number: i32) -> ::core::option::Option<Self> {
            ::core::option::Option::Some(match number {
                0i32 => Self::Plain,
                1i32 => Self::Loud,
                _ => Self::Unknown(number),
            })
        }
        fn descriptor() -> &'static codegen::EnumDescriptor {
            &DESCRIPTOR
        }
    }
};

// #[contract(package = "test")]
// pub enum Figure { #[default] Nothing, Circle(f64), Named(String), Task(Task), Tree(Box<Node>), Empty(()), Priority(Priority) }
/// One of many: a message with one `oneof`. `Nothing` stands for no member set, or one that is not known.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Figure {
    #[default]
    Nothing,
    Circle(f64),
    Named(String),
    Task(Task),
    Tree(Box<Node>),
    Empty(()),
    Priority(Priority),
}

const _: () = {
    use ::rpc_runtime::codegen;

    static DESCRIPTOR: codegen::MessageDescriptor = codegen::MessageDescriptor::new::<Figure>(
        "test",
        "test.Figure",
        "Figure",
        &[
            codegen::FieldDescriptor::member::<codegen::Double>("circle", 1u32),
            codegen::FieldDescriptor::member::<codegen::Utf8>("named", 2u32),
            codegen::FieldDescriptor::member::<codegen::Named<Task>>("task", 3u32),
            codegen::FieldDescriptor::member::<codegen::Boxed<codegen::Named<Node>>>("tree", 4u32),
            codegen::FieldDescriptor::member::<codegen::Named<()>>("empty", 5u32),
            codegen::FieldDescriptor::member::<codegen::Named<Priority>>("priority", 6u32),
        ],
    )
    .docs("One of many.")
    .oneof("kind");

    impl codegen::Message for Figure {
        fn encode_raw(&self, buf: &mut impl codegen::BufMut) {
            match self {
                Self::Nothing => {}
                Self::Circle(value) => {
                    <codegen::Double as codegen::ValueCodec>::encode_field(value, 1u32, buf)
                }
                Self::Named(value) => <codegen::Utf8 as codegen::ValueCodec>::encode_field(value, 2u32, buf),
                Self::Task(value) => {
                    <codegen::Named<Task> as codegen::ValueCodec>::encode_field(value, 3u32, buf)
                }
                Self::Tree(value) => {
                    <codegen::Boxed<codegen::Named<Node>> as codegen::ValueCodec>::encode_field(
                        value, 4u32, buf,
                    )
                }
                Self::Empty(value) => {
                    <codegen::Named<()> as codegen::ValueCodec>::encode_field(value, 5u32, buf)
                }
                Self::Priority(value) => {
                    <codegen::Named<Priority> as codegen::ValueCodec>::encode_field(value, 6u32, buf)
                }
            }
        }
        fn merge_field(
            &mut self,
            number: u32,
            wire_type: codegen::WireType,
            buf: &mut impl codegen::Buf,
            cx: codegen::DecodeContext,
        ) -> ::core::result::Result<(), codegen::DecodeError> {
            match number {
                1u32 => {
                    let current = if let Self::Circle(value) = self {
                        ::core::option::Option::Some(value)
                    } else {
                        ::core::option::Option::None
                    };
                    let value = codegen::merge_member::<codegen::Double>(current, wire_type, buf, cx)
                        .map_err(|error| codegen::in_field(error, "Figure", "circle"))?;
                    if let ::core::option::Option::Some(value) = value {
                        *self = Self::Circle(value);
                    }
                    ::core::result::Result::Ok(())
                }
                2u32 => {
                    let current = if let Self::Named(value) = self {
                        ::core::option::Option::Some(value)
                    } else {
                        ::core::option::Option::None
                    };
                    let value = codegen::merge_member::<codegen::Utf8>(current, wire_type, buf, cx)
                        .map_err(|error| codegen::in_field(error, "Figure", "named"))?;
                    if let ::core::option::Option::Some(value) = value {
                        *self = Self::Named(value);
                    }
                    ::core::result::Result::Ok(())
                }
                3u32 => {
                    let current = if let Self::Task(value) = self {
                        ::core::option::Option::Some(value)
                    } else {
                        ::core::option::Option::None
                    };
                    let value = codegen::merge_member::<codegen::Named<Task>>(current, wire_type, buf, cx)
                        .map_err(|error| codegen::in_field(error, "Figure", "task"))?;
                    if let ::core::option::Option::Some(value) = value {
                        *self = Self::Task(value);
                    }
                    ::core::result::Result::Ok(())
                }
                4u32 => {
                    let current = if let Self::Tree(value) = self {
                        ::core::option::Option::Some(value)
                    } else {
                        ::core::option::Option::None
                    };
                    let value = codegen::merge_member::<codegen::Boxed<codegen::Named<Node>>>(
                        current, wire_type, buf, cx,
                    )
                    .map_err(|error| codegen::in_field(error, "Figure", "tree"))?;
                    if let ::core::option::Option::Some(value) = value {
                        *self = Self::Tree(value);
                    }
                    ::core::result::Result::Ok(())
                }
                5u32 => {
                    let current = if let Self::Empty(value) = self {
                        ::core::option::Option::Some(value)
                    } else {
                        ::core::option::Option::None
                    };
                    let value = codegen::merge_member::<codegen::Named<()>>(current, wire_type, buf, cx)
                        .map_err(|error| codegen::in_field(error, "Figure", "empty"))?;
                    if let ::core::option::Option::Some(value) = value {
                        *self = Self::Empty(value);
                    }
                    ::core::result::Result::Ok(())
                }
                6u32 => {
                    let current = if let Self::Priority(value) = self {
                        ::core::option::Option::Some(value)
                    } else {
                        ::core::option::Option::None
                    };
                    let value =
                        codegen::merge_member::<codegen::Named<Priority>>(current, wire_type, buf, cx)
                            .map_err(|error| codegen::in_field(error, "Figure", "priority"))?;
                    if let ::core::option::Option::Some(value) = value {
                        *self = Self::Priority(value);
                    }
                    ::core::result::Result::Ok(())
                }
                _ => codegen::skip_field(wire_type, number, buf, cx),
            }
        }
        fn encoded_len(&self) -> usize {
            match self {
                Self::Nothing => 0usize,
                Self::Circle(value) => <codegen::Double as codegen::ValueCodec>::field_len(value, 1u32),
                Self::Named(value) => <codegen::Utf8 as codegen::ValueCodec>::field_len(value, 2u32),
                Self::Task(value) => <codegen::Named<Task> as codegen::ValueCodec>::field_len(value, 3u32),
                Self::Tree(value) => {
                    <codegen::Boxed<codegen::Named<Node>> as codegen::ValueCodec>::field_len(value, 4u32)
                }
                Self::Empty(value) => <codegen::Named<()> as codegen::ValueCodec>::field_len(value, 5u32),
                Self::Priority(value) => {
                    <codegen::Named<Priority> as codegen::ValueCodec>::field_len(value, 6u32)
                }
            }
        }
        fn clear(&mut self) {
            *self = ::core::default::Default::default();
        }
    }

    impl codegen::ContractField for Figure {
        codegen::message_field!();
        fn validate(&self, validator: &mut codegen::Validator<'_>) {
            let facts = DESCRIPTOR.fields;
            match self {
                Self::Nothing => {}
                Self::Circle(value) => validator.member::<codegen::Double>(value, &facts[0usize]),
                Self::Named(value) => validator.member::<codegen::Utf8>(value, &facts[1usize]),
                Self::Task(value) => validator.member::<codegen::Named<Task>>(value, &facts[2usize]),
                Self::Tree(value) => {
                    validator.member::<codegen::Boxed<codegen::Named<Node>>>(value, &facts[3usize])
                }
                Self::Empty(value) => validator.member::<codegen::Named<()>>(value, &facts[4usize]),
                Self::Priority(value) => validator.member::<codegen::Named<Priority>>(value, &facts[5usize]),
            }
        }
    }

    impl codegen::Contract for Figure {
        const FULL_NAME: &'static str = "test.Figure";
        fn descriptor() -> &'static codegen::MessageDescriptor {
            &DESCRIPTOR
        }
    }
};
