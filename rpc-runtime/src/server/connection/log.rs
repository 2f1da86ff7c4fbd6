//! What a connection writes into the log of texts that it has not made itself.

use std::fmt::{self, Write};

/// An error with everything that caused it, on one line: what an error says may hold what a peer has sent.
pub(super) struct Causes<'a>(pub(super) &'a (dyn std::error::Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Escaped { f, left: usize::MAX };
        write!(line, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(line, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// The beginning of any text, on one line.
pub(in crate::server) struct OneLine<T>(pub(in crate::server) T);

/// So many characters of such a text are written: it may hold what a peer has sent, which may be long.
const SHOWN: usize = 200;

impl<T: fmt::Display> fmt::Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaped { f, left: SHOWN }, "{}", self.0)
    }
}

/// Writes control characters escaped, so that no text can begin a line or colour a terminal.
struct Escaped<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    /// So many characters are written still.
    left: usize,
}

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                write!(self.f, "{}", character.escape_default())?;
            } else {
                self.f.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_may_have_sent_is_cut_and_stays_on_its_line() {
        let line = OneLine("a\nb\u{1b}[31m\u{2028}").to_string();
        assert_eq!(line, "a\\nb\\u{1b}[31m\\u{2028}");
        let long = OneLine(format_args!("{}{}", "ä".repeat(150), "b".repeat(150))).to_string();
        assert_eq!(long, format!("{}{}", "ä".repeat(150), "b".repeat(50)));
    }
}
