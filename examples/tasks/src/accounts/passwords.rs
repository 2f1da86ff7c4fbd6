//! Hashes of passwords: argon2id with the parameters that its crate recommends, on threads of their own.
//!
//! A hash takes tens of milliseconds of a core and 19 MiB, on purpose. So at most [`Passwords::RUNNING`] are made at once,
//! at most [`Passwords::WAITING`] more wait for their turn, and who comes then is refused.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// Makes and checks hashes. Cloning is cheap; clones share their bounds.
#[derive(Clone)]
pub(crate) struct Passwords(Arc<Shared>);

struct Shared {
    /// One for each that runs or waits.
    admitted: Arc<Semaphore>,
    /// One for each that runs.
    running: Arc<Semaphore>,
    /// What is checked where there is no user, so that it takes as long.
    nobodys: String,
    #[cfg(test)]
    checked: std::sync::atomic::AtomicUsize,
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
    /// How many are hashed at once: two threads of them leave a small machine some time for its calls, and 38 MiB are
    /// little on any.
    pub(crate) const RUNNING: usize = 2;

    /// How many more may wait. The last of them waits for about two seconds.
    pub(crate) const WAITING: usize = 64;

    /// Makes one hash, for nobody, of a password that nobody knows.
    ///
    /// # Errors
    ///
    /// When the system has no randomness.
    pub(crate) fn new() -> Result<Self, PasswordError> {
        let mut unknown = [0; 32];
        getrandom::fill(&mut unknown).map_err(|_| password_hash::Error::Crypto)?;
        Ok(Passwords(Arc::new(Shared {
            admitted: Arc::new(Semaphore::new(Self::RUNNING + Self::WAITING)),
            running: Arc::new(Semaphore::new(Self::RUNNING)),
            nobodys: hash(&unknown)?,
            #[cfg(test)]
            checked: Default::default(),
        })))
    }

    /// A hash of a password, with a salt of its own, as a PHC string.
    ///
    /// # Errors
    ///
    /// [`PasswordError::Busy`] when too many wait.
    pub(crate) async fn hash(&self, password: String) -> Result<String, PasswordError> {
        self.run(move |_| Ok(hash(password.as_bytes())?)).await
    }

    /// Whether a password is the one that was hashed. Without a hash, because there is no such user, it is not, and to say
    /// so takes as long.
    ///
    /// # Errors
    ///
    /// [`PasswordError::Busy`] when too many wait; [`PasswordError::Hash`] when somebody else wrote the hash.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, PasswordError> {
        self.run(move |shared| {
            #[cfg(test)]
            shared.checked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            // The parameters are those that the hash was made with.
            let known = hash.as_deref().unwrap_or(&shared.nobodys);
            let known = PasswordHash::new(known).map_err(password_hash::Error::from)?;
            let same = match Argon2::default().verify_password(password.as_bytes(), &known) {
                Ok(()) => true,
                Err(password_hash::Error::PasswordInvalid) => false,
                Err(error) => return Err(error.into()),
            };
            Ok(same && hash.is_some())
        })
        .await
    }

    /// Runs work where it holds nobody up. Whoever gives up waiting gives its place back; work that runs keeps it to its end.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let shared = self.0.clone();
        let admitted = shared.admitted.clone().try_acquire_owned();
        let admitted = admitted.map_err(|_| PasswordError::Busy)?;
        let running = shared.running.clone().acquire_owned().await;
        let running = running.map_err(|_| PasswordError::Busy)?;
        tokio::task::spawn_blocking(move || {
            let _places = (admitted, running);
            work(&shared)
        })
        .await?
    }

    /// How many passwords were checked.
    #[cfg(test)]
    pub(crate) fn checked(&self) -> usize {
        self.0.checked.load(std::sync::atomic::Ordering::Relaxed)
    }
}

fn hash(password: &[u8]) -> password_hash::Result<String> {
    Ok(Argon2::default().hash_password(password)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_is_of_argon2id_with_the_recommended_parameters_and_its_own_salt() {
        let passwords = Passwords::new().unwrap();
        let one = passwords.hash("open sesame".into()).await.unwrap();
        let other = passwords.hash("open sesame".into()).await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
        assert!(
            passwords
                .verify("open sesame".into(), Some(one.clone()))
                .await
                .unwrap()
        );
        assert!(!passwords.verify("open sesam".into(), Some(one)).await.unwrap());
    }

    #[tokio::test]
    async fn nobodys_password_is_checked_like_anybodys_and_is_never_right() {
        let passwords = Passwords::new().unwrap();
        let like = passwords.hash("open sesame".into()).await.unwrap();
        let parameters = |hash: &str| hash.rsplitn(3, '$').nth(2).unwrap().to_owned();
        assert_eq!(parameters(&passwords.0.nobodys), parameters(&like));
        assert!(!passwords.verify("open sesame".into(), None).await.unwrap());
        assert_eq!(passwords.checked(), 1);
    }

    #[tokio::test]
    async fn more_than_may_wait_are_refused_and_who_gives_up_gives_its_place_back() {
        let passwords = Passwords::new().unwrap();
        let busy = passwords.0.running.clone();
        let busy = busy.acquire_many_owned(Passwords::RUNNING as u32).await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..Passwords::RUNNING + Passwords::WAITING {
            let passwords = passwords.clone();
            let mut hash = Box::pin(async move { passwords.hash("open sesame".into()).await });
            assert!(futures_poll(&mut hash).await.is_none(), "it waits");
            waiting.push(hash);
        }
        let refused = passwords.hash("open sesame".into()).await;
        assert!(matches!(refused, Err(PasswordError::Busy)), "{refused:?}");
        waiting.pop();
        let mut again = Box::pin(passwords.hash("open sesame".into()));
        assert!(futures_poll(&mut again).await.is_none(), "there is a place again");
        drop(waiting);
        drop(busy);
        again.await.unwrap();
    }

    /// Polls once.
    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|cx| {
            let polled = std::pin::Pin::new(&mut *future).poll(cx);
            std::task::Poll::Ready(match polled {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
