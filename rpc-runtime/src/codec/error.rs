//! Errors of decoding: how they are made, and the path of the field in which one happened.

use std::fmt;

use prost::DecodeError;

/// A decode error with a text of our own.
///
/// The one place that uses prost's constructor, which it marks as going away without naming a successor.
#[cold]
pub fn decode_error(text: &'static str) -> DecodeError {
    #[allow(deprecated, reason = "prost offers no other constructor that takes a text")]
    DecodeError::new(text)
}

/// Adds a field to the path of a decode error; called from the innermost message outwards.
#[cold]
pub fn in_field(mut error: DecodeError, message: &'static str, field: &'static str) -> DecodeError {
    error.push(message, field);
    error
}

/// The path of the field in which decoding failed, from the outermost message inwards: `item.parts.label`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FieldPath {
    path: String,
    /// Whether the message was nested too deeply, which makes the path a cycle that is told once.
    pub(crate) too_deep: bool,
}

/// More than this many bytes of a path help nobody.
const LONGEST_PATH: usize = 200;

impl FieldPath {
    /// Reads the path out of the error's text, the only place where prost shows it: innermost first, each step as
    /// `Message.field: `. The description that follows has blanks before its first colon, steps have none.
    pub(crate) fn of(error: &DecodeError) -> Self {
        let text = error.to_string();
        let mut rest = text
            .strip_prefix("failed to decode Protobuf message: ")
            .unwrap_or(&text);
        let mut steps = Vec::new();
        while let Some((step, after)) = rest.split_once(": ") {
            if step.contains(' ') || !step.contains('.') {
                break;
            }
            steps.push(step);
            rest = after;
        }
        let too_deep = rest == "recursion limit reached";
        let mut path = String::new();
        let mut seen = std::collections::HashSet::new();
        for step in steps.iter().rev() {
            if too_deep && !seen.insert(*step) {
                continue;
            }
            let field = step.rsplit_once('.').map_or(*step, |(_, field)| field);
            if path.len() + field.len() > LONGEST_PATH {
                path.push_str(".…");
                break;
            }
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(field);
        }
        FieldPath { path, too_deep }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.path.is_empty()
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}
