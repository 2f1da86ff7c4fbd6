//! Makes up protobuf bytes for a message from its descriptor: everything that a peer may validly send, and a little that
//! it may not.

use arbitrary::{Result, Unstructured};
use prost::encoding::encode_varint;
use rpc_runtime::contract::{Cardinality, FieldDescriptor, Kind, MessageDescriptor};

/// How deep messages nest; deeper than that only fields without messages are made up.
const DEEPEST: usize = 4;

/// One field on the wire: its key and what follows.
type Record = Vec<u8>;

/// A message of this descriptor: any fields in any order, some of them several times, some of them unknown.
pub(crate) fn message(
    source: &mut Unstructured<'_>,
    descriptor: &MessageDescriptor,
    depth: usize,
) -> Result<Vec<u8>> {
    let mut records = Vec::new();
    let count = source.int_in_range(0..=descriptor.fields.len().min(8) + 1)?;
    for _ in 0..count {
        if descriptor.fields.is_empty() || source.ratio(1, 8)? {
            records.push(unknown(source, descriptor)?);
            continue;
        }
        let field = source.choose(descriptor.fields)?;
        if depth >= DEEPEST && matches!(field.kind, Kind::Message(_)) {
            continue;
        }
        self::field(source, field, depth, &mut records)?;
    }
    // Any order: the shuffle is the source's.
    for at in (1..records.len()).rev() {
        let other = source.int_in_range(0..=at)?;
        records.swap(at, other);
    }
    Ok(records.concat())
}

fn field(
    source: &mut Unstructured<'_>,
    field: &FieldDescriptor,
    depth: usize,
    records: &mut Vec<Record>,
) -> Result<()> {
    match field.cardinality {
        Cardinality::Map(key) => {
            for _ in 0..source.int_in_range(0..=3)? {
                let mut entry = Vec::new();
                // A key or a value may be missing, or stand in the other order.
                let (has_key, has_value, swapped) =
                    (source.ratio(7, 8)?, source.ratio(7, 8)?, source.ratio(1, 4)?);
                let key = if has_key {
                    one(source, 1, key, depth)?
                } else {
                    Vec::new()
                };
                let value = if has_value {
                    one(source, 2, field.kind, depth)?
                } else {
                    Vec::new()
                };
                entry.extend_from_slice(if swapped { &value } else { &key });
                entry.extend_from_slice(if swapped { &key } else { &value });
                records.push(delimited(field.number, &entry));
            }
        }
        Cardinality::Repeated if packs(field.kind) && source.ratio(1, 2)? => {
            let mut body = Vec::new();
            for _ in 0..source.int_in_range(0..=5)? {
                scalar(source, field.kind, &mut body)?;
            }
            records.push(delimited(field.number, &body));
        }
        // Several occurrences: a list, or a value that is replaced or merged.
        _ => {
            for _ in 0..source.int_in_range(0..=3)? {
                records.push(one(source, field.number, field.kind, depth)?);
            }
        }
    }
    Ok(())
}

/// One occurrence of a field.
fn one(source: &mut Unstructured<'_>, number: u32, kind: Kind, depth: usize) -> Result<Record> {
    match kind {
        Kind::Message(descriptor) => {
            let body = message(source, descriptor(), depth + 1)?;
            Ok(delimited(number, &body))
        }
        Kind::String => {
            let text = if source.ratio(1, 40)? {
                b"\xff".to_vec()
            } else {
                <&str>::arbitrary_text(source)?
            };
            Ok(delimited(number, &text))
        }
        Kind::Bytes => {
            let len = source.int_in_range(0..=12)?;
            let body = source.bytes(len.min(source.len()))?.to_vec();
            Ok(delimited(number, &body))
        }
        scalar_kind => {
            let mut record = Vec::new();
            key(number, wire_type(scalar_kind), &mut record);
            scalar(source, scalar_kind, &mut record)?;
            Ok(record)
        }
    }
}

/// Text of one to a few characters, some of them of several bytes.
trait Text {
    fn arbitrary_text(source: &mut Unstructured<'_>) -> Result<Vec<u8>>;
}

impl Text for &str {
    fn arbitrary_text(source: &mut Unstructured<'_>) -> Result<Vec<u8>> {
        let mut text = String::new();
        for _ in 0..source.int_in_range(0..=4)? {
            text.push(*source.choose(&['a', 'Z', ' ', 'ä', '→', '🦀', '\u{0}'])?);
        }
        Ok(text.into_bytes())
    }
}

/// The value of a scalar or enum, without its key.
fn scalar(source: &mut Unstructured<'_>, kind: Kind, out: &mut Vec<u8>) -> Result<()> {
    let bits = *source.choose(&[
        0,
        1,
        2,
        7,
        127,
        128,
        300,
        u64::from(u32::MAX),
        i32::MAX as u64,
        u64::MAX,
        1 << 63,
        0x7ff0_0000_0000_0001,
    ])?;
    let bits = if source.ratio(1, 2)? {
        bits
    } else {
        source.arbitrary()?
    };
    match wire_type(kind) {
        1 => out.extend_from_slice(&bits.to_le_bytes()),
        5 => out.extend_from_slice(&(bits as u32).to_le_bytes()),
        _ => encode_varint(bits, out),
    }
    Ok(())
}

fn wire_type(kind: Kind) -> u32 {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => 1,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => 5,
        Kind::String | Kind::Bytes | Kind::Message(_) => 2,
        _ => 0,
    }
}

fn packs(kind: Kind) -> bool {
    wire_type(kind) != 2
}

fn key(number: u32, wire_type: u32, out: &mut Vec<u8>) {
    encode_varint(u64::from(number << 3 | wire_type), out);
}

fn delimited(number: u32, body: &[u8]) -> Record {
    let mut record = Vec::new();
    key(number, 2, &mut record);
    encode_varint(body.len() as u64, &mut record);
    record.extend_from_slice(body);
    record
}

/// A field that the message does not have, of any wire type, groups included.
fn unknown(source: &mut Unstructured<'_>, descriptor: &MessageDescriptor) -> Result<Record> {
    let mut number = source.int_in_range(1..=3000)?;
    while descriptor.field(number).is_some() {
        number += 1;
    }
    let mut record = Vec::new();
    match source.int_in_range(0..=4)? {
        0 => {
            key(number, 0, &mut record);
            encode_varint(source.arbitrary()?, &mut record);
        }
        1 => {
            key(number, 1, &mut record);
            record.extend_from_slice(&source.arbitrary::<[u8; 8]>()?);
        }
        2 => record = delimited(number, &source.arbitrary::<[u8; 3]>()?),
        3 => {
            key(number, 3, &mut record);
            key(1, 0, &mut record);
            encode_varint(source.arbitrary()?, &mut record);
            key(number, 4, &mut record);
        }
        _ => {
            key(number, 5, &mut record);
            record.extend_from_slice(&source.arbitrary::<[u8; 4]>()?);
        }
    }
    Ok(record)
}
