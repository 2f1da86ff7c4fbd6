//! The text format of the cases.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

/// What stands in front of a file that does not say its own syntax.
const PRELUDE: &str = "syntax = \"proto3\";\npackage task;\n";

/// The path of a file that does not say its own.
const DEFAULT_PATH: &str = "task/task.proto";

/// One change.
#[derive(Debug)]
pub struct Case {
    /// Its name, unique in the corpus, in words joined by underscores.
    pub name: String,
    /// What it is about, in one line.
    pub about: String,
    /// Enums that refuse unknown numbers in the contract. buf cannot know of these.
    pub closed_enums: BTreeSet<String>,
    /// The files before the change.
    pub before: Side,
    /// The files after the change.
    pub after: Side,
}

/// All `.proto` files of one side.
#[derive(Debug, Default)]
pub struct Side {
    /// Path, as another file imports it, and text.
    pub files: Vec<(String, String)>,
}

/// Why the corpus could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The folder or a file in it could not be read.
    #[error("cannot read the cases: {0}")]
    Io(#[from] io::Error),
    /// A line that does not belong where it stands.
    #[error("{file}: {line:?} is not expected here")]
    Unexpected {
        /// The file's name.
        file: String,
        /// The line.
        line: String,
    },
    /// Two cases with one name, or one without files on both sides.
    #[error("case {0:?} is there twice, or lacks a side")]
    BadCase(String),
}

/// Reads all cases below `folder`, ordered by name.
///
/// # Errors
///
/// When a file cannot be read, or is not of the format that README.md describes.
pub fn read_cases(folder: &Path) -> Result<Vec<Case>, CorpusError> {
    let mut paths: Vec<_> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        parse(&file, &fs::read_to_string(&path)?, &mut cases)?;
    }
    cases.sort_by(|left, right| left.name.cmp(&right.name));
    let twice = cases
        .windows(2)
        .find(|pair| pair[0].name == pair[1].name)
        .map(|pair| &pair[0]);
    let lacking = cases
        .iter()
        .find(|case| case.before.files.is_empty() || case.after.files.is_empty());
    match twice.or(lacking) {
        Some(case) => Err(CorpusError::BadCase(case.name.clone())),
        None => Ok(cases),
    }
}

fn parse(file: &str, text: &str, cases: &mut Vec<Case>) -> Result<(), CorpusError> {
    let unexpected = |line: &str| CorpusError::Unexpected {
        file: file.to_owned(),
        line: line.to_owned(),
    };
    let mut current: Option<(bool, String, String)> = None;
    for line in text.lines().chain(["=== "]) {
        let starts = line.starts_with("=== ") || line.starts_with("--- ");
        if starts && let Some((is_after, path, body)) = current.take() {
            let case = cases.last_mut().ok_or_else(|| unexpected(line))?;
            let side = if is_after {
                &mut case.after
            } else {
                &mut case.before
            };
            let body = if body.contains("syntax = ") {
                body
            } else {
                format!("{PRELUDE}{body}")
            };
            side.files.push((path, body));
        }
        if let Some(name) = line.strip_prefix("=== ") {
            if !name.is_empty() {
                cases.push(Case {
                    name: name.to_owned(),
                    about: String::new(),
                    closed_enums: BTreeSet::new(),
                    before: Side::default(),
                    after: Side::default(),
                });
            }
        } else if let Some(header) = line.strip_prefix("--- ") {
            let (side, path) = header.split_once(' ').unwrap_or((header, DEFAULT_PATH));
            let is_after = match side {
                "before" => false,
                "after" => true,
                _ => return Err(unexpected(line)),
            };
            current = Some((is_after, path.to_owned(), String::new()));
        } else if let Some((_, _, body)) = &mut current {
            body.push_str(line);
            body.push('\n');
        } else if !line.is_empty() {
            let case = cases.last_mut().ok_or_else(|| unexpected(line))?;
            match line.strip_prefix("closed: ") {
                Some(names) => case.closed_enums.extend(names.split(", ").map(str::to_owned)),
                None if case.about.is_empty() => case.about = line.to_owned(),
                None => return Err(unexpected(line)),
            }
        }
    }
    Ok(())
}
