//! The users, in an embedded database: who there is, who is an administrator, and the secret that tokens are signed with.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow};

use super::{PasswordError, Passwords};

/// A secret has as many bytes as an HS256 signature (RFC 7518, section 3.2).
const SECRET_BYTES: usize = 32;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS users (
        name TEXT PRIMARY KEY NOT NULL,
        password_hash TEXT NOT NULL,
        is_admin INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT;
";

/// The users of a database. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Users {
    pool: SqlitePool,
    passwords: Passwords,
}

/// Why there is no new user, or nobody is known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    /// Another user is called so.
    #[error("the name is taken")]
    NameTaken,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    File(#[from] io::Error),
}

impl Users {
    /// Opens the database in a file, which is made where there is none; without a file, one that is gone with the process.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or is none.
    pub(crate) async fn open(file: Option<&Path>) -> Result<Self, AccountError> {
        let pool = match file {
            Some(file) => {
                make_private(file)?;
                let options = SqliteConnectOptions::new().filename(file);
                SqlitePoolOptions::new().max_connections(4).connect_with(options)
            }
            // The tables live as long as their one connection.
            None => SqlitePoolOptions::new()
                .max_connections(1)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .connect_with(SqliteConnectOptions::new().in_memory(true)),
        };
        let pool = pool.await?;
        sqlx::raw_sql(TABLES).execute(&pool).await?;
        let passwords = Passwords::new()?;
        Ok(Users { pool, passwords })
    }

    /// The secret that tokens are signed with. It is made once, and kept as long as the users are.
    ///
    /// # Errors
    ///
    /// When it can be neither read nor made.
    pub(crate) async fn secret(&self) -> Result<Vec<u8>, AccountError> {
        let mut secret = vec![0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        sqlx::query("INSERT INTO secrets (name, value) VALUES ('tokens', $1) ON CONFLICT DO NOTHING")
            .bind(secret)
            .execute(&self.pool)
            .await?;
        let row = sqlx::query("SELECT value FROM secrets WHERE name = 'tokens'");
        Ok(row.fetch_one(&self.pool).await?.try_get(0)?)
    }

    /// Makes a user.
    ///
    /// # Errors
    ///
    /// [`AccountError::NameTaken`] when there is one of this name.
    pub(crate) async fn register(&self, name: &str, password: String) -> Result<(), AccountError> {
        // The key decides; to look before spares the hash.
        if self.exists(name).await? {
            return Err(AccountError::NameTaken);
        }
        let hash = self.passwords.hash(password).await?;
        let made =
            sqlx::query("INSERT INTO users (name, password_hash) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(name)
                .bind(hash)
                .execute(&self.pool)
                .await?;
        match made.rows_affected() {
            0 => Err(AccountError::NameTaken),
            _ => Ok(()),
        }
    }

    /// Whether there is a user with this name and this password. Whether it is the name or the password that is wrong cannot
    /// be told, also not from the time it takes.
    ///
    /// # Errors
    ///
    /// When it cannot be found out now.
    pub(crate) async fn knows(&self, name: &str, password: String) -> Result<bool, AccountError> {
        let row = self.row(name).await?;
        let hash = row.map(|row| row.try_get("password_hash")).transpose()?;
        Ok(self.passwords.verify(password, hash).await?)
    }

    /// Whether there is a user with this name.
    pub(crate) async fn exists(&self, name: &str) -> Result<bool, sqlx::Error> {
        Ok(self.row(name).await?.is_some())
    }

    /// Whether a user is an administrator, as of now.
    pub(crate) async fn is_admin(&self, name: &str) -> Result<bool, sqlx::Error> {
        match self.row(name).await? {
            Some(row) => row.try_get("is_admin"),
            None => Ok(false),
        }
    }

    /// Makes a user an administrator, or one like others; false when there is no such user.
    pub(crate) async fn set_admin(&self, name: &str, is_admin: bool) -> Result<bool, sqlx::Error> {
        let set = sqlx::query("UPDATE users SET is_admin = $2 WHERE name = $1")
            .bind(name)
            .bind(is_admin)
            .execute(&self.pool)
            .await?;
        Ok(set.rows_affected() > 0)
    }

    async fn row(&self, name: &str) -> Result<Option<SqliteRow>, sqlx::Error> {
        let row = sqlx::query("SELECT password_hash, is_admin FROM users WHERE name = $1").bind(name);
        row.fetch_optional(&self.pool).await
    }
}

/// Makes a file that is not there yet, for nobody but its owner to read: it holds hashes and a secret.
fn make_private(file: &Path) -> io::Result<()> {
    let mut new = OpenOptions::new();
    new.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
    match new.open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn users_and_the_secret_of_their_tokens_outlive_the_server_in_a_file_of_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("chat.db");
        let users = Users::open(Some(&file)).await.unwrap();
        users.register("ann", "open sesame".into()).await.unwrap();
        let secret = users.secret().await.unwrap();
        assert_eq!(secret.len(), SECRET_BYTES);
        users.pool.close().await;

        let users = Users::open(Some(&file)).await.unwrap();
        assert!(users.knows("ann", "open sesame".into()).await.unwrap());
        assert_eq!(users.secret().await.unwrap(), secret);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[tokio::test]
    async fn a_name_belongs_to_who_had_it_first() {
        let users = Users::open(None).await.unwrap();
        users.register("ann", "open sesame".into()).await.unwrap();
        let taken = users.register("ann", "another one".into()).await;
        assert!(matches!(taken, Err(AccountError::NameTaken)), "{taken:?}");
        assert!(users.knows("ann", "open sesame".into()).await.unwrap());
        assert!(!users.knows("ann", "another one".into()).await.unwrap());
        assert!(!users.knows("bob", "open sesame".into()).await.unwrap());
    }

    #[tokio::test]
    async fn administrators_are_made_and_unmade() {
        let users = Users::open(None).await.unwrap();
        assert!(!users.set_admin("ann", true).await.unwrap(), "there is no ann");
        users.register("ann", "open sesame".into()).await.unwrap();
        assert!(!users.is_admin("ann").await.unwrap());
        assert!(users.set_admin("ann", true).await.unwrap());
        assert!(users.is_admin("ann").await.unwrap());
        users.set_admin("ann", false).await.unwrap();
        assert!(!users.is_admin("ann").await.unwrap());
    }
}
