//! What is printed. What comes from elsewhere is data: nothing of it reaches a terminal that would command it.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use rpc_runtime::text::is_hidden;
pub(crate) use rpc_runtime::text::one_line;
use serde_json::Value;

use crate::failure::{Exit, Failure};

/// Names of fields, methods and types.
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();
/// Texts.
pub(crate) const TEXT: Style = AnsiColor::Green.on_default();
/// Numbers, and what else is no text.
pub(crate) const NUMBER: Style = AnsiColor::Yellow.on_default();
/// Docs and what stands beside.
pub(crate) const QUIET: Style = Style::new().dimmed();
/// What stands above others.
pub(crate) const HEAD: Style = Style::new().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Prints a line to the standard output, in colours where that is a terminal which wants them.
///
/// # Errors
///
/// A failure that is none where nobody reads any more.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|error| unwritable(&error))
}

/// Prints as it is.
pub(crate) fn write_raw(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|error| unwritable(&error))
}

fn unwritable(error: &io::Error) -> Failure {
    match error.kind() {
        // Whoever reads the output has read enough.
        io::ErrorKind::BrokenPipe => Failure::new(Exit::Done, ""),
        _ => Failure::new(Exit::Failed, format!("the output cannot be written: {error}")),
    }
}

/// Says something beside the output.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{QUIET}{}{QUIET:#}", one_line(text));
}

pub(crate) fn error(failure: &Failure) {
    let mut out = anstream::stderr().lock();
    let _ = writeln!(out, "{ERROR}error:{ERROR:#} {failure}");
    if let Some(hint) = failure.hinted() {
        let _ = writeln!(out, "{HEAD}hint:{HEAD:#} {hint}");
    }
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `2 events`, `1,000 events`.
pub(crate) fn count_of(count: u64, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {what}{s}", grouped(count))
}

/// A JSON value on one line, without colours.
pub(crate) fn compact(value: &Value) -> String {
    let mut text = String::new();
    write_json(&mut text, value, None, false);
    text
}

/// A JSON value on lines of its own, in colours.
pub(crate) fn pretty(value: &Value) -> String {
    let mut text = String::new();
    write_json(&mut text, value, Some(0), true);
    text
}

/// A JSON value on one line, in colours.
pub(crate) fn coloured(value: &Value) -> String {
    let mut text = String::new();
    write_json(&mut text, value, None, true);
    text
}

/// Writes JSON: on lines of its own where there is an indentation, in colours and with spaces between where people read it.
fn write_json(out: &mut String, value: &Value, indent: Option<usize>, coloured: bool) {
    let style = |style: Style| if coloured { style } else { Style::new() };
    let inner = indent.map(|indent| indent + 2);
    let newline = |out: &mut String, indent: Option<usize>| {
        if let Some(indent) = indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
        }
    };
    let begin = |out: &mut String, at: usize| {
        if at > 0 {
            out.push_str(if indent.is_none() && coloured { ", " } else { "," });
        }
        newline(out, inner);
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push('{');
            for (at, (key, value)) in fields.iter().enumerate() {
                begin(out, at);
                let (key, name) = (quoted(key), style(NAME));
                let space = if coloured { " " } else { "" };
                let _ = write!(out, "{name}{key}{name:#}:{space}");
                write_json(out, value, inner, coloured);
            }
            newline(out, indent);
            out.push('}');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                begin(out, at);
                write_json(out, item, inner, coloured);
            }
            newline(out, indent);
            out.push(']');
        }
        Value::String(string) => {
            let text = style(TEXT);
            let _ = write!(out, "{text}{}{text:#}", quoted(string));
        }
        other => {
            let number = style(NUMBER);
            let _ = write!(out, "{number}{other}{number:#}");
        }
    }
}

/// A JSON string in which nothing is left that a terminal does not simply show.
fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        match is_hidden(c) {
            true => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(shown, "\\u{unit:04x}");
                }
            }
            false => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_that_a_terminal_would_take_for_a_command_is_printed() {
        let evil = "a\u{1b}[2Jb\u{9b}1mc\u{7f}d\u{202e}e\nf\u{2066}g\u{61c}h\u{200b}i\u{200d}j\u{2060}k\u{feff}l\u{e0041}m\u{ad}n";
        for shown in [
            compact(&json!({ evil: evil })),
            anstream::adapter::strip_str(&pretty(&json!({ "k": [evil] }))).to_string(),
        ] {
            let hidden = shown.chars().any(|c| !c.is_ascii_graphic() && !" \n".contains(c));
            assert!(!hidden, "{shown:?}");
        }
        let read: Value = serde_json::from_str(&compact(&json!(evil))).unwrap();
        assert_eq!(read, json!(evil), "and it is the same text");
        let fine = "\u{e9}t\u{e9} \u{2764}\u{fe0f} \u{65e5}\u{672c}\u{8a9e} \u{5d0}";
        assert_eq!(compact(&json!(fine)), format!("\"{fine}\""));
    }

    #[test]
    fn large_numbers_are_grouped() {
        for (number, expected) in [
            (0, "0 calls"),
            (1, "1 call"),
            (999, "999 calls"),
            (1_000, "1,000 calls"),
            (1_234_567, "1,234,567 calls"),
        ] {
            assert_eq!(count_of(number, "call"), expected);
        }
    }

    #[test]
    fn compact_and_pretty_are_the_same_value() {
        let value = json!({"a": [1, {"b": null}, [], {}], "c": "d", "e": true, "f": 1.5});
        assert_eq!(
            compact(&value),
            r#"{"a":[1,{"b":null},[],{}],"c":"d","e":true,"f":1.5}"#
        );
        for shown in [pretty(&value), coloured(&value)] {
            let plain = anstream::adapter::strip_str(&shown).to_string();
            assert_eq!(serde_json::from_str::<Value>(&plain).unwrap(), value, "{plain}");
        }
        assert!(!coloured(&value).contains('\n') && pretty(&value).contains("\n  "));
    }
}
