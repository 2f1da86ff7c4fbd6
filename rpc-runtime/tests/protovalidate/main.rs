//! Compares our validation with protovalidate's: `violations.tsv` and `formats.tsv` are what it answered (README.md says
//! how they were recorded), and every violation must be the same message, with its paths, ids and texts.

use std::collections::HashMap;

use prost::Message;
use rpc_runtime::codegen::{
    self, Bound, Format, Int32, Map, Named, Number, Optional, Pattern, Repeated, Rule, Singular, Utf8,
};
use rpc_runtime::validate::{Violations, validate};

/// Shows a count in the output of a plain `cargo test`, which keeps what tests print.
macro_rules! report {
    ($($text:tt)*) => {{
        use std::io::Write;
        writeln!(std::io::stderr(), $($text)*).expect("standard error is there");
    }};
}

#[derive(Clone, PartialEq, Message)]
struct Inner {
    #[prost(string, tag = "1")]
    label: String,
    #[prost(message, optional, boxed, tag = "2")]
    next: Option<Box<Inner>>,
}

codegen::prost_contract! {
    Inner = "cases" "cases.Inner" {
        label: 1 => Singular<Utf8> [.rules(&[Rule::MaxLen(3)])],
        next: 2 => Optional<codegen::Boxed<Named<Inner>>>,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
enum Color {
    #[default]
    Unspecified = 0,
    Red = 1,
}

impl codegen::ContractField for Color {
    codegen::enum_field!();
}

impl codegen::ContractEnum for Color {
    const FULL_NAME: &'static str = "cases.Color";
    fn number(self) -> i32 {
        self as i32
    }
    fn from_number(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Unspecified),
            1 => Some(Self::Red),
            _ => None,
        }
    }
    fn descriptor() -> &'static codegen::EnumDescriptor {
        static DESCRIPTOR: codegen::EnumDescriptor =
            codegen::EnumDescriptor::new("cases", "cases.Color", "Color", &[]);
        &DESCRIPTOR
    }
}

static LOWERCASE: Pattern = Pattern::new("^[a-z]*$");
const LOW: Bound = Bound::Inclusive(Number::Int(-5));
const ABOVE_LOW: Bound = Bound::Exclusive(Number::Int(-5));
const HIGH: Bound = Bound::Inclusive(Number::Int(5));
const BELOW_HIGH: Bound = Bound::Exclusive(Number::Int(5));
const HIGH_UINT: Bound = Bound::Inclusive(Number::Uint(5));
const BELOW_HIGH_UINT: Bound = Bound::Exclusive(Number::Uint(5));

/// A message whose fields are declared in one line each: name, number, type, codec and rules.
macro_rules! case {
    ($($name:ident: $number:literal, $codec:ty, $rules:expr;)*) => {
        #[derive(Clone, Debug, PartialEq)]
        struct Case { $($name: <$codec as codegen::FieldCodec>::Field,)* kind: Kind }

        impl Default for Case {
            fn default() -> Self {
                Case { $($name: <$codec as codegen::FieldCodec>::zero(),)* kind: Kind::default() }
            }
        }

        impl Message for Case {
            fn encode_raw(&self, buf: &mut impl codegen::BufMut) {
                $(<$codec as codegen::FieldCodec>::encode(&self.$name, $number, buf);)*
            }
            fn merge_field(
                &mut self,
                number: u32,
                wire_type: codegen::WireType,
                buf: &mut impl codegen::Buf,
                cx: codegen::DecodeContext,
            ) -> Result<(), codegen::DecodeError> {
                match number {
                    $($number => <$codec as codegen::FieldCodec>::merge(&mut self.$name, wire_type, buf, cx),)*
                    _ => self.kind.merge_field(number, wire_type, buf, cx),
                }
            }
            fn encoded_len(&self) -> usize {
                0 $(+ <$codec as codegen::FieldCodec>::encoded_len(&self.$name, $number))*
            }
            fn clear(&mut self) {
                *self = Case::default();
            }
        }

        impl codegen::Contract for Case {
            const FULL_NAME: &'static str = "cases.Case";
            fn descriptor() -> &'static codegen::MessageDescriptor {
                static DESCRIPTOR: codegen::MessageDescriptor =
                    codegen::MessageDescriptor::new::<Case>("cases", "cases.Case", "Case", &[
                        $(codegen::FieldDescriptor::of::<$codec>(stringify!($name), $number).rules($rules),)*
                    ]);
                &DESCRIPTOR
            }
        }

        impl codegen::ContractField for Case {
            codegen::message_field!();
            fn validate(&self, validator: &mut codegen::Validator<'_>) {
                let mut facts = <Self as codegen::Contract>::descriptor().fields.iter();
                $(<$codec as codegen::FieldCodec>::validate(&self.$name, facts.next().expect("a fact"), validator);)*
                codegen::ContractField::validate(&self.kind, validator);
            }
        }
    };
}

