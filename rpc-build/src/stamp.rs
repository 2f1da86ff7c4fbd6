//! Remembers what a build saw and said, so that a build that would see the same says it again and does nothing.

use crate::files;
use crate::report::Report;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What a build saw: a key for everything that is no file, and files by content. What it wrote: files by size and age.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) key: u64,
    pub(crate) inputs: BTreeSet<PathBuf>,
    pub(crate) outputs: BTreeSet<PathBuf>,
}

const FIRST_LINE: &str = "rpc-build stamp 1";

/// What the last build said, if this one would see the same.
pub(crate) fn unchanged(stamp: &Path, key: u64) -> Option<Report> {
    let text = std::fs::read_to_string(stamp).ok()?;
    let (seen, said) = text.split_once("\n\n")?;
    let mut lines = seen.lines();
    if lines.next() != Some(FIRST_LINE) || lines.next() != Some(&format!("key {key:016x}")) {
        return None;
    }
    let same = lines.all(|line| {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("input"), Some(state), Some(path)) => state == content(Path::new(path)),
            (Some("output"), Some(state), Some(path)) => state == look(Path::new(path)),
            _ => false,
        }
    });
    same.then(|| Report::replay(said))
}

/// Leaves what the next build compares with.
pub(crate) fn leave(stamp: &Path, seen: &Seen, report: &Report) -> std::io::Result<()> {
    let mut text = format!("{FIRST_LINE}\nkey {:016x}\n", seen.key);
    for path in &seen.inputs {
        let _ = writeln!(text, "input {} {}", content(path), path.display());
    }
    for path in &seen.outputs {
        let _ = writeln!(text, "output {} {}", look(path), path.display());
    }
    text.push('\n');
    text.push_str(&report.text());
    files::write_if_changed(stamp, text.as_bytes()).map(|_| ())
}

fn content(path: &Path) -> String {
    match std::fs::read(path) {
        Ok(content) => format!("{:016x}", files::hash(&content)),
        Err(_) => "-".to_owned(),
    }
}

fn look(path: &Path) -> String {
    match std::fs::metadata(path) {
        Ok(file) => {
            let age = file
                .modified()
                .ok()
                .and_then(|age| age.duration_since(std::time::UNIX_EPOCH).ok())
                .unwrap_or_default();
            format!("{}:{}", file.len(), age.as_nanos())
        }
        Err(_) => "-".to_owned(),
    }
}
