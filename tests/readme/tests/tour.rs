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
const TEXTS: [&str; 4] = [
    README,
    include_str!("../../../docs/guide.md"),
    include_str!("../../../docs/cmmv.md"),
    include_str!("../../../docs/explorer.md"),
];

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
fn no_rust_outside_the_readme_is_but_quoted() {
    for text in &TEXTS[1..] {
        let fences = text.lines().filter(|line| line.trim_start().starts_with("```"));
        // In fences that open, what they are of; the others close.
        for language in fences.step_by(2) {
            assert!(
                ["```rust", "```html", "```text"].contains(&language),
                "{language}"
            );
        }
        for block in text.split("```rust\n").skip(1) {
            assert!(block.starts_with("// from "), "{block:.80}");
        }
    }
}

/// What a newcomer comes to need, and where it stands.
#[test]
fn the_guide_has_a_chapter_for_each_thing_and_troubleshooting_a_table_for_each_symptom() {
    let chapters = [
        "Contracts",
        "Services",
        "Validation",
        "Streams",
        "Channels",
        "Sessions",
        "Reconnecting",
        "Heartbeats",
        "What is private",
        "TLS and origins",
        "Limits",
        "Clean-up",
        "Testing",
    ];
    let symptoms = [
        "It cannot connect",
        "A token is refused",
        "An event does not arrive",
        "It is slow",
    ];
    let troubleshooting = include_str!("../../../docs/troubleshooting.md");
    for (text, titles) in [(TEXTS[1], &chapters[..]), (troubleshooting, &symptoms)] {
        for title in titles {
            assert!(text.contains(&format!("\n## {title}\n")), "{title}");
        }
    }
    for page in ["docs/guide.md", "docs/troubleshooting.md", "docs/explorer.md"] {
        assert!(README.contains(&format!("({page})")), "{page}");
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
