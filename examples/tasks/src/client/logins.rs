//! Where logins are kept between commands: a file for each server, for nobody but its user to read.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::ClientOptions;
use crate::failure::{Exit, Failure};

/// More than the longest token: a file that is longer holds none.
const LONGEST: u64 = 16 << 10;

/// The file of one server's login.
pub(super) struct LoginFile {
    path: PathBuf,
    /// Whether the command line named it: it is there for a reason then, and missing is a mistake.
    named: bool,
}

impl LoginFile {
    /// The file that the command line names, else the one of the server in the user's configuration.
    pub(super) fn of(options: &ClientOptions) -> Result<Self, Failure> {
        if let Some(path) = &options.token_file {
            return Ok(LoginFile {
                path: path.clone(),
                named: true,
            });
        }
        let directory = configuration(|name| std::env::var_os(name)).ok_or_else(|| {
            let text = "there is no home directory to keep the login in: --token-file names a file";
            Failure::new(Exit::Usage, text)
        })?;
        Ok(LoginFile {
            path: directory
                .join("tasks")
                .join("logins")
                .join(file_name(&options.server)),
            named: false,
        })
    }

    /// The token; `None` when nobody is logged in.
    pub(super) fn read(&self) -> Result<Option<String>, Failure> {
        let size = match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.named => return Ok(None),
            file => file.map_err(|error| self.cannot("read", &error))?.len(),
        };
        let token = match size > LONGEST {
            true => String::new(),
            false => fs::read_to_string(&self.path).map_err(|error| self.cannot("read", &error))?,
        };
        let token = token.trim();
        if token.is_empty() || token.contains(|c: char| !c.is_ascii_graphic()) {
            let text = format!(
                "{} holds no login; `tasks login NAME` makes one",
                self.path.display()
            );
            return Err(Failure::new(Exit::NotAllowed, text));
        }
        Ok(Some(token.to_owned()))
    }

    /// Keeps a token. The file is whole at any time: it is written beside its place, and moved there.
    pub(super) fn write(&self, token: &str) -> Result<(), Failure> {
        let mut new = self.path.clone().into_os_string();
        new.push(format!(".{}.new", std::process::id()));
        let new = PathBuf::from(new);
        let written = make_directory(&self.path)
            .and_then(|()| write_private(&new, token))
            .and_then(|()| fs::rename(&new, &self.path));
        written.map_err(|error| {
            let _ = fs::remove_file(&new);
            self.cannot("write", &error)
        })
    }

    /// Forgets the token; false when there was none.
    pub(super) fn remove(&self) -> Result<bool, Failure> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.cannot("remove", &error)),
        }
    }

    fn cannot(&self, what: &str, error: &io::Error) -> Failure {
        Failure::new(
            Exit::Database,
            format!("cannot {what} the login in {}: {error}", self.path.display()),
        )
    }
}

/// The directory of the user's configuration, by the system's customs.
fn configuration(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name: &str| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    if cfg!(windows) {
        return path("APPDATA");
    }
    path("XDG_CONFIG_HOME").or_else(|| Some(path("HOME")?.join(".config")))
}

/// A server's URL as a file may be called: everything but letters, digits, dots and hyphens is written in hexadecimal.
fn file_name(url: &str) -> String {
    let mut name = String::with_capacity(url.len());
    for byte in url.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => name.push(byte.into()),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    name
}

/// Makes the directory that a file is to lie in, for its user alone where it is new.
fn make_directory(file: &Path) -> io::Result<()> {
    let Some(directory) = file.parent().filter(|parent| *parent != Path::new("")) else {
        return Ok(());
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    // One that a former process left behind may have any mode.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(path)?, "{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_files_of_their_own_and_their_names_lead_nowhere_else() {
        assert_eq!(
            file_name("wss://a.example:4000/rpc"),
            "wss%3a%2f%2fa.example%3a4000%2frpc"
        );
        assert_ne!(file_name("ws://a/b"), file_name("ws://a%2fb"));
        assert!(!file_name("../../etc").contains('/'));
    }

    #[test]
    fn the_configuration_is_where_the_system_has_it() {
        let of = |pairs: &'static [(&str, &str)]| {
            configuration(|name| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| OsString::from(value))
            })
        };
        if cfg!(windows) {
            return;
        }
        assert_eq!(of(&[("HOME", "/home/ada")]), Some("/home/ada/.config".into()));
        assert_eq!(
            of(&[("HOME", "/home/ada"), ("XDG_CONFIG_HOME", "/c")]),
            Some("/c".into())
        );
        // Relative ones are to be ignored, by the specification of these directories.
        assert_eq!(
            of(&[("HOME", "/home/ada"), ("XDG_CONFIG_HOME", "c")]),
            Some("/home/ada/.config".into())
        );
        assert_eq!(of(&[]), None);
    }
}
