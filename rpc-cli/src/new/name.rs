//! What a new crate may be called: what cargo takes for a package, rustc for a crate, and protobuf for a package, all at once.

use rpc_schema::names::is_keyword;

use crate::failure::{Exit, Failure};

use super::files;

/// How long a name may be, in characters; the registry's limit.
const LONGEST: usize = 64;

/// Crates of Rust's own, and folders of cargo's own beside which a program of that name cannot lie.
const TAKEN: &[&str] = &[
    "alloc",
    "build",
    "core",
    "deps",
    "examples",
    "incremental",
    "proc_macro",
    "std",
    "test",
];

/// Names that no file can have on Windows.
const DEVICES: &[&str] = &["aux", "con", "nul", "prn"];

/// A name that can be a crate's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CrateName(String);

impl CrateName {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            let failure = Failure::new(Exit::Usage, format!("a crate cannot be called `{text}`: {why}"));
            let hint = "--name says what it is called if not like its folder";
            match suggestion(text) {
                Some(name) => failure.hint(format!("`{name}` would do; {hint}")),
                None => failure.hint(hint),
            }
        };
        match problem(text) {
            Some(why) => Err(wrong(&why)),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// As cargo calls it.
    pub(super) fn package(&self) -> &str {
        &self.0
    }

    /// As it is called in code, and in protobuf.
    pub(super) fn identifier(&self) -> String {
        identifier(&self.0)
    }
}

fn identifier(name: &str) -> String {
    name.replace('-', "_")
}

/// Why a crate cannot be called this.
fn problem(name: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if name.is_empty() {
        return Some("a name has at least one letter".to_owned());
    }
    if let Some(c) = name.chars().find(|&c| !fits(c)) {
        return Some(format!(
            "`{c}` is no lower-case letter from a to z, digit, `-` or `_`"
        ));
    }
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Some("the first of it has to be a letter".to_owned());
    }
    if name.len() > LONGEST {
        return Some(format!("it has more than {LONGEST} characters"));
    }
    let word = identifier(name);
    if is_keyword(&word) {
        return Some("it is a keyword of Rust".to_owned());
    }
    if TAKEN.contains(&word.as_str()) {
        return Some("Rust or cargo has something of that name".to_owned());
    }
    if DEVICES.contains(&word.as_str()) || is_port(&word) {
        return Some("Windows keeps that name for a device".to_owned());
    }
    let mut needed = files::dependencies();
    if needed.any(|dependency| identifier(dependency) == word) {
        return Some("it depends on a crate of that name".to_owned());
    }
    None
}

/// `com1`, `lpt9` and what lies between.
fn is_port(word: &str) -> bool {
    let number = word.strip_prefix("com").or_else(|| word.strip_prefix("lpt"));
    number.is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'9']))
}

/// Something like it that can be a name: `MyApp 2` → `my-app-2`, `test` → `test-app`.
fn suggestion(name: &str) -> Option<String> {
    let mut close = String::new();
    let mut before_was_lower = false;
    for c in name.chars() {
        match c {
            'A'..='Z' => {
                if before_was_lower {
                    close.push('-');
                }
                close.push(c.to_ascii_lowercase());
            }
            'a'..='z' | '0'..='9' | '_' => close.push(c),
            _ if close.is_empty() || close.ends_with('-') => {}
            _ => close.push('-'),
        }
        before_was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    let start = close.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let start = start.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let with_more = format!("{start}-app");
    [start, &with_more]
        .into_iter()
        .find(|name| !name.starts_with('-') && problem(name).is_none())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str) -> (String, String) {
        let failure = CrateName::parse(name).expect_err(name);
        assert_eq!(failure.exit, Exit::Usage);
        (failure.to_string(), failure.hinted().expect("there is a way out"))
    }

    #[test]
    fn names_that_cargo_rust_and_protobuf_take_are_taken() {
        for name in ["library", "my-app", "my_app", "a", "shop2", "com10", "testing"] {
            let taken = CrateName::parse(name).unwrap();
            assert_eq!(taken.package(), name);
            assert!(rpc_schema::names::is_package(&taken.identifier()), "{name}");
        }
        assert_eq!(CrateName::parse("my-app").unwrap().identifier(), "my_app");
        assert!(CrateName::parse(&"a".repeat(LONGEST)).is_ok());
    }

    #[test]
    fn other_names_are_refused_with_the_reason_and_one_that_would_do() {
        for (name, why, instead) in [
            ("MyApp", "`M` is no lower-case letter", "`my-app` would do"),
            ("my app", "` ` is no", "`my-app` would do"),
            ("2048", "has to be a letter", "--name"),
            ("9lives", "has to be a letter", "`lives` would do"),
            ("_hidden", "has to be a letter", "`hidden` would do"),
            ("-", "has to be a letter", "--name"),
            ("", "at least one letter", "--name"),
            ("büro", "`ü` is no", "`b-ro` would do"),
            ("match", "keyword of Rust", "`match-app` would do"),
            ("gen", "keyword of Rust", "`gen-app` would do"),
            ("test", "Rust or cargo", "`test-app` would do"),
            ("proc-macro", "Rust or cargo", "`proc-macro-app` would do"),
            ("nul", "Windows", "`nul-app` would do"),
            ("lpt1", "Windows", "`lpt1-app` would do"),
            ("tokio", "depends on a crate of that name", "`tokio-app` would do"),
            (
                "rpc_runtime",
                "depends on a crate of that name",
                "`rpc_runtime-app` would do",
            ),
        ] {
            let (text, hint) = refused(name);
            assert!(text.contains(why), "{name}: {text}");
            assert!(hint.contains(instead), "{name}: {hint}");
        }
        assert!(refused(&"a".repeat(LONGEST + 1)).0.contains("more than 64"));
    }
}
