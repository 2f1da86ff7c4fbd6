//! A user, as an authenticator knows it.

use std::{fmt, sync::Arc, time::SystemTime};

/// A user, as an authenticator knows it: an id, roles, until when that holds, and typed facts such as a token's claims.
///
/// Cloning is cheap. What a call is begun with stays with it: [`Context::identity`](crate::Context::identity).
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    user: Arc<str>,
    roles: Vec<Box<str>>,
    expires: Option<SystemTime>,
    facts: http::Extensions,
}

impl Identity {
    /// The user with this id, for ever.
    ///
    /// The id must not be empty: that is how frames say that nobody is known. An authenticator that answers with an empty
    /// one is treated as if it had refused.
    pub fn new(user: impl Into<Arc<str>>) -> Self {
        Self(Arc::new(Inner {
            user: user.into(),
            roles: Vec::new(),
            expires: None,
            facts: http::Extensions::new(),
        }))
    }

    /// Says until when that holds. The client is told some time before, and may authenticate again.
    #[must_use]
    pub fn expires_at(self, expires: SystemTime) -> Self {
        self.change(|inner| inner.expires = Some(expires))
    }

    /// Adds a role, for guards to ask for.
    #[must_use]
    pub fn with_role(self, role: impl Into<Box<str>>) -> Self {
        self.change(|inner| inner.roles.push(role.into()))
    }

    /// Adds a fact, found again by its type.
    #[must_use]
    pub fn with<T: Clone + Send + Sync + 'static>(self, fact: T) -> Self {
        self.change(|inner| drop(inner.facts.insert(fact)))
    }

    fn change(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// The user's id.
    pub fn user(&self) -> &str {
        &self.0.user
    }

    /// The same, shared.
    pub(crate) fn shared_user(&self) -> &Arc<str> {
        &self.0.user
    }

    /// Whether both are one, and not merely alike.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Until when that holds, by the clock of whoever said so. `None`: for ever.
    pub fn expires(&self) -> Option<SystemTime> {
        self.0.expires
    }

    /// The roles, in the order in which they were added.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.0.roles.iter().map(|role| &**role)
    }

    /// Whether the user has a role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().any(|own| own == role)
    }

    /// A fact, by its type.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.facts.get()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("user", &self.0.user)
            .field("roles", &self.0.roles)
            .field("expires", &self.0.expires)
            .finish_non_exhaustive()
    }
}
