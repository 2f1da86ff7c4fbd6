//! Reading and writing files: nothing is written that is not different.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// Writes a file if its content differs, with the folders that it needs. Says whether it did.
pub(crate) fn write_if_changed(path: &Path, content: &[u8]) -> io::Result<bool> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)?;
    Ok(true)
}

/// Gives a file an older age. Cargo reruns a build script when a file that it watches is younger than the script's last
/// start, which a file that the script wrote always is: the next build would build everything again for nothing.
pub(crate) fn set_age(path: &Path, age: SystemTime) {
    // Where this does not work, the next build does more than it needs to.
    let _ = fs::File::options()
        .write(true)
        .open(path)
        .and_then(|file| file.set_modified(age));
}

/// The names of the files in a folder that have this extension, without it.
pub(crate) fn stems(folder: &Path, extension: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .filter(|path| path.extension().is_some_and(|other| other == extension))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect()
}

/// When a file was changed last.
pub(crate) fn age(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

/// A path without `.` and `..`, for comparing. Links are not followed.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// A hash of some content, for noticing a change. Eight bytes at a time: build scripts run unoptimised.
pub(crate) fn hash(content: &[u8]) -> u64 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = content.len() as u64 ^ MULTIPLIER;
    let mut chunks = content.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(MULTIPLIER);
    }
    for byte in chunks.remainder() {
        hash = (hash.rotate_left(23) ^ u64::from(*byte)).wrapping_mul(MULTIPLIER);
    }
    hash ^ (hash >> 29)
}
