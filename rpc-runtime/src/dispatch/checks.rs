//! What a call passes before anything of its body is decoded: interceptors, `auth`, and guards.
//!
//! Owns who is asked in which order. What comes behind, the handler or the layers in front of it, is `layered`'s.

use std::{fmt, sync::Arc};

use crate::{
    Context, Status,
    context::with_trailers,
    contract::MethodDescriptor,
    guard::{ErasedGuard, Guards},
    middleware::{Middleware, Next},
    router::StartError,
};

type GuardList = Arc<[Arc<dyn ErasedGuard>]>;

/// What the calls of one method pass.
#[derive(Default)]
pub(super) struct Checks {
    middleware: Option<Arc<Middleware>>,
    /// Whether anonymous clients are refused.
    auth: bool,
    /// In the order in which they are asked; `None` where there are none.
    guards: Option<GuardList>,
}

impl Checks {
    pub(super) fn put_behind(&mut self, middleware: Arc<Middleware>) {
        self.middleware = Some(middleware);
    }

    /// Takes what a method's contract asks for, and for every method its endpoint.
    pub(super) fn protect(
        &mut self,
        method: &'static MethodDescriptor,
        guards: &Guards,
        auth: bool,
    ) -> Result<(), StartError> {
        self.auth = auth || method.auth;
        let named = method.guards.iter().map(|name| {
            guards.get(name).ok_or(StartError::GuardMissing {
                method: method.full_name,
                guard: name,
            })
        });
        let named = named.collect::<Result<Vec<_>, _>>()?;
        self.guards = (!named.is_empty()).then(|| named.into());
        Ok(())
    }

    /// Whether there is nothing to pass.
    pub(super) fn is_empty(&self) -> bool {
        self.middleware.is_none() && !self.auth && self.guards.is_none()
    }

    /// The layers for one call, where there are any.
    pub(super) fn service(&self) -> Option<Next> {
        self.middleware.as_ref()?.service()
    }

    /// Asks everything that answers at once. Where a guard has to wait, it and those behind it are what is left.
    #[inline]
    pub(super) fn pass(&self, cx: &mut Context) -> Result<Option<Waiting>, Status> {
        self.ask(cx)
            .map_err(|status| with_trailers(status, cx.take_sent()))
    }

    #[inline]
    fn ask(&self, cx: &mut Context) -> Result<Option<Waiting>, Status> {
        if let Some(middleware) = &self.middleware {
            middleware.intercept(cx)?;
        }
        if self.auth && cx.identity().is_none() {
            return Err(anonymous());
        }
        let Some(guards) = &self.guards else {
            return Ok(None);
        };
        for (at, guard) in guards.iter().enumerate() {
            match guard.check_now(cx) {
                Some(answer) => answer?,
                None => {
                    return Ok(Some(Waiting {
                        guards: guards.clone(),
                        at,
                    }));
                }
            }
        }
        Ok(None)
    }
}

#[cold]
fn anonymous() -> Status {
    Status::unauthenticated("this is for authenticated clients: authenticate first")
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks")
            .field("middleware", &self.middleware)
            .field("auth", &self.auth)
            .field("guards", &self.guards.as_ref().map_or(0, |guards| guards.len()))
            .finish()
    }
}

/// A guard that has to wait, with those behind it.
pub(super) struct Waiting {
    guards: GuardList,
    at: usize,
}

impl Waiting {
    /// Asks them, one after the other; the first that refuses ends it.
    pub(super) async fn pass(self, cx: &Context) -> Result<(), Status> {
        let mut asked = false;
        for guard in &self.guards[self.at..] {
            // The first has said already that it has to wait.
            let now = if asked { guard.check_now(cx) } else { None };
            asked = true;
            let answer = match now {
                Some(answer) => answer,
                None => guard.check(cx).await,
            };
            answer.map_err(|status| with_trailers(status, cx.take_sent()))?;
        }
        Ok(())
    }
}
