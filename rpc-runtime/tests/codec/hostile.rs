//! Bodies that are made to take memory: valid fields in any order and number, with lengths that lie now and then.

use prost::encoding::{WireType, encode_key, encode_varint};
use rpc_runtime::contract::{Cardinality, FieldDescriptor, Kind, MessageDescriptor};

/// Makes bodies, the same ones for the same seed.
pub struct Hostile {
    state: u64,
}

impl Hostile {
    pub fn new(seed: u64) -> Self {
        Hostile {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % end
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// A body for `message`, mostly valid.
    pub fn body(&mut self, message: &'static MessageDescriptor) -> Vec<u8> {
        let mut body = self.message(message, 0);
        if self.one_in(20) && !body.is_empty() {
            let at = self.below(body.len() as u64) as usize;
            body[at] = self.below(256) as u8;
        }
        if self.one_in(20) {
            body.truncate(self.below(body.len() as u64 + 1) as usize);
        }
        body
    }

    fn message(&mut self, message: &'static MessageDescriptor, depth: u32) -> Vec<u8> {
        let mut out = Vec::new();
        if message.fields.is_empty() || depth > 6 {
            return out;
        }
        // Few kinds of fields and many of one kind take the most memory.
        let runs = self.below(if depth < 2 { 6 } else { 3 });
        for _ in 0..runs {
            let field = &message.fields[self.below(message.fields.len() as u64) as usize];
            let longest = if depth == 0 { 200 } else { 12 };
            for _ in 0..=self.below(longest) {
                self.field(field, depth, &mut out);
                if out.len() > 20_000 {
                    return out;
                }
            }
            if self.one_in(10) {
                encode_key(1000, WireType::Varint, &mut out);
                encode_varint(1, &mut out);
            }
        }
        out
    }

    fn field(&mut self, field: &'static FieldDescriptor, depth: u32, out: &mut Vec<u8>) {
        match field.cardinality {
            Cardinality::Map(key) => {
                let mut entry = Vec::new();
                for _ in 0..=self.below(2) {
                    if !self.one_in(4) {
                        self.value(key, 1, depth, &mut entry);
                    }
                    if !self.one_in(4) {
                        self.value(field.kind, 2, depth, &mut entry);
                    }
                }
                self.delimited(field.number, &entry, out);
            }
            Cardinality::Repeated if field.kind.is_packable() && !self.one_in(3) => {
                let mut run = Vec::new();
                for _ in 0..self.below(30) {
                    self.scalar(field.kind, &mut run);
                }
                self.delimited(field.number, &run, out);
            }
            _ => self.value(field.kind, field.number, depth, out),
        }
    }

    fn value(&mut self, kind: Kind, number: u32, depth: u32, out: &mut Vec<u8>) {
        match kind {
            Kind::String | Kind::Bytes => {
                let longest = if self.one_in(10) { 2000 } else { 20 };
                let text = vec![b'x'; self.below(longest) as usize];
                self.delimited(number, &text, out);
            }
            Kind::Message(inner) => {
                let inner = self.message(inner(), depth + 1);
                self.delimited(number, &inner, out);
            }
            kind => {
                let wire_type = match kind {
                    Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => WireType::ThirtyTwoBit,
                    Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => WireType::SixtyFourBit,
                    _ => WireType::Varint,
                };
                encode_key(number, wire_type, out);
                self.scalar(kind, out);
            }
        }
    }

    fn scalar(&mut self, kind: Kind, out: &mut Vec<u8>) {
        match kind {
            Kind::Fixed32 | Kind::Sfixed32 | Kind::Float => out.extend([1, 2, 3, 4]),
            Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => out.extend([1, 2, 3, 4, 5, 6, 7, 8]),
            Kind::Bool | Kind::Enum(_) => out.push(self.below(2) as u8),
            _ => encode_varint(self.below(300), out),
        }
    }

    /// A key, a length and so many bytes; one length in 200 lies, by a little or by a lot.
    fn delimited(&mut self, number: u32, bytes: &[u8], out: &mut Vec<u8>) {
        let mut len = bytes.len() as u64;
        if self.one_in(200) {
            len = if self.one_in(2) {
                self.below(len + 2)
            } else {
                len + self.below(5000)
            };
        }
        encode_key(number, WireType::LengthDelimited, out);
        encode_varint(len, out);
        out.extend_from_slice(bytes);
    }
}
