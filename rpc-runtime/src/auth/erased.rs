//! Authenticators of any type, asked in turn.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use super::{Attempt, AuthError, Authenticator, Identity};

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Identity, AuthError>> + Send + 'a>>;

trait Erased: Send + Sync {
    fn authenticate<'a>(&'a self, attempt: &'a Attempt<'a>) -> Answer<'a>;
}

impl<A: Authenticator> Erased for A {
    fn authenticate<'a>(&'a self, attempt: &'a Attempt<'a>) -> Answer<'a> {
        Box::pin(Authenticator::authenticate(self, attempt))
    }
}

/// The authenticators of an endpoint, in the order of their registration.
#[derive(Clone, Default)]
pub(crate) struct Authenticators(Vec<Arc<dyn Erased>>);

impl Authenticators {
    pub(crate) fn add(&mut self, authenticator: impl Authenticator) {
        self.0.push(Arc::new(authenticator));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks one after the other, until one knows the scheme.
    pub(crate) async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        for authenticator in &self.0 {
            match authenticator.authenticate(attempt).await {
                Err(AuthError::UnknownScheme) => {}
                Ok(identity) if identity.user().is_empty() => {
                    return Err(AuthError::invalid("the authenticator has given an empty user id"));
                }
                answer => return answer,
            }
        }
        Err(AuthError::UnknownScheme)
    }
}

impl fmt::Debug for Authenticators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authenticators").field(&self.0.len()).finish()
    }
}
