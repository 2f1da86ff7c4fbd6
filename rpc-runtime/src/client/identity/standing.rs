//! What all connections of a client share about who it is.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_core::Stream;
use futures_util::stream;
use http::HeaderValue;
use rpc_protocol::frame::{Authenticate, AuthenticationPurpose};
use tokio::sync::watch;

use super::{ClientIdentity, Provide, ServerGreeting};
use crate::{auth::Credential, status::BoxError};

/// Who a client is, over all its connections.
pub(in crate::client) struct Standing {
    provider: Option<Arc<dyn Provide>>,
    remembered: Mutex<Remembered>,
    told: watch::Sender<Told>,
}

/// What the next connection shows, where there is no provider.
#[derive(Default, Clone)]
struct Remembered {
    shown: Option<Shown>,
    /// The program has signed out: nothing is shown, nor asked for, until it authenticates.
    signed_out: bool,
    /// The last sign-out: what was begun before it does not count any more.
    last_sign_out: u64,
    /// Counts what the program has begun to change.
    changes: u64,
}

/// A credential, and how a new connection shows it.
#[derive(Clone)]
pub(in crate::client) struct Shown {
    pub(in crate::client) credential: Credential,
    /// Not in the handshake: it was first shown on a live connection.
    in_band: bool,
}

impl Shown {
    pub(in crate::client) fn of_builder(credential: Credential) -> Self {
        Self {
            credential,
            in_band: false,
        }
    }

