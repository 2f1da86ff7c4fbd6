//! Weighs a body before it is decoded.
//!
//! Goes through the body exactly as decoding does, so that it never stops before decoding would: like prost's decoder
//! it lets a value reach past the end of the message around it, and notices only afterwards.

use bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::{Cost, growth};
use crate::contract::{Cardinality, FieldDescriptor, Holder, Kind, MessageDescriptor};

/// Messages lie at most this deep; decoding refuses what is deeper.
const DEEPEST: u32 = 100;

/// The scan is over: the body is over its budget, or decoding it would fail here.
struct Stop;

struct Scan {
    cost: Cost,
    budget: u64,
}

/// The packed lists of one message, while it is scanned.
#[derive(Default)]
struct Runs {
    /// A bit for each of the first 64 fields whose list has elements.
    begun: u64,
    /// What the first runs took, when they alone were counted exactly.
    exact: u64,
    /// Whether a second run has made the exact count too small.
    grown: bool,
}

/// The cost of `body`, beginning with `once` bytes. What it says of a body that is over `budget` is only that it is.
pub(super) fn scan(message: &'static MessageDescriptor, body: &[u8], once: u64, budget: u64) -> Cost {
    let mut scan = Scan {
        cost: Cost {
            bytes: once,
            elements: 0,
        },
        budget,
    };
    // How it ended does not matter: decoding ends there too.
    let _ = scan.message(message, &mut { body }, 0, 0);
    scan.cost
}

impl Scan {
    fn charge(&mut self, bytes: u64) -> Result<(), Stop> {
        self.cost.bytes = self.cost.bytes.saturating_add(bytes);
        if self.cost.bytes > self.budget {
            Err(Stop)
        } else {
            Ok(())
        }
    }

