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

/// The guards of one method that look at its requests, in the order in which they are asked.
pub(crate) struct RequestGuards<Q>(Box<[Arc<dyn ErasedRequestGuard<Q>>]>);

impl<Q> RequestGuards<Q> {
    /// Asks them; the first that refuses ends it.
    pub(crate) async fn check(&self, cx: &Context, request: &Q) -> Result<(), Status> {
        for guard in &self.0 {
            guard.check(cx, request).await?;
        }
        Ok(())
    }
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

    /// Whether the name stands for anything at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether the name stands for something with requests of a type.
    pub(crate) fn has_of_requests(&self, name: &str, request: TypeId) -> bool {
        let named = self.0.get(name);
        named.is_some_and(|named| named.of_requests.contains_key(&request))
    }

    /// What the names stand for with requests of a type; `None` where that is nothing.
    pub(crate) fn of_requests<Q: 'static>(&self, names: &[&str]) -> Option<Arc<RequestGuards<Q>>> {
        let guards: Box<[_]> = names
            .iter()
            .filter_map(|name| {
                let guard = self.0.get(*name)?.of_requests.get(&TypeId::of::<Q>())?;
                guard.downcast_ref::<Arc<dyn ErasedRequestGuard<Q>>>().cloned()
            })
            .collect();
        (!guards.is_empty()).then(|| Arc::new(RequestGuards(guards)))
    }
}

impl fmt::Debug for Guards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