case! {
    min_len: 1, Singular<Utf8>, &[Rule::MinLen(2)];
    max_len: 2, Singular<Utf8>, &[Rule::MaxLen(3)];
    pattern: 3, Singular<Utf8>, &[Rule::Pattern(&LOWERCASE)];
    bytes_min: 4, Singular<codegen::ByteVec>, &[Rule::MinLen(2)];
    bytes_max: 5, Singular<codegen::ByteSlice>, &[Rule::MaxLen(3)];
    bytes_pattern: 6, Singular<codegen::ByteVec>, &[Rule::Pattern(&LOWERCASE)];
    i32: 7, Singular<Int32>, &[Rule::Range { min: LOW, max: HIGH }];
    i64: 8, Singular<codegen::Int64>, &[Rule::Range { min: LOW, max: BELOW_HIGH }];
    u32: 9, Singular<codegen::Uint32>, &[Rule::Range { min: Bound::Unbounded, max: HIGH_UINT }];
    u64: 10, Singular<codegen::Uint64>, &[Rule::Range { min: Bound::Unbounded, max: BELOW_HIGH_UINT }];
    s32: 11, Singular<codegen::Sint32>, &[Rule::Range { min: LOW, max: Bound::Unbounded }];
    s64: 12, Singular<codegen::Sint64>, &[Rule::Range { min: ABOVE_LOW, max: Bound::Unbounded }];
    f32: 13, Singular<codegen::Fixed32>, &[Rule::Range { min: Bound::Unbounded, max: HIGH_UINT }];
    f64: 14, Singular<codegen::Fixed64>, &[Rule::Range { min: Bound::Unbounded, max: BELOW_HIGH_UINT }];
    sf32: 15, Singular<codegen::Sfixed32>, &[Rule::Range { min: ABOVE_LOW, max: BELOW_HIGH }];
    sf64: 16, Singular<codegen::Sfixed64>, &[Rule::Range { min: ABOVE_LOW, max: HIGH }];
    fl: 17, Singular<codegen::Float>, &[Rule::Range {
        min: Bound::Inclusive(Number::Float(-0.5)),
        max: Bound::Inclusive(Number::Float(0.5)),
    }];
    db: 18, Singular<codegen::Double>, &[Rule::Range {
        min: Bound::Inclusive(Number::Double(-1.5)),
        max: Bound::Exclusive(Number::Double(1e21)),
    }];
    email: 19, Singular<Utf8>, &[Rule::Format(Format::Email)];
    uuid: 20, Singular<Utf8>, &[Rule::Format(Format::Uuid)];
    uri: 21, Singular<Utf8>, &[Rule::Format(Format::Uri)];
    hostname: 22, Singular<Utf8>, &[Rule::Format(Format::Hostname)];
    ip: 23, Singular<Utf8>, &[Rule::Format(Format::Ip)];
    min_items: 24, Repeated<Int32>, &[Rule::MinItems(2)];
    max_items: 25, Repeated<Int32>, &[Rule::MaxItems(2)];
    items: 26, Repeated<Utf8>, &[Rule::MaxLen(3)];
    pairs: 27, Map<Utf8, Int32>, &[Rule::MinItems(1), Rule::MaxItems(2)];
    values: 28, Map<Int32, Utf8>, &[Rule::MaxLen(3)];
    required: 29, Singular<Utf8>, &[Rule::Required];
    optional_required: 30, Optional<Utf8>, &[Rule::Required];
    optional_email: 31, Optional<Utf8>, &[Rule::Format(Format::Email)];
    inner: 32, Optional<Named<Inner>>, &[];
    inners: 33, Repeated<Named<Inner>>, &[];
    inner_map: 34, Map<Utf8, Named<Inner>>, &[];
    bool_map: 35, Map<codegen::Bool, Named<Inner>>, &[];
    uint_map: 36, Map<codegen::Uint64, Named<Inner>>, &[];
    required_items: 39, Repeated<Utf8>, &[Rule::Required, Rule::MinItems(2)];
    color: 40, Singular<Named<Color>>, &[Rule::Required];
    both: 41, Singular<Utf8>, &[Rule::MinLen(5), Rule::Pattern(&LOWERCASE)];
    int_values: 42, codegen::SortedMap<Utf8, Int32>, &[Rule::Range {
        min: Bound::Inclusive(Number::Int(0)),
        max: Bound::Inclusive(Number::Int(9)),
    }];
    required_inner: 43, Optional<Named<Inner>>, &[Rule::Required];
}

