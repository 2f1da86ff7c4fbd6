//! Asks git what is committed: one process for all files, and only when something differs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What git knows about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// Its committed text.
    Committed(String),
    /// It is in the repository's folder, and not committed.
    New,
    /// It is not in the crate's repository: elsewhere, or in a submodule.
    Elsewhere,
}

/// What is committed of each file. `None` where there is no git to ask.
pub(super) fn committed(manifest: &Path, paths: &[&Path]) -> Option<Vec<Known>> {
    let top = top(&real(manifest))?;
    // From the top of the repository, because a crate's schemas may lie beside it: `../protos`.
    let names: Vec<Option<String>> = paths
        .iter()
        .map(|path| {
            let path = real(path);
            if self::top(path.parent()?)? != top {
                return None;
            }
            let name = path.strip_prefix(&top).ok()?;
            Some(name.to_string_lossy().replace('\\', "/"))
        })
        .collect();
    let mut child = Command::new("git")
        .arg("-C")
        .arg(manifest)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let asked: String = names
        .iter()
        .flatten()
        .map(|name| format!("HEAD:{name}\n"))
        .collect();
    // A thread of its own writes: git answers while it reads, and stops reading when nobody takes its answers.
    let mut input = child.stdin.take()?;
    let writer = std::thread::spawn(move || {
        let _ = input.write_all(asked.as_bytes());
    });
    let output = child.wait_with_output().ok()?;
    let _ = writer.join();
    if !output.status.success() {
        return None;
    }
    let mut rest = output.stdout.as_slice();
    names
        .iter()
        .map(|name| match name {
            Some(_) => next(&mut rest).map(|text| text.map_or(Known::New, Known::Committed)),
            None => Some(Known::Elsewhere),
        })
        .collect()
}

/// One answer: `<id> blob <size>`, the content and a newline, or `<name> missing`.
fn next(rest: &mut &[u8]) -> Option<Option<String>> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (head, after) = (&rest[..end], &rest[end + 1..]);
    let head = String::from_utf8_lossy(head);
    let mut words = head.rsplit(' ');
    let (Some(size), Some(kind)) = (words.next(), words.next()) else {
        *rest = after;
        return Some(None);
    };
    let Ok(size) = size.parse::<usize>() else {
        *rest = after;
        return Some(None);
    };
    let content = after.get(..size)?;
    *rest = after.get(size + 1..)?;
    Some((kind == "blob").then(|| String::from_utf8_lossy(content).into_owned()))
}

/// The files that say what HEAD is.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Whose content changes when HEAD does.
    pub(super) files: Vec<PathBuf>,
    /// One that is there and changes whenever HEAD does, if git keeps one.
    pub(super) watched: Vec<PathBuf>,
}

/// Finds them without a process, also in linked worktrees.
pub(super) fn head(manifest: &Path) -> Head {
    let Some(directory) = repository(manifest) else {
        return Head::default();
    };
    // A linked worktree has a HEAD of its own; branches are the repository's.
    let common = std::fs::read_to_string(directory.join("commondir"))
        .map(|common| crate::files::normal(&directory.join(common.trim())))
        .unwrap_or_else(|_| directory.clone());
    let head = directory.join("HEAD");
    let mut found = vec![head.clone()];
    if let Ok(text) = std::fs::read_to_string(&head)
        && let Some(branch) = text.trim().strip_prefix("ref: ")
    {
        found.push(common.join(branch));
        found.push(common.join("packed-refs"));
    }
    // The reflog grows with every commit and checkout, while a branch may move between a file and `packed-refs`.
    let log = directory.join("logs").join("HEAD");
    let watched = if log.is_file() {
        vec![log]
    } else {
        found.iter().filter(|file| file.is_file()).cloned().collect()
    };
    Head {
        files: found,
        watched,
    }
}

/// The folder with HEAD of the repository that a folder is in.
fn repository(folder: &Path) -> Option<PathBuf> {
    let top = top(folder)?;
    let git = top.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = std::fs::read_to_string(&git).ok()?;
    let target = text.trim().strip_prefix("gitdir:")?.trim().to_owned();
    Some(crate::files::normal(&top.join(target)))
}

/// The topmost folder of the repository that a folder is in.
fn top(folder: &Path) -> Option<PathBuf> {
    let mut folders = folder.ancestors();
    folders
        .find(|folder| folder.join(".git").exists())
        .map(Path::to_path_buf)
}

/// A path as git sees it: without links, as far as it is there.
fn real(path: &Path) -> PathBuf {
    let there = path
        .ancestors()
        .find_map(|part| Some((part, std::fs::canonicalize(part).ok()?)));
    match there {
        Some((part, real)) => match path.strip_prefix(part) {
            Ok(rest) if !rest.as_os_str().is_empty() => real.join(rest),
            _ => real,
        },
        None => path.to_path_buf(),
    }
}
