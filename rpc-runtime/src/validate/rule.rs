//! The rules that a contract may declare for a field.

use std::fmt;
use std::sync::OnceLock;

use regex::Regex;

/// A rule. Lengths, ranges, patterns and formats hold for the value; of a list for each item, of a map for each value.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Rule {
    /// At least so many characters of a `string`, bytes of `bytes`.
    MinLen(u64),
    /// At most so many characters of a `string`, bytes of `bytes`.
    MaxLen(u64),
    /// A `string` in which the pattern is found; it is anchored only where it says so.
    Pattern(&'static Pattern),
    /// A number between two bounds.
    Range {
        /// The smallest.
        min: Bound,
        /// The largest.
        max: Bound,
    },
    /// At least so many items of a list, entries of a map.
    MinItems(u64),
    /// At most so many items of a list, entries of a map.
    MaxItems(u64),
    /// A `string` of a known form.
    Format(Format),
    /// Set: `Some` of an `Option`, not zero elsewhere. A message that is not in an `Option` is always set.
    Required,
}

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// No bound.
    Unbounded,
    /// The value itself is allowed.
    Inclusive(Number),
    /// The value itself is not allowed.
    Exclusive(Number),
}

/// A number of any of protobuf's types.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// Of a signed integer.
    Int(i64),
    /// Of an unsigned integer.
    Uint(u64),
    /// Of a `float`.
    Float(f32),
    /// Of a `double`.
    Double(f64),
}

impl Number {
    /// The number as a `double`, the nearest where it has none of its own.
    pub(super) fn to_f64(self) -> f64 {
        match self {
            Number::Int(number) => number as f64,
            Number::Uint(number) => number as f64,
            Number::Float(number) => f64::from(number),
            Number::Double(number) => number,
        }
    }
}

/// A known form of strings, as protovalidate defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `name@host`, as HTML's input field takes it.
    Email,
    /// A UUID with dashes.
    Uuid,
    /// A URI with a scheme (RFC 3986).
    Uri,
    /// A host name (RFC 1123).
    Hostname,
    /// An IPv4 or IPv6 address.
    Ip,
}

/// A regular expression, compiled when it is first needed.
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// The pattern `text`, which the macro has checked.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Pattern {
            text,
            compiled: OnceLock::new(),
        }
    }

    /// The text of the pattern.
    #[must_use]
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// Whether the pattern is found in `value`. A pattern that does not compile is found nowhere: a rule that cannot be
    /// checked must not let values through.
    #[must_use]
    pub fn is_match(&self, value: &str) -> bool {
        self.compiled
            .get_or_init(|| Regex::new(self.text).ok())
            .as_ref()
            .is_some_and(|regex| regex.is_match(value))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}
