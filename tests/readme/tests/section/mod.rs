//! A section of the README that is a crate of its own, to the letter. The tests of these crates include this file.

use std::process::Command;

const README: &str = include_str!("../../../../README.md");

pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// What the crate's folder is called in it.
    pub folder: &'static str,
}

impl Section {
    /// The fenced block that starts with `fence`.
    fn block(&self, fence: &str) -> &'static str {
        let (_, section) = README
            .split_once(&format!("\n## {}\n", self.title))
            .expect("the README has the section");
        let start = section
            .find(fence)
            .unwrap_or_else(|| panic!("the section has a block that starts with {fence:?}"))
            + fence.len();
        let end = section[start..].find("\n```").expect("the block ends") + start;
        section[start..end].trim()
    }

    /// Its blocks are these files, in the crate's `src`; it is built as the first crate is.
    pub fn is(&self, files: &[(&str, &str)], build: &str) {
        for (name, text) in files {
            let fence = format!("```rust\n// {}/src/{name}\n", self.folder);
            assert_eq!(self.block(&fence), text.trim(), "{fence}");
        }
        assert_eq!(build, include_str!("../../build.rs"));
    }

    /// The program prints what it says.
    pub fn is_printed_by(&self, program: &str) {
        let output = Command::new(program).output().expect("the program starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(printed.trim(), self.block("```text\n"));
    }
}
