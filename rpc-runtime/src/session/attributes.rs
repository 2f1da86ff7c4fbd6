//! What hooks, authenticators, guards and handlers leave in a session, by type.

use std::sync::{OnceLock, PoisonError, RwLock};

/// Values by their types; takes memory only once it is used.
#[derive(Debug, Default)]
pub(super) struct Attributes(OnceLock<Box<RwLock<http::Extensions>>>);

impl Attributes {
    pub(super) fn insert<T: Clone + Send + Sync + 'static>(&self, value: T) -> Option<T> {
        let mut values = self
            .0
            .get_or_init(Box::default)
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        values.insert(value)
    }

    pub(super) fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        let values = self.0.get()?.read().unwrap_or_else(PoisonError::into_inner);
        values.get().cloned()
    }

    pub(super) fn remove<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        let mut values = self.0.get()?.write().unwrap_or_else(PoisonError::into_inner);
        values.remove()
    }
}
