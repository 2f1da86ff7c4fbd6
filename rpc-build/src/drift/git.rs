//! Asks git what is committed: one process for all files, and only when something differs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The committed text of each file; nothing for one that is not committed. `None` where there is no git to ask.
pub(super) fn committed(manifest: &Path, paths: &[&Path]) -> Option<Vec<Option<String>>> {
    repository(manifest)?;
    let mut child = Command::new("git")
        .arg("-C")
        .arg(manifest)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut asked = String::new();
    for path in paths {
        let relative = path.strip_prefix(manifest).ok();
        let name = relative.map(|path| path.to_string_lossy().replace('\\', "/"));
        // A file outside of the crate is not the crate's promise; the empty name is never committed.
        asked.push_str(&format!("HEAD:./{}\n", name.unwrap_or_default()));
    }
    // Small enough for the pipe's buffer together with what comes back being read afterwards: git answers line by line,
    // so a thread of its own writes.
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
    let mut texts = Vec::with_capacity(paths.len());
    for _ in paths {
        texts.push(next(&mut rest)?);
    }
    Some(texts)
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
    for folder in folder.ancestors() {
        let git = folder.join(".git");
        if git.is_dir() {
            return Some(git);
        }
        if let Ok(text) = std::fs::read_to_string(&git) {
            let target = text.trim().strip_prefix("gitdir:")?.trim().to_owned();
            return Some(crate::files::normal(&folder.join(target)));
        }
    }
    None
}
