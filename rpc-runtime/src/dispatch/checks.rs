//! What a call passes before anything of its body is decoded: rates, interceptors, `auth`, and guards.
//!
//! Owns who is asked in which order. What comes behind, the handler or the layers in front of it, is `layered`'s.

use std::{any::TypeId, fmt, sync::Arc};

use super::table::Arrived;
use crate::{
    Context, Status,
    context::with_trailers,
    contract::MethodDescriptor,
    guard::{ErasedGuard, Guards},
    metrics::RefusedCall,
    middleware::{Middleware, Next},
    rate::{Metered, Rates},
    router::StartError,
    server::ActiveEndpoint,
};

/// What an endpoint asks of those who call its methods.
pub(crate) struct Protection<'a> {
    pub(crate) guards: &'a Guards,
    /// Whether anonymous clients are refused whatever they call.
    pub(crate) auth_required: bool,
    pub(crate) rates: Option<&'a Arc<Rates>>,
}

/// The type of a method's requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestType {
    pub(super) id: TypeId,
    pub(super) name: &'static str,
}

impl RequestType {
    pub(super) fn of<Q: 'static>() -> Self {
        Self {
            id: TypeId::of::<Q>(),
            name: std::any::type_name::<Q>(),
        }
    }
}

type GuardList = Arc<[Arc<dyn ErasedGuard>]>;

/// What the calls of one method pass.
#[derive(Default)]
pub(super) struct Checks {
    /// What they count on, and the messages of their streams with them.
    rates: Option<Arc<Metered>>,
    middleware: Option<Arc<Middleware>>,
    /// Whether anonymous clients are refused.
    auth: bool,
    /// In the order in which they are asked; `None` where there are none.
    guards: Option<GuardList>,
}

impl Checks {
    /// Whether there are guards to be asked.
    #[cfg(test)]
    pub(super) fn has_guards(&self) -> bool {
        self.guards.is_some()
    }

    pub(super) fn put_behind(&mut self, middleware: Arc<Middleware>) {
        self.middleware = Some(middleware);
    }

    /// Takes what a method's contract asks for, and for every method its endpoint.
    pub(super) fn protect(
        &mut self,
        method: &'static MethodDescriptor,
        request: RequestType,
        protection: &Protection<'_>,
    ) -> Result<(), StartError> {
        let guards = protection.guards;
        let missing = |name: &&str| guards.get(name).is_none() && !guards.has_of_requests(name, request.id);
        if let Some(guard) = method.guards.iter().find(|name| missing(name)) {
            return Err(StartError::GuardMissing {
                method: method.full_name,
                guard,
                request: request.name,
                has_others: guards.has(guard),
            });
        }
        let named: Vec<_> = method.guards.iter().filter_map(|name| guards.get(name)).collect();
        self.guards = (!named.is_empty()).then(|| named.into());
        self.auth = protection.auth_required || method.auth;
        self.rates = protection
            .rates
            .and_then(|rates| rates.of_method(method.full_name));
        Ok(())
    }

    /// Whether there is nothing to pass.
    pub(super) fn is_empty(&self) -> bool {
        self.rates.is_none() && self.middleware.is_none() && !self.auth && self.guards.is_none()
    }

    /// What the messages of streams count on.
    pub(super) fn rates(&self) -> Option<&Arc<Metered>> {
        self.rates.as_ref()
    }

    /// The layers for one call, where there are any.
    pub(super) fn service(&self) -> Option<Next> {
        self.middleware.as_ref()?.service()
    }

    /// Asks everything that answers at once. Where a guard has to wait, it and those behind it are what is left.
    #[inline]
    pub(super) fn pass(&self, arrived: &mut Arrived<'_>) -> Result<Option<Waiting>, Status> {
        if let Some(rates) = &self.rates {
            rates.take(arrived.context.session(), arrived.body.len(), arrived.now)?;
        }
        let cx = &mut arrived.context;
        self.ask(cx)
            .map_err(|status| with_trailers(status, cx.take_sent()))
    }

    #[inline]
    fn ask(&self, cx: &mut Context) -> Result<Option<Waiting>, Status> {
        if let Some(middleware) = &self.middleware {
            middleware.intercept(cx)?;
        }
        if self.auth && cx.identity().is_none() {
            return Err(anonymous(cx));
        }
        let Some(guards) = &self.guards else {
            return Ok(None);
        };
        for (at, guard) in guards.iter().enumerate() {
            match guard.check_now(cx) {
                Some(answer) => answer.map_err(|status| refused(cx, status))?,
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
fn anonymous(cx: &Context) -> Status {
    authenticate_first(&cx.session().endpoint)
}

/// What a client is told that is not known where it has to be, and the count of it.
#[cold]
pub(crate) fn authenticate_first(endpoint: &ActiveEndpoint) -> Status {
    endpoint.meter.refused(RefusedCall::Unauthenticated);
    Status::unauthenticated("this is for authenticated clients: authenticate first")
}

/// A guard has said no.
#[cold]
fn refused(cx: &Context, status: Status) -> Status {
    cx.session().endpoint.meter.refused(RefusedCall::Guard);
    status
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks")
            .field("rates", &self.rates)
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
        for (at, guard) in self.guards.iter().enumerate().skip(self.at) {
            // The first has said already that it has to wait.
            let now = if at == self.at { None } else { guard.check_now(cx) };
            let answer = match now {
                Some(answer) => answer,
                None => guard.check(cx).await,
            };
            answer.map_err(|status| with_trailers(refused(cx, status), cx.take_sent()))?;
        }
        Ok(())
    }
}