    /// Scans a message until `end` bytes of the body remain.
    fn message(
        &mut self,
        message: &'static MessageDescriptor,
        buf: &mut &[u8],
        end: usize,
        depth: u32,
    ) -> Result<(), Stop> {
        let mut last = 0;
        let mut runs = Runs::default();
        while buf.len() > end {
            let (number, wire_type) = decode_key(buf).map_err(|_| Stop)?;
            match find(message, number) {
                Some((index, field)) => {
                    let first = last != number;
                    self.field(message, field, wire_type, buf, depth, first, &mut runs, index)?;
                    last = number;
                }
                None => skip(wire_type, number, buf)?,
            }
        }
        if buf.len() == end { Ok(()) } else { Err(Stop) }
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the state of the loop around it, split off to be read on its own"
    )]
    fn field(
        &mut self,
        message: &'static MessageDescriptor,
        field: &'static FieldDescriptor,
        wire_type: WireType,
        buf: &mut &[u8],
        depth: u32,
        first: bool,
        runs: &mut Runs,
        index: usize,
    ) -> Result<(), Stop> {
        let slot = field.layout.slot as u64;
        if field.kind.is_packable() && field.layout.holder == Holder::List {
            let values = if wire_type == WireType::LengthDelimited {
                let end = end_of(buf)?;
                let values = count(field.kind, &buf[..buf.len() - end]);
                buf.advance(buf.len() - end);
                self.cost.elements += values / 16;
                values
            } else {
                self.cost.elements += 1;
                skip(wire_type, field.number, buf)?;
                1
            };
            return if message.reserves_packed {
                self.charge_run(slot, values, index, runs)
            } else {
                // A run of n that is pushed one by one: the first takes a first room, each of the others its share.
                self.charge(growth::push(slot, true) + growth::push(slot, false) * values)
            };
        }
        // Prost's derive reads an entry of a map whatever the wire type of its key says. All else is refused.
        let is_map = matches!(field.layout.holder, Holder::HashMap | Holder::BTreeMap);
        let lenient = is_map && !message.reserves_packed;
        if wire_type != WireType::LengthDelimited && !lenient {
            return if field.kind.is_packable() {
                skip(wire_type, field.number, buf)
            } else {
                Err(Stop)
            };
        }
        self.cost.elements += 1;
        match field.layout.holder {
            Holder::Inline => self.content(field.kind, field, buf, depth, false),
            Holder::List => {
                self.charge(growth::push(slot, first))?;
                self.content(field.kind, field, buf, depth, true)
            }
            Holder::HashMap => {
                self.charge(growth::hash_entry(slot, first))?;
                self.entry(field, buf, depth)
            }
            Holder::BTreeMap => {
                self.charge(growth::tree_entry(slot, first))?;
                self.entry(field, buf, depth)
            }
        }
    }

    /// A run of a list that takes room for all its values at once. One run is counted exactly, which is what honest
    /// senders send; from a second run on, all count as those of a list that grows.
    fn charge_run(&mut self, slot: u64, values: u64, index: usize, runs: &mut Runs) -> Result<(), Stop> {
        // Lists behind the 64th field always count as begun, and as not begun.
        let bit = 1_u64.checked_shl(index as u32).unwrap_or(0);
        let begins = runs.begun & bit == 0;
        if begins && bit != 0 && !runs.grown {
            runs.begun |= if values > 0 { bit } else { 0 };
            let exact = growth::reserve_first(slot, values);
            runs.exact += exact;
            return self.charge(exact);
        }
        if !runs.grown {
            runs.grown = true;
            self.charge(2 * runs.exact)?;
        }
        runs.begun |= bit;
        let room = if begins {
            growth::reserve_first(slot, values.min(1))
        } else {
            0
        };
        self.charge(room + growth::reserve_more(slot, values))
    }

    /// A string, bytes or a message, from its length on.
    fn content(
        &mut self,
        kind: Kind,
        field: &'static FieldDescriptor,
        buf: &mut &[u8],
        depth: u32,
        fresh: bool,
    ) -> Result<(), Stop> {
        let end = end_of(buf)?;
        let len = buf.len() - end;
        self.charge(field.layout.boxed as u64)?;
        match kind {
            Kind::Message(inner) => {
                if depth == DEEPEST {
                    return Err(Stop);
                }
                self.message(inner(), buf, end, depth + 1)
            }
            Kind::Bytes if !field.layout.copied => {
                buf.advance(len);
                Ok(())
            }
            _ => {
                buf.advance(len);
                self.charge(growth::text(len as u64, fresh))
            }
        }
    }

    /// An entry of a map, from its length on: a message of a key and a value, in any order and number.
    fn entry(&mut self, field: &'static FieldDescriptor, buf: &mut &[u8], depth: u32) -> Result<(), Stop> {
        if depth == DEEPEST {
            return Err(Stop);
        }
        let end = end_of(buf)?;
        let Cardinality::Map(key) = field.cardinality else {
            return Err(Stop);
        };
        while buf.len() > end {
            let (number, wire_type) = decode_key(buf).map_err(|_| Stop)?;
            match (number, wire_type) {
                (1, WireType::LengthDelimited) if !key.is_packable() => {
                    let end = end_of(buf)?;
                    let len = buf.len() - end;
                    buf.advance(len);
                    self.charge(growth::text(len as u64, false))?;
                }
                (2, WireType::LengthDelimited) if !field.kind.is_packable() => {
                    self.content(field.kind, field, buf, depth + 1, false)?;
                }
                _ => skip(wire_type, number, buf)?,
            }
        }
        if buf.len() == end { Ok(()) } else { Err(Stop) }
    }
}

/// The field with this number and its place. Fields mostly stand at the place of their number.
fn find(message: &'static MessageDescriptor, number: u32) -> Option<(usize, &'static FieldDescriptor)> {
    let guess = (number as usize).wrapping_sub(1);
    match message.fields.get(guess) {
        Some(field) if field.number == number => Some((guess, field)),
        _ => message
            .fields
            .iter()
            .enumerate()
            .find(|(_, field)| field.number == number),
    }
}

/// Reads a length and gives how many bytes remain behind what it measures.
fn end_of(buf: &mut &[u8]) -> Result<usize, Stop> {
    let len = decode_varint(buf).map_err(|_| Stop)?;
    usize::try_from(len)
        .ok()
        .and_then(|len| buf.len().checked_sub(len))
        .ok_or(Stop)
}

fn skip(wire_type: WireType, number: u32, buf: &mut &[u8]) -> Result<(), Stop> {
    skip_field(wire_type, number, buf, DecodeContext::default()).map_err(|_| Stop)
}

/// At most how many values a packed run holds; of a run of varints, how many bytes end one.
fn count(kind: Kind, run: &[u8]) -> u64 {
    let values = match kind {
        Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => run.len().div_ceil(4),
        Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => run.len().div_ceil(8),
        _ => run.iter().filter(|byte| **byte < 0x80).count() + 1,
    };
    if run.is_empty() { 0 } else { values as u64 }
}
