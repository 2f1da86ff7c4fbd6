//! Where a new crate gets the framework from: a clone of its repository, or the registry.

use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::cli::NewArgs;
use crate::failure::{Exit, Failure};
use crate::output::one_line;

/// This command's own version, which is that of all crates of the repository.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where this command was built from.
const BUILT_FROM: &str = env!("CARGO_MANIFEST_DIR");

/// Where the crates are from that a new one depends on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The canonical path of a clone of the repository.
    Clone(PathBuf),
    /// The registry, in the version of this command.
    Published,
}

impl Origin {
    /// As the options say; else the clone from which this command was built, for as long as it is there, and without one the registry.
    pub(super) fn of(args: &NewArgs) -> Result<Self, Failure> {
        if let Some(path) = &args.path {
            let real = fs::canonicalize(path).map_err(|error| Failure::unreadable(path, &error))?;
            return match is_clone(&real) {
                true => Ok(Self::Clone(real)),
                false => Err(Failure::new(
                    Exit::NoInput,
                    format!("`{}` is no clone of the repository: it has no rpc-runtime/Cargo.toml", path.display()),
                )
                .hint("--path names the folder of the clone; where the new crate goes stands in front of it, or behind, without an option")),
            };
        }
        if args.published {
            return Ok(Self::Published);
        }
        // Of a command that was installed from the registry, the folder above is none.
        let clone = Path::new(BUILT_FROM)
            .parent()
            .and_then(|path| fs::canonicalize(path).ok());
        Ok(match clone.filter(|path| is_clone(path)) {
            Some(path) => Self::Clone(path),
            None => Self::Published,
        })
    }

    /// What `Cargo.toml` says of one of the crates, in the folder of the new one.
    pub(super) fn dependency(&self, name: &str, folder: &Path) -> Result<String, Failure> {
        let Self::Clone(clone) = self else {
            return Ok(format!("version = {}", quoted(VERSION)));
        };
        let path = relative(folder, &clone.join(name));
        let text = path.to_str().ok_or_else(|| {
            let text = format!(
                "Cargo.toml can name no folder whose name is not Unicode: {}",
                path.display()
            );
            Failure::new(Exit::Usage, text)
        })?;
        Ok(format!("path = {}", quoted(text)))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clone(path) => write!(f, "the crates of {}", one_line(&path.display().to_string())),
            Self::Published => write!(f, "the published crates, version {VERSION}"),
        }
    }
}

fn is_clone(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).join("Cargo.toml").is_file();
    has("rpc-runtime") && has("rpc-build")
}

/// The way from a folder to another, both canonical. Where there is none, on another drive of Windows, it is the other itself.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    if shared == 0 {
        return to.to_owned();
    }
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let way: Vec<_> = up.chain(to.components().skip(shared)).collect();
    let words: Vec<_> = way.iter().map(|part| part.as_os_str()).collect();
    // With the separator that works everywhere.
    let mut path = std::ffi::OsString::new();
    for (at, word) in words.into_iter().enumerate() {
        if at > 0 {
            path.push("/");
        }
        path.push(word);
    }
    path.into()
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_a_clone_is_the_shortest() {
        for (from, to, way) in [
            ("/home/ada/shop", "/home/ada/rpc/rpc-build", "../rpc/rpc-build"),
            ("/home/ada/rpc/shop", "/home/ada/rpc/rpc-build", "../rpc-build"),
            ("/tmp/shop", "/home/rpc/rpc-build", "../../home/rpc/rpc-build"),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)), Path::new(way));
        }
    }

    #[test]
    fn whatever_a_folder_is_called_stands_in_a_string_of_toml() {
        assert_eq!(quoted("../rpc"), r#""../rpc""#);
        assert_eq!(quoted("a\"b\\c\u{7}"), r#""a\"b\\c\u0007""#);
    }
}
