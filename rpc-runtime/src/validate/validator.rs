//! Walks a message and checks its rules.

use super::broken::{self, Broken, Check, Subscripted, field_path};
use super::rule::{Bound, Number, Rule};
use super::violation::Violation;
use crate::codec::ValueCodec;
use crate::contract::{FieldDescriptor, Kind};

/// Checks the rules of a message and of those inside it, and collects what violates them.
///
/// A message that keeps its rules costs no allocation: the path to where the walk stands is a list on the stack, and is
/// written out only for a violation.
#[derive(Debug)]
pub struct Validator<'a> {
    found: &'a mut Vec<Violation>,
    path: Option<&'a Step<'a>>,
}

/// One step of the path from the outermost message to where the walk stands.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) outer: Option<&'a Step<'a>>,
    pub(super) field: &'static FieldDescriptor,
    pub(super) subscript: Subscripted<'a>,
}

/// A value as rules see it.
#[derive(Debug, Clone, Copy)]
pub enum ValueRef<'a> {
    /// A `bool`.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A `float`.
    Float(f32),
    /// A `double`.
    Double(f64),
    /// A `string`.
    Text(&'a str),
    /// `bytes`.
    Bytes(&'a [u8]),
    /// An enum, by number.
    Enum(i32),
    /// A message, whose own rules are checked inside it.
    Message,
}

impl<'a> Validator<'a> {
    /// More violations than these are not told: a list of a million bad items is one answer, not a million.
    pub const MOST_VIOLATIONS: usize = 100;

    pub(super) fn new(found: &'a mut Vec<Violation>) -> Self {
        Validator { found, path: None }
    }

    /// Checks a field of one value.
    #[inline]
    pub fn singular<C: ValueCodec>(&mut self, value: &C::Value, facts: &'static FieldDescriptor) {
        if !facts.rules.is_empty() {
            let missing = !matches!(C::KIND, Kind::Message(_)) && C::is_zero(value);
            if self.check_required(missing, facts) {
                self.check_value(C::view(value), facts, Subscripted::None, Check::Value);
            }
        }
        self.descend::<C>(value, facts, Subscripted::None);
    }

    /// Checks an optional field.
    #[inline]
    pub fn optional<C: ValueCodec>(&mut self, value: Option<&C::Value>, facts: &'static FieldDescriptor) {
        match value {
            Some(value) => self.member::<C>(value, facts),
            None => {
                self.check_required(true, facts);
            }
        }
    }

    /// Checks a value that is set: the member of a `oneof`, the value of an `Option`.
    #[inline]
    pub fn member<C: ValueCodec>(&mut self, value: &C::Value, facts: &'static FieldDescriptor) {
        if !facts.rules.is_empty() {
            self.check_value(C::view(value), facts, Subscripted::None, Check::Value);
        }
        self.descend::<C>(value, facts, Subscripted::None);
    }

    /// Checks a list and its items.
    #[inline]
    pub fn repeated<C: ValueCodec>(&mut self, values: &[C::Value], facts: &'static FieldDescriptor) {
        if !facts.rules.is_empty() {
            if !self.check_required(values.is_empty(), facts) {
                return;
            }
            self.check_count(values.len(), facts, Check::Items);
        } else if !matches!(C::KIND, Kind::Message(_)) {
            return;
        }
        for (index, value) in values.iter().enumerate() {
            if self.is_full() {
                return;
            }
            let subscript = Subscripted::Index(index as u64);
            if !facts.rules.is_empty() {
                self.check_value(C::view(value), facts, subscript, Check::Items);
            }
            self.descend::<C>(value, facts, subscript);
        }
    }

    /// Checks a map and its values.
    #[inline]
    pub fn map<'v, K: ValueCodec, V: ValueCodec>(
        &mut self,
        len: usize,
        entries: impl Iterator<Item = (&'v K::Value, &'v V::Value)>,
        facts: &'static FieldDescriptor,
    ) where
        K::Value: 'v,
        V::Value: 'v,
    {
        if !facts.rules.is_empty() {
            if !self.check_required(len == 0, facts) {
                return;
            }
            self.check_count(len, facts, Check::Values);
        } else if !matches!(V::KIND, Kind::Message(_)) {
            return;
        }
        for (key, value) in entries {
            if self.is_full() {
                return;
            }
            let subscript = Subscripted::Key(K::view(key));
            if !facts.rules.is_empty() {
                self.check_value(V::view(value), facts, subscript, Check::Values);
            }
            self.descend::<V>(value, facts, subscript);
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= Self::MOST_VIOLATIONS
    }

    /// Checks the rules inside a message.
    #[inline]
    fn descend<C: ValueCodec>(
        &mut self,
        value: &C::Value,
        facts: &'static FieldDescriptor,
        subscript: Subscripted<'_>,
    ) {
        if matches!(C::KIND, Kind::Message(_)) {
            let step = Step {
                outer: self.path,
                field: facts,
                subscript,
            };
            C::validate(
                value,
                &mut Validator {
                    found: self.found,
                    path: Some(&step),
                },
            );
        }
    }

    /// Whether the other rules of the field are to be checked: a field that is required and missing violates that alone.
    fn check_required(&mut self, missing: bool, facts: &'static FieldDescriptor) -> bool {
        if !missing || !facts.is_required() {
            return true;
        }
        self.add(facts, Subscripted::None, Check::Value, broken::required());
        false
    }

    fn check_count(&mut self, len: usize, facts: &'static FieldDescriptor, check: Check) {
        let len = len as u64;
        for rule in facts.rules {
            match *rule {
                Rule::MinItems(min) if len < min => {
                    self.add(
                        facts,
                        Subscripted::None,
                        Check::Value,
                        broken::min_items(check, min),
                    );
                }
                Rule::MaxItems(max) if len > max => {
                    self.add(
                        facts,
                        Subscripted::None,
                        Check::Value,
                        broken::max_items(check, max),
                    );
                }
                _ => {}
            }
        }
    }

    fn check_value(
        &mut self,
        value: ValueRef<'_>,
        facts: &'static FieldDescriptor,
        subscript: Subscripted<'_>,
        check: Check,
    ) {
        for rule in facts.rules {
            let broken = match (rule, value) {
                (Rule::MinLen(min), ValueRef::Text(text)) if is_shorter(text, *min) => {
                    broken::text_min_len(*min)
                }
                (Rule::MaxLen(max), ValueRef::Text(text)) if is_longer(text, *max) => {
                    broken::text_max_len(*max)
                }
                (Rule::MinLen(min), ValueRef::Bytes(bytes)) if (bytes.len() as u64) < *min => {
                    broken::bytes_min_len(*min)
                }
                (Rule::MaxLen(max), ValueRef::Bytes(bytes)) if bytes.len() as u64 > *max => {
                    broken::bytes_max_len(*max)
                }
                (Rule::Pattern(pattern), ValueRef::Text(text)) if !pattern.is_match(text) => {
                    broken::text_pattern(pattern.text())
                }
                (Rule::Pattern(pattern), ValueRef::Bytes(bytes))
                    if !std::str::from_utf8(bytes).is_ok_and(|text| pattern.is_match(text)) =>
                {
                    broken::bytes_pattern(pattern.text())
                }
                (Rule::Format(format), ValueRef::Text(text)) if !format.holds_for(text) => {
                    broken::format(*format, text.is_empty())
                }
                (Rule::Range { min, max }, value) if !in_range(value, *min, *max) => {
                    broken::range(facts.kind, *min, *max)
                }
                _ => continue,
            };
            self.add(facts, subscript, check, broken);
        }
    }

    #[cold]
    fn add(
        &mut self,
        facts: &'static FieldDescriptor,
        subscript: Subscripted<'_>,
        check: Check,
        broken: Broken,
    ) {
        if self.is_full() {
            return;
        }
        let step = Step {
            outer: self.path,
            field: facts,
            subscript,
        };
        self.found.push(broken.at(field_path(&step), check));
    }
}

/// Whether `text` has fewer characters than `min`. Protovalidate counts Unicode scalar values, of one to four bytes each,
/// so that most texts need not be counted.
fn is_shorter(text: &str, min: u64) -> bool {
    let bytes = text.len() as u64;
    bytes < min || bytes / 4 < min && (text.chars().count() as u64) < min
}

/// Whether `text` has more characters than `max`.
fn is_longer(text: &str, max: u64) -> bool {
    text.len() as u64 > max && text.chars().count() as u64 > max
}

/// Not-a-number is in no range.
fn in_range(value: ValueRef<'_>, min: Bound, max: Bound) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};

    let compare = |bound: Number| match (value, bound) {
        (ValueRef::Int(value), Number::Int(bound)) => Some(value.cmp(&bound)),
        (ValueRef::Uint(value), Number::Uint(bound)) => Some(value.cmp(&bound)),
        (ValueRef::Float(value), Number::Float(bound)) => value.partial_cmp(&bound),
        (ValueRef::Float(value), bound) => f64::from(value).partial_cmp(&bound.to_f64()),
        (ValueRef::Double(value), bound) => value.partial_cmp(&bound.to_f64()),
        // A bound of another type never holds; the macro writes bounds of the field's own type.
        _ => None,
    };
    let above = match min {
        Bound::Unbounded => true,
        Bound::Inclusive(bound) => matches!(compare(bound), Some(Equal | Greater)),
        Bound::Exclusive(bound) => matches!(compare(bound), Some(Greater)),
    };
    let below = match max {
        Bound::Unbounded => true,
        Bound::Inclusive(bound) => matches!(compare(bound), Some(Equal | Less)),
        Bound::Exclusive(bound) => matches!(compare(bound), Some(Less)),
    };
    above && below
}
