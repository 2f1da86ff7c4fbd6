//! Where a database is: a file, memory, or a server's URL.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{fmt, fs, io};

use super::dialect::Dialect;

/// A database that can be opened. Shown without the password that a URL may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) dialect: Dialect,
    pub(crate) url: String,
    pub(crate) in_memory: bool,
    /// The file, where one was named as such.
    path: Option<PathBuf>,
    shown: String,
}

impl Location {
    /// A database that is gone when the program ends.
    pub(crate) fn memory() -> Self {
        Location {
            dialect: Dialect::Sqlite,
            url: "sqlite::memory:".to_owned(),
            in_memory: true,
            path: None,
            shown: "memory".to_owned(),
        }
    }

    /// A file of SQLite, created when it is missing.
    fn file(path: &str) -> Self {
        // Two slashes at the beginning would name a host.
        let path = match path.strip_prefix('/') {
            Some(rest) => format!("/{}", rest.trim_start_matches('/')),
            None => path.to_owned(),
        };
        Location {
            dialect: Dialect::Sqlite,
            url: format!("sqlite:{}?mode=rwc", percent_encode(&path)),
            in_memory: false,
            path: Some(PathBuf::from(&path)),
            shown: path,
        }
    }

    /// A file beside the database's, of the same name and an ending more. `None` where the database is no file of this machine.
    pub(crate) fn beside(&self, ending: &str) -> Option<PathBuf> {
        let mut name = self.path.as_ref()?.clone().into_os_string();
        name.push(".");
        name.push(ending);
        Some(name.into())
    }

    /// The same database, which is not made where it is missing.
    pub(crate) fn existing(mut self) -> Self {
        self.url = self.url.replace("?mode=rwc", "?mode=rw");
        self
    }

    /// Makes the file, where one is meant that is not there yet, for nobody but its owner to read: it holds hashes of passwords.
    /// What stands in its way, opening it will say.
    pub(crate) fn make_private(&self) {
        if let Some(path) = &self.path
            && self.url.ends_with("?mode=rwc")
        {
            let mut new = fs::OpenOptions::new();
            new.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
            let _ = new.open(path);
        }
    }

    /// What the system says about the file. SQLite says only that it is unable to open it.
    pub(crate) fn system_error(&self) -> Option<String> {
        let path = self.path.as_deref()?;
        match fs::OpenOptions::new().append(true).open(path) {
            Ok(_) => None,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let directory = match path.parent() {
                    Some(parent) if parent != Path::new("") => parent,
                    _ => Path::new("."),
                };
                let error = fs::read_dir(directory).err()?;
                Some(format!("{}: {error}", directory.display()))
            }
            Err(error) => Some(error.to_string()),
        }
    }
}

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("expected a file or a URL".to_owned());
        }
        if matches!(text, ":memory:" | "sqlite::memory:" | "sqlite://:memory:") {
            return Ok(Self::memory());
        }
        if let Some(rest) = text.strip_prefix("sqlite:") {
            let url = if rest.contains('?') {
                text.to_owned()
            } else {
                format!("{text}?mode=rwc")
            };
            return Ok(Location {
                dialect: Dialect::Sqlite,
                in_memory: url.contains("mode=memory"),
                url,
                path: None,
                shown: text.to_owned(),
            });
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            if cfg!(not(feature = "postgres")) {
                return Err(
                    "this program was built without PostgreSQL: build it with `--features postgres`"
                        .to_owned(),
                );
            }
            return Ok(Location {
                dialect: Dialect::Postgres,
                url: text.to_owned(),
                in_memory: false,
                path: None,
                shown: without_secrets(text),
            });
        }
        match text.split_once("://") {
            Some((scheme, _)) => Err(format!(
                "`{scheme}` is no database that this program speaks: use a file, sqlite: or postgres://"
            )),
            None => Ok(Self::file(text)),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// A URL without user, password and parameters.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.split('?').next().unwrap_or(rest);
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

/// A path as a URL carries it.
fn percent_encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
