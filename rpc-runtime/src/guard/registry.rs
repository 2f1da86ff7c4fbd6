//! The guards of an endpoint by their names, their types erased.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
};

use super::{Guard, RequestGuard};
use crate::{Context, Status};

pub(crate) type Checking<'a> = Pin<Box<dyn Future<Output = Result<(), Status>> + Send + 'a>>;

/// A guard of any type.
pub(crate) trait ErasedGuard: Send + Sync {
    fn check_now(&self, cx: &Context) -> Option<Result<(), Status>>;
    fn check<'a>(&'a self, cx: &'a Context) -> Checking<'a>;
}

impl<G: Guard> ErasedGuard for G {
    fn check_now(&self, cx: &Context) -> Option<Result<(), Status>> {
        Guard::check_now(self, cx)
    }

    fn check<'a>(&'a self, cx: &'a Context) -> Checking<'a> {
        Box::pin(Guard::check(self, cx))
    }
}

/// A guard of any type that looks at requests of one.
pub(crate) trait ErasedRequestGuard<Q>: Send + Sync {
    fn check<'a>(&'a self, cx: &'a Context, request: &'a Q) -> Checking<'a>;
}

impl<Q: Sync + 'static, G: RequestGuard<Q>> ErasedRequestGuard<Q> for G {
    fn check<'a>(&'a self, cx: &'a Context, request: &'a Q) -> Checking<'a> {
        Box::pin(RequestGuard::check(self, cx, request))
    }
}

/// What one name stands for. Both may be registered; a call then passes both.
#[derive(Clone, Default)]
struct Named {
    guard: Option<Arc<dyn ErasedGuard>>,
    /// By the type of request: each an `Arc<dyn ErasedRequestGuard<Q>>`.
    of_requests: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
}

/// The guards of an endpoint by their names.
#[derive(Clone, Default)]
pub(crate) struct Guards(HashMap<String, Named>);

impl Guards {
    pub(crate) fn add(&mut self, name: String, guard: impl Guard) {
        self.0.entry(name).or_default().guard = Some(Arc::new(guard));
    }

    pub(crate) fn add_of_requests<Q: Sync + 'static>(&mut self, name: String, guard: impl RequestGuard<Q>) {
        let guard: Arc<dyn ErasedRequestGuard<Q>> = Arc::new(guard);
        let named = self.0.entry(name).or_default();
        named.of_requests.insert(TypeId::of::<Q>(), Arc::new(guard));
    }
}

impl Guards {
    /// What the name stands for, ahead of requests.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<dyn ErasedGuard>> {
        self.0.get(name)?.guard.clone()
    }
}

impl fmt::Debug for Guards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
