//! The README's section on events is this crate, to the letter, and does what the README says.

use std::process::Command;

const README: &str = include_str!("../../../README.md");

/// The fenced block of the section that starts with `fence`.
fn block(fence: &str) -> &'static str {
    let (_, section) = README
        .split_once("\n## Events\n")
        .expect("the README has the section");
    let start = section
        .find(fence)
        .unwrap_or_else(|| panic!("the section has a block that starts with {fence:?}"))
        + fence.len();
    let end = section[start..].find("\n```").expect("the block ends") + start;
    section[start..end].trim()
}

#[test]
fn the_section_in_the_readme_is_this_crate() {
    for (fence, file) in [
        (
            "```rust\n// shelves/src/contracts.rs\n",
            include_str!("../src/contracts.rs"),
        ),
        (
            "```rust\n// shelves/src/main.rs\n",
            include_str!("../src/main.rs"),
        ),
    ] {
        assert_eq!(block(fence), file.trim(), "{fence}");
    }
    // It is built as the first crate is.
    assert_eq!(include_str!("../build.rs"), include_str!("../../readme/build.rs"));
}

#[test]
fn the_section_prints_what_the_readme_says() {
    let output = Command::new(env!("CARGO_BIN_EXE_shelves"))
        .output()
        .expect("the program starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), block("```text\n"));
}
