//! The README's tour is this crate, to the letter, and does what the README says.

use std::process::Command;

const README: &str = include_str!("../../../README.md");

/// The fenced blocks of the README, by the comment or fence that names their file.
fn block(fence: &str) -> &'static str {
    let start = README
        .find(fence)
        .unwrap_or_else(|| panic!("the README has a block that starts with {fence:?}"))
        + fence.len();
    let end = README[start..].find("\n```").expect("the block ends") + start;
    README[start..end].trim()
}

#[test]
fn the_tour_in_the_readme_is_this_crate() {
    for (fence, file) in [
        ("```rust\n// build.rs\n", include_str!("../build.rs")),
        (
            "```rust\n// src/contracts.rs\n",
            include_str!("../src/contracts.rs"),
        ),
        ("```rust\n// src/main.rs\n", include_str!("../src/main.rs")),
        ("```rust\n// src/tests.rs\n", include_str!("../src/tests.rs")),
    ] {
        assert_eq!(block(fence), file.trim(), "{fence}");
    }
}

/// What is quoted stands less far to the right.
fn unindented(source: &str) -> String {
    source.lines().map(|line| line.trim().to_owned() + "\n").collect()
}

/// What quotes the examples.
const TEXTS: [&str; 2] = [README, include_str!("../../../docs/guide.md")];

#[test]
fn what_is_quoted_stands_in_the_examples() {
    for text in TEXTS {
        let mut quotes = 0;
        let of = |language| text.split(language).skip(1);
        for rest in of("```rust\n// from ").chain(of("```ts\n// from ")) {
            let (file, rest) = rest.split_once('\n').expect("a quote names its file");
            let (quote, _) = rest.split_once("\n```").expect("the block ends");
            let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
            let source = std::fs::read_to_string(format!("{root}{file}")).expect("the file is there");
            assert!(
                unindented(&source).contains(&unindented(quote)),
                "{file} has\n{quote}"
            );
            quotes += 1;
        }
        assert!(quotes > 0, "{text:.40}… quotes the examples");
    }
}

#[test]
fn no_rust_in_the_guide_is_but_quoted() {
    for block in TEXTS[1].split("```rust\n").skip(1) {
        assert!(block.starts_with("// from "), "{block:.80}");
    }
}

#[test]
fn the_tour_prints_what_the_readme_says() {
    let output = Command::new(env!("CARGO_BIN_EXE_library"))
        .output()
        .expect("the tour starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), block("```text\n"));
}