    /// The header that shows it, where a header can.
    pub(in crate::client) fn authorization(&self) -> Option<HeaderValue> {
        let credential = &self.credential;
        if self.in_band || credential.scheme() != "bearer" || !credential.metadata().is_empty() {
            return None;
        }
        let mut value = HeaderValue::try_from(format!("Bearer {}", credential.text()?)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// Why a client proves who it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::client) enum Why {
    /// A connection begins: refused, it is of no use.
    Begins,
    /// The identity ends soon.
    Refresh,
    /// The program asks for it.
    Asked,
}

/// What a client sends to be known, or to be forgotten.
pub(in crate::client) struct Proof {
    pub(in crate::client) why: Why,
    purpose: AuthenticationPurpose,
    /// `None`: signs out.
    credential: Option<Credential>,
    /// Which of the program's changes it is, where it is one.
    change: u64,
}

impl Proof {
    /// What a client shows by itself.
    pub(in crate::client) fn new(why: Why, credential: Credential) -> Self {
        Self {
            why,
            purpose: AuthenticationPurpose::Refresh,
            credential: Some(credential),
            change: 0,
        }
    }

    /// What the program asks for. Without a credential: to be nobody.
    pub(super) fn asked(purpose: AuthenticationPurpose, credential: Option<Credential>, change: u64) -> Self {
        Self {
            why: Why::Asked,
            purpose,
            credential,
            change,
        }
    }

    pub(in crate::client) fn frame(&self) -> Authenticate {
        let mut frame = Authenticate {
            purpose: self.purpose as i32,
            ..Authenticate::default()
        };
        if let Some(credential) = &self.credential {
            frame.scheme = credential.scheme().to_owned();
            frame.credential = credential.secret_bytes().clone();
            frame.metadata = credential.metadata().clone().into_pairs();
        }
        frame
    }
}

/// What the servers have said.
#[derive(Default)]
struct Told {
    /// The connection that counts: what comes on older ones, which finish their calls, does not.
    link: u64,
    identity: ClientIdentity,
    greeting: Option<ServerGreeting>,
    /// The client is closed for good.
    over: bool,
}

impl Standing {
    pub(in crate::client) fn new(provider: Option<Arc<dyn Provide>>, shown: Option<Shown>) -> Self {
        Self {
            provider,
            remembered: Mutex::new(Remembered {
                shown,
                ..Remembered::default()
            }),
            told: watch::Sender::default(),
        }
    }

    /// What a new connection shows, asked for within `timeout`.
    ///
    /// # Errors
    ///
    /// The provider has none.
    pub(in crate::client) async fn show(&self, timeout: Duration) -> Result<Option<Shown>, BoxError> {
        let now = self.remembered();
        if now.signed_out {
            return Ok(None);
        }
        match &self.provider {
            None => Ok(now.shown),
            Some(provider) => {
                let credential = ask(&**provider, timeout).await?;
                // The program may have signed out meanwhile.
                let signed_out = self.remembered().signed_out;
                Ok((!signed_out).then(|| Shown::of_builder(credential)))
            }
        }
    }

    /// Whether there is somebody to ask for fresh credentials.
    pub(in crate::client) fn has_provider(&self) -> bool {
        self.provider.is_some()
    }

    /// A fresh credential for a live connection; `None` where the program has changed who it is, and none is needed.
    ///
    /// # Errors
    ///
    /// The provider has none.
    pub(super) async fn fresh(&self, timeout: Duration) -> Result<Option<Credential>, BoxError> {
        let Some(provider) = &self.provider else {
            return Ok(None);
        };
        let before = self.remembered();
        if before.signed_out {
            return Ok(None);
        }
        let credential = ask(&**provider, timeout).await?;
        Ok((self.remembered().changes == before.changes).then_some(credential))
    }

    /// The program begins to change who it is. Gives the number of the change.
    pub(super) fn changes(&self) -> u64 {
        let mut remembered = self.lock();
        remembered.changes += 1;
        remembered.changes
    }

    /// The program signs out: whatever comes of that, nothing is shown from now on. Gives the number of the change.
    pub(super) fn signs_out(&self) -> u64 {
        let mut remembered = self.lock();
        remembered.changes += 1;
        remembered.last_sign_out = remembered.changes;
        remembered.signed_out = true;
        remembered.shown = None;
        remembered.changes
    }

    /// The server has accepted what it was shown.
    pub(in crate::client) fn accepted(&self, proof: Proof) {
        if let Proof {
            why: Why::Asked,
            credential: Some(credential),
            change,
            ..
        } = proof
        {
            let mut remembered = self.lock();
            // The program may have signed out behind it.
            if change > remembered.last_sign_out {
                remembered.signed_out = false;
                remembered.shown = Some(Shown {
                    credential,
                    in_band: true,
                });
            }
        }
    }

    /// A connection begins; what is said on others does not count any more. Gives its number.
    pub(in crate::client) fn begins(&self) -> u64 {
        let mut number = 0;
        self.told.send_modify(|told| {
            told.link += 1;
            told.greeting = None;
            number = told.link;
        });
        number
    }

    /// There is no connection for calls. Who the client is stays as it was last said, until a server says otherwise.
    pub(in crate::client) fn is_gone(&self) {
        self.told.send_modify(|told| told.greeting = None);
    }

    /// The server has greeted. `identity`: who the client is, where that is decided.
    pub(in crate::client) fn greeted(
        &self,
        link: u64,
        greeting: ServerGreeting,
        identity: Option<ClientIdentity>,
    ) {
        self.told.send_if_modified(|told| {
            let counts = told.link == link;
            if counts {
                told.greeting = Some(greeting);
                told.identity = identity.unwrap_or_else(|| told.identity.clone());
            }
            counts
        });
    }

    /// The server has said who the client is.
    pub(in crate::client) fn is_told(&self, link: u64, identity: ClientIdentity) {
        self.told.send_if_modified(|told| {
            let news = told.link == link && told.identity != identity;
            if news {
                told.identity = identity;
            }
            news
        });
    }

    /// The client is closed for good.
    pub(in crate::client) fn is_over(&self) {
        self.told.send_modify(|told| {
            told.over = true;
            told.greeting = None;
        });
    }

    pub(in crate::client) fn identity(&self) -> ClientIdentity {
        self.told.borrow().identity.clone()
    }

    pub(in crate::client) fn greeting(&self) -> Option<ServerGreeting> {
        self.told.borrow().greeting.clone()
    }

    /// Waits for the greeting of a connection; `None` when the client is closed for good.
    pub(in crate::client) async fn wait_for_greeting(&self) -> Option<ServerGreeting> {
        let mut told = self.told.subscribe();
        // The sender is here, and so the wait cannot fail.
        let told = told.wait_for(|told| told.greeting.is_some() || told.over).await;
        told.ok()?.greeting.clone()
    }

    /// Who the client is now, and each time that it changes, up to the end of the client.
    pub(in crate::client) fn identities(&self) -> impl Stream<Item = ClientIdentity> + Send + Unpin + use<> {
        let told = self.told.subscribe();
        Box::pin(stream::unfold((None, told), |(last, mut told)| async move {
            let next = told.wait_for(|told| told.over || last.as_ref() != Some(&told.identity));
            let next = next.await.ok()?;
            if next.over && last.as_ref() == Some(&next.identity) {
                return None;
            }
            let identity = next.identity.clone();
            drop(next);
            Some((identity.clone(), (Some(identity), told)))
        }))
    }

    fn remembered(&self) -> Remembered {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // Nothing panics while the lock is held.
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(provider: &dyn Provide, timeout: Duration) -> Result<Credential, BoxError> {
    match tokio::time::timeout(timeout, provider.ask()).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("the provider gave none within {timeout:?}").into()),
    }
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standing")
            .field("identity", &self.identity())
            .finish_non_exhaustive()
    }
}
