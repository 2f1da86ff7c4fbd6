//! Texts of others, as a terminal and a log show them: one line, of which nothing is a command, and nothing is not seen.

/// Whether a terminal takes a character for a command, or shows it as something else than what it is: controls, what separates lines
/// or turns the direction, and what is not seen, which is Unicode's `Default_Ignorable_Code_Point` but for U+FE00 to U+FE0F, with which
/// emoji are written.
///
/// ```
/// use rpc_runtime::text::is_hidden;
///
/// assert!("\u{1b}\n\u{202e}\u{200b}".chars().all(is_hidden));
/// assert!(!"é 日本 ❤\u{fe0f}".chars().any(is_hidden));
/// ```
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A text as one line that a terminal only shows: what [is hidden](is_hidden) stands as `\n`, `\u{202e}` and the like. A backslash stays
/// as it is, so that this is to be read by people, and not to be read back.
///
/// ```
/// use rpc_runtime::text::one_line;
///
/// assert_eq!(one_line("\u{1b}[2Jann\nbob"), r"\u{1b}[2Jann\nbob");
/// ```
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match is_hidden(c) {
            true => line.extend(c.escape_default()),
            false => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use expect_test::expect_file;

    use super::*;

    #[test]
    fn a_text_cannot_move_the_cursor_or_begin_a_line() {
        let text =
            "red \u{1b}[31m\r\nback\u{8} \u{202e}nrut\u{9b}2J\u{85}\u{200b} é grüße 日本 🙂 ❤\u{fe0f} \\";
        let line = "red \\u{1b}[31m\\r\\nback\\u{8} \\u{202e}nrut\\u{9b}2J\\u{85}\\u{200b} é grüße 日本 🙂 ❤\u{fe0f} \\";
        assert_eq!(one_line(text), line);
    }

    /// The explorer's page has the same list in TypeScript (`plain` in its `form/json.ts`), and its test reads this file.
    #[test]
    fn what_is_hidden_is_what_stands_in_the_file_that_the_explorer_is_held_to() {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for c in ('\0'..=char::MAX).filter(|&c| is_hidden(c)).map(u32::from) {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == c => *last = c,
                _ => ranges.push((c, c)),
            }
        }
        let mut text = String::new();
        for (first, last) in ranges {
            let _ = writeln!(text, "{first:04x}-{last:04x}");
        }
        expect_file!["../tests/hidden.txt"].assert_eq(&text);
    }
}
