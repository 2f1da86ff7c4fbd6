//! Reads the library's name from a `Cargo.toml`. As much of TOML as that takes: cargo has checked the rest.

use std::iter::Peekable;
use std::str::Chars;

/// What a manifest is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A bare key or value.
    Word(String),
    /// What quotes hold.
    Text(String),
    /// `[`, `=`, `.`, a line's end, …
    Mark(char),
}

/// The name that `[lib]`, `lib = { … }` or `lib.name` gives the library.
pub(crate) fn library_name(manifest: &str) -> Option<String> {
    let tokens = tokens(manifest);
    let mut rest = tokens.as_slice();
    let mut table: Vec<&str> = Vec::new();
    while let Some(first) = rest.first() {
        let end = statement(rest);
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        if *first == Token::Mark('[') {
            // `[[bin]]` is none of `[bin]`.
            table = match line.get(1) {
                Some(Token::Mark('[')) => vec!["[]"],
                _ => keys(line),
            };
        } else if let Some(name) = assigned(&table, line) {
            return Some(name);
        }
    }
    None
}

/// The name, if it is what this assignment is about: `name = "…"`, or a table in braces with it.
fn assigned(table: &[&str], line: &[Token]) -> Option<String> {
    let at = line.iter().position(|token| *token == Token::Mark('='))?;
    let mut path = table.to_vec();
    path.extend(keys(&line[..at]));
    match (&line.get(at + 1)?, path.as_slice()) {
        (Token::Text(name), ["lib", "name"]) => Some(name.clone()),
        (Token::Mark('{'), ["lib"]) => {
            let mut depth = 0_usize;
            line[at + 2..]
                .split(|token| {
                    match token {
                        Token::Mark('{' | '[') => depth += 1,
                        Token::Mark('}' | ']') => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    depth == 0 && *token == Token::Mark(',')
                })
                .find_map(|pair| assigned(&["lib"], pair))
        }
        _ => None,
    }
}

/// The keys of a path: `lib . "name"`.
fn keys(tokens: &[Token]) -> Vec<&str> {
    let keys = tokens.iter().filter_map(|token| match token {
        Token::Word(key) | Token::Text(key) => Some(key.as_str()),
        Token::Mark(_) => None,
    });
    keys.collect()
}

/// Where the first statement ends: at the end of a line that is in no brackets.
fn statement(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    let ends = tokens.iter().position(|token| {
        match token {
            Token::Mark('[' | '{') => depth += 1,
            Token::Mark(']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && *token == Token::Mark('\n')
    });
    ends.unwrap_or(tokens.len())
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '#' => while rest.next_if(|next| *next != '\n').is_some() {},
            '"' | '\'' => tokens.push(Token::Text(quoted(next, &mut rest))),
            '[' | ']' | '{' | '}' | '=' | ',' | '.' | '\n' => tokens.push(Token::Mark(next)),
            next if next.is_whitespace() => {}
            next => {
                let mut word = String::from(next);
                while let Some(next) =
                    rest.next_if(|next| !next.is_whitespace() && !"#\"'[]{}=,.".contains(*next))
                {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    tokens
}

/// What follows an opening quote, to the closing one; three quotes hold several lines. No name has escapes, so they are
/// only passed over.
fn quoted(quote: char, rest: &mut Peekable<Chars<'_>>) -> String {
    let mut ends = 1;
    if rest.next_if_eq(&quote).is_some() {
        if rest.next_if_eq(&quote).is_none() {
            return String::new();
        }
        ends = 3;
    }
    let mut text = String::new();
    let mut closing = 0;
    while let Some(next) = rest.next() {
        text.push(next);
        if next == quote {
            closing += 1;
            if closing == ends {
                text.truncate(text.len() - ends);
                break;
            }
            continue;
        }
        closing = 0;
        if next == '\\' && quote == '"' {
            text.extend(rest.next());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_has_the_name_that_its_manifest_gives() {
        for manifest in [
            "[lib]\nname = \"renamed\"",
            "[lib]\r\nname = \"renamed\"\r\n",
            "[lib]\nname = \"renamed\" # comment",
            "[lib] # comment\n\n# name = \"other\"\nname='renamed'#x\n",
            "[ lib ]\npath = \"a#b.rs\"\n\"name\" = \"renamed\"\n[[bin]]\nname = \"other\"",
            "[package]\nname = \"other\"\n[[bin]]\nname = \"other\"\n[lib]\nname = \"renamed\"",
            "lib = { path = \"src/a.rs\", name = \"renamed\" }\n[package]\nname = \"other\"",
            "lib = { crate-type = [\"lib\", \"cdylib\"], name = \"renamed\" } # comment",
            "lib.name = \"renamed\"\n[package]\nname = \"other\"",
            "[package]\ndescription = \"\"\"\n[lib]\nname = \\\"other\\\"\"\"\"\n[lib]\nname = \"renamed\"",
            "[package]\ninclude = [\n  \"a\", # ]\n]\n[lib]\nname = \"\"\"renamed\"\"\"",
        ] {
            assert_eq!(library_name(manifest).as_deref(), Some("renamed"), "{manifest}");
        }
    }

    #[test]
    fn what_is_not_the_librarys_name_gives_none() {
        for manifest in [
            "",
            "[package]\nname = \"other\"",
            "[lib]\npath = \"src/a.rs\"\n[[bin]]\nname = \"other\"",
            "# [lib]\nname = \"other\"",
            "[package.metadata.lib]\nname = \"other\"",
            "[[lib]]\nname = \"other\"",
            "[lib.metadata]\nname = \"other\"",
            "lib = { metadata = { name = \"other\" } }",
            "[package]\ndescription = \'\'\'\n[lib]\nname = \"other\"\n\'\'\'",
        ] {
            assert_eq!(library_name(manifest), None, "{manifest}");
        }
    }
}
