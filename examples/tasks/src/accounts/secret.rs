//! The secret that tokens are signed with: from a file, or made and kept beside the database.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The fewest bytes of a secret: as many as an HS256 signature has (RFC 7518, section 3.2).
const SHORTEST: usize = 32;

/// What tokens are signed with.
pub(crate) struct Secret(Vec<u8>);

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(
        "{} holds {length} bytes, and a secret has {SHORTEST} or more: `openssl rand -hex 32` makes one",
        path.display()
    )]
    Short { path: PathBuf, length: usize },
    #[error("the system has no randomness: {0}")]
    Random(getrandom::Error),
}

impl Secret {
    /// The secret in a file: all of it, but for white space at its end.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is short.
    pub(crate) fn of_file(path: &Path) -> Result<Self, SecretError> {
        let text = fs::read(path).map_err(|source| SecretError::Read {
            path: path.to_owned(),
            source,
        })?;
        let text = text.trim_ascii_end();
        if text.len() < SHORTEST {
            return Err(SecretError::Short {
                path: path.to_owned(),
                length: text.len(),
            });
        }
        warn_if_others_may_read(path);
        Ok(Secret(text.to_vec()))
    }

    /// The secret in a file, which is made, for nobody but its owner to read, where there is none.
    ///
    /// # Errors
    ///
    /// When it can be neither read nor made.
    pub(crate) fn kept_in(path: &Path) -> Result<Self, SecretError> {
        let mut new = OpenOptions::new();
        new.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
        let Secret(secret) = Self::random()?;
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        match new.open(path).and_then(|mut file| writeln!(file, "{hex}")) {
            Ok(()) => tracing::info!(file = %path.display(), "made the secret that tokens are signed with"),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => {
                return Err(SecretError::Write {
                    path: path.to_owned(),
                    source,
                });
            }
        }
        Self::of_file(path)
    }

    /// A secret that nobody knows, and that is gone with the process.
    ///
    /// # Errors
    ///
    /// When the system has no randomness.
    pub(crate) fn random() -> Result<Self, SecretError> {
        let mut secret = vec![0; SHORTEST];
        getrandom::fill(&mut secret).map_err(SecretError::Random)?;
        Ok(Secret(secret))
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Who reads the secret can be anyone.
fn warn_if_others_may_read(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_or(0, |file| file.permissions().mode());
        if mode & 0o077 != 0 {
            tracing::warn!(
                file = %path.display(),
                "others than its owner may use the secret that tokens are signed with: `chmod 600` keeps it"
            );
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_is_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db.secret");
        let made = Secret::kept_in(&path).unwrap();
        assert_eq!(made.bytes().len(), 64);
        assert_eq!(Secret::kept_in(&path).unwrap().bytes(), made.bytes());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_without_a_secret_in_it_says_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let shown = |error: SecretError| {
            let directory = directory.path().to_str().unwrap();
            error.to_string().replace(directory, "<directory>")
        };
        let missing = shown(Secret::of_file(&path).err().unwrap());
        fs::write(&path, "short  \n").unwrap();
        let short = shown(Secret::of_file(&path).err().unwrap());
        expect_test::expect![[r"
            cannot read <directory>/secret: No such file or directory (os error 2)
            <directory>/secret holds 5 bytes, and a secret has 32 or more: `openssl rand -hex 32` makes one"]]
        .assert_eq(&format!("{missing}\n{short}"));
    }
}
