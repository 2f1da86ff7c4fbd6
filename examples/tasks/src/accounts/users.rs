//! The users of a database.

use std::time::{Duration, SystemTime};

use rpc_runtime::contract;
use uuid::Uuid;

use super::{PasswordError, Passwords};
use crate::contracts::auth::{Role, User};
use crate::storage::{Database, OpenError, Store, StoreError};

/// A user as it is stored: a table is derived from it as from any contract. It never goes over the wire.
#[contract(package = "auth.storage", message = "User", detached)]
pub(crate) struct UserRow {
    #[field(id)]
    pub(crate) id: String,
    #[field(unique)]
    pub(crate) name: String,
    /// As a PHC string, which says how it was made.
    pub(crate) password_hash: String,
    pub(crate) role: Role,
    /// Seconds since 1970.
    pub(crate) registered: i64,
}

impl UserRow {
    /// What others may see.
    pub(crate) fn shown(&self) -> User {
        User {
            id: self.id.clone(),
            name: self.name.clone(),
            role: self.role,
            registered: SystemTime::UNIX_EPOCH + Duration::from_secs(self.registered.unsigned_abs()),
        }
    }
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
    Store(#[from] StoreError),
}

/// The users of a database, and the means to check their passwords.
pub(crate) struct Users {
    rows: Store<UserRow>,
    passwords: Passwords,
}

impl Users {
    /// Makes the table of users where there is none.
    ///
    /// # Errors
    ///
    /// When the database cannot be written, or has a table of that name which is another.
    pub(crate) async fn open(database: &Database, passwords: Passwords) -> Result<Self, OpenError> {
        let rows = database.store().await?;
        Ok(Users { rows, passwords })
    }

    /// Makes a user.
    ///
    /// # Errors
    ///
    /// [`AccountError::NameTaken`] when there is one of this name.
    pub(crate) async fn register(&self, name: String, password: String) -> Result<UserRow, AccountError> {
        // The index decides; to look before spares the hash.
        if self.by_name(&name).await?.is_some() {
            return Err(AccountError::NameTaken);
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let row = UserRow {
            id: Uuid::new_v4().to_string(),
            name,
            password_hash: self.passwords.hash(password).await?,
            role: Role::Member,
            registered: now.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX)),
        };
        match self.rows.insert(&row).await {
            Err(StoreError::Taken { field: "name" }) => Err(AccountError::NameTaken),
            stored => Ok(stored?),
        }
    }

    /// The user with this name and this password. Whether it is the name or the password that is wrong cannot be told, also
    /// not from the time it takes.
    ///
    /// # Errors
    ///
    /// When it cannot be found out now.
    pub(crate) async fn known_by(
        &self,
        name: &str,
        password: String,
    ) -> Result<Option<UserRow>, AccountError> {
        let row = self.by_name(name).await?;
        let hash = row.as_ref().map(|row| row.password_hash.clone());
        let known = self.passwords.verify(password, hash).await?;
        Ok(row.filter(|_| known))
    }

    /// The user with this id.
    pub(crate) async fn by_id(&self, id: &str) -> Result<Option<UserRow>, StoreError> {
        self.rows.find("id", id).await
    }

    /// All users, in the order in which they were registered.
    pub(crate) async fn all(&self) -> Result<Vec<UserRow>, StoreError> {
        self.rows.all().await
    }

    /// Gives a user a role; `None` when nobody is called so.
    pub(crate) async fn set_role(&self, name: &str, role: Role) -> Result<Option<UserRow>, StoreError> {
        let Some(row) = self.by_name(name).await? else {
            return Ok(None);
        };
        let id = row.id.clone();
        self.rows.update(id.as_str(), &UserRow { role, ..row }).await
    }

    async fn by_name(&self, name: &str) -> Result<Option<UserRow>, StoreError> {
        self.rows.find("name", name).await
    }
}