/// The `oneof` of `Case`, flattened into it as prost flattens one.
#[derive(Clone, PartialEq, Message)]
struct Kind {
    #[prost(oneof = "KindMember", tags = "37, 38")]
    kind: Option<KindMember>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum KindMember {
    #[prost(string, tag = "37")]
    Member(String),
    #[prost(message, tag = "38")]
    MemberInner(Inner),
}

codegen::prost_contract! {
    Kind = "cases" "cases.Kind" {
        oneof kind: KindMember {
            Member: member = 37 => Utf8 [.rules(&[Rule::MaxLen(3)])],
            MemberInner: member_inner = 38 => Named<Inner>,
        },
    }
}

fn rows(recorded: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    recorded
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
}

fn bytes(hex: &str) -> Vec<u8> {
    if hex == "-" {
        return Vec::new();
    }
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
        .collect()
}

#[test]
fn every_violation_is_protovalidates() {
    let mut compared = 0;
    for row in rows(include_str!("violations.tsv")) {
        let case = Case::decode(bytes(row[1]).as_slice()).expect("a case");
        let mut theirs = Violations::decode(bytes(row[2]).as_slice())
            .expect("violations")
            .violations;
        let mut ours = validate(&case)
            .err()
            .map(|found| found.violations)
            .unwrap_or_default();
        // Protovalidate promises no order among the fields.
        theirs.sort_by_key(|violation| format!("{violation:?}"));
        ours.sort_by_key(|violation| format!("{violation:?}"));
        assert_eq!(ours, theirs, "{}: {}", row[0], row[3]);
        compared += 1;
    }
    assert!(compared >= 60, "only {compared} cases");
    report!("{compared} cases compared with protovalidate");
}

#[test]
fn every_format_is_protovalidates() {
    let formats = HashMap::from([
        ("email", Format::Email),
        ("uuid", Format::Uuid),
        ("uri", Format::Uri),
        ("hostname", Format::Hostname),
        ("ip", Format::Ip),
    ]);
    let mut wrong = Vec::new();
    let mut compared = 0;
    for row in rows(include_str!("formats.tsv")) {
        let text = String::from_utf8(bytes(row[1])).expect("a string");
        if formats[row[0]].holds_for(&text) != (row[2] == "yes") {
            wrong.push(row.join(" "));
        }
        compared += 1;
    }
    assert!(
        wrong.is_empty(),
        "differ from protovalidate:\n{}",
        wrong.join("\n")
    );
    report!("{compared} strings compared with protovalidate");
}
