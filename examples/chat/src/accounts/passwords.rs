//! Hashes of passwords: argon2id with the parameters that its crate recommends, on threads of their own.
//!
//! A hash takes tens of milliseconds of a core and 19 MiB, on purpose. So at most [`RUNNING`] are made at once, at most
//! [`WAITING`] more wait for their turn, and who comes then is refused.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// How many are made at once: two threads of them leave a small machine some time for its calls.
const RUNNING: usize = 2;

/// How many more may wait. The last of them waits for about two seconds.
const WAITING: usize = 64;

/// Makes and checks hashes. Cloning is cheap; clones share their bounds.
#[derive(Clone)]
pub(crate) struct Passwords {
    /// One for each that runs or waits.
    admitted: Arc<Semaphore>,
    /// One for each that runs.
    running: Arc<Semaphore>,
    /// What is checked where there is no user, so that it takes as long: the hash of a password that nobody knows.
    nobodys: Arc<str>,
}

/// Why a password was neither hashed nor checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("too many passwords are being checked")]
    Busy,
    #[error("the stored hash cannot be read: {0}")]
    Hash(#[from] password_hash::Error),
    #[error(transparent)]
    Thread(#[from] tokio::task::JoinError),
}

impl Passwords {
    /// Makes one hash, for nobody.
    ///
    /// # Errors
    ///
    /// When the system has no randomness.
    pub(crate) fn new() -> Result<Self, PasswordError> {
        let mut unknown = [0; 32];
        getrandom::fill(&mut unknown).map_err(|_| password_hash::Error::Crypto)?;
        Ok(Passwords {
            admitted: Arc::new(Semaphore::new(RUNNING + WAITING)),
            running: Arc::new(Semaphore::new(RUNNING)),
            nobodys: hash(&unknown)?.into(),
        })
    }

    /// A hash of a password, with a salt of its own, as a PHC string.
    ///
    /// # Errors
    ///
    /// [`PasswordError::Busy`] when too many wait.
    pub(crate) async fn hash(&self, password: String) -> Result<String, PasswordError> {
        self.run(move || Ok(hash(password.as_bytes())?)).await
    }

    /// Whether a password is the one that was hashed. Without a hash, because there is no such user, it is not, and to say
    /// so takes as long.
    ///
    /// # Errors
    ///
    /// [`PasswordError::Busy`] when too many wait; [`PasswordError::Hash`] when somebody else wrote the hash.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, PasswordError> {
        let nobodys = self.nobodys.clone();
        self.run(move || {
            let known = PasswordHash::new(hash.as_deref().unwrap_or(&nobodys));
            let known = known.map_err(password_hash::Error::from)?;
            match Argon2::default().verify_password(password.as_bytes(), &known) {
                Ok(()) => Ok(hash.is_some()),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// Runs work where it holds nobody up. Whoever gives up waiting gives its place back; work that runs keeps it to its end.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let busy = |_| PasswordError::Busy;
        let admitted = self.admitted.clone().try_acquire_owned().map_err(busy)?;
        let running = self.running.clone().acquire_owned().await;
        let running = running.map_err(|_| PasswordError::Busy)?;
        tokio::task::spawn_blocking(move || {
            let _places = (admitted, running);
            work()
        })
        .await?
    }
}

fn hash(password: &[u8]) -> password_hash::Result<String> {
    Ok(Argon2::default().hash_password(password)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_which_is_of_argon2id() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("open sesame".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let right = passwords.verify("open sesame".into(), Some(hash.clone()));
        assert!(right.await.unwrap());
        assert!(!passwords.verify("open sesam".into(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("open sesame".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn more_than_may_wait_are_refused() {
        let passwords = Passwords::new().unwrap();
        let all = passwords
            .admitted
            .clone()
            .acquire_many_owned((RUNNING + WAITING) as u32);
        let all = all.await.unwrap();
        let refused = passwords.hash("open sesame".into()).await;
        assert!(matches!(refused, Err(PasswordError::Busy)), "{refused:?}");
        drop(all);
        passwords.hash("open sesame".into()).await.unwrap();
    }
}
