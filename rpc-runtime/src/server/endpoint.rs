//! One endpoint of a server: the services on a path, and everything that is asked of those who call them.

use std::sync::{Arc, OnceLock};

use rpc_protocol::Limits as ProtocolLimits;
use tower_layer::Layer;
use tower_service::Service;

use super::origin::Origins;
use crate::{
    Hooks, Limits, RateLimit,
    auth::{Authenticator, Authenticators},
    dispatch::{Gateway, Protection},
    guard::{Guard, Guards, RequestGuard},
    metrics::{Meter, MethodMetrics},
    middleware::{Call, Fallback, Interceptor, Next, Reply, Stack},
    rate::Rates,
    router::{Router, StartError},
    services::reflection::Schemas,
    session::hooks::HookSets,
    status::BoxError,
};

/// The services on one path of a server, with authenticators, guards, middleware, hooks and limits of their own.
///
/// A server has one, on `/rpc`, which [`ServerBuilder`](super::ServerBuilder)'s own methods put together; more are added
/// by [`ServerBuilder::endpoint`](super::ServerBuilder::endpoint).
#[derive(Debug, Default)]
pub struct Endpoint {
    router: Router,
    /// The first mistake stays.
    mistake: Option<StartError>,
    limits: Limits,
    origins: Origins,
    stack: Stack,
    guards: Guards,
    authenticators: Authenticators,
    auth_required: bool,
    auth_cookie: Option<String>,
    hooks: HookSets,
    rate_limits: Vec<RateLimit>,
    channel_query: Option<Box<str>>,
    #[cfg(feature = "cmmv")]
    cmmv: Option<crate::Cmmv>,
    /// Whether reflection is served; `None`: as the kind of build has it.
    reflection: Option<bool>,
    /// The server's.
    pub(super) meter: Meter,
}

impl Endpoint {
    /// An endpoint without services, which lets everyone in.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a service: a generated or hand-written gateway.
    #[must_use]
    pub fn service<G: Gateway>(mut self, gateway: G) -> Self {
        if self.mistake.is_none() {
            self.mistake = self.router.add(gateway).err();
        }
        self
    }

    /// Whether clients can ask for channels here.
    pub(super) fn serves_hub(&self) -> bool {
        self.router.has::<crate::services::hub::OfServer>()
    }

    /// Says who takes calls of methods that no service has; see [`Fallback`]. Without, they are UNIMPLEMENTED. One that is
    /// added later takes the place of the one before.
    #[must_use]
    pub fn fallback(mut self, fallback: impl Fallback) -> Self {
        self.router.fall_back(fallback);
        self
    }

    /// Sets what each connection may do. [`Limits::default`] without.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets pages of another origin connect, such as `https://app.example.com`. Without, a browser's page is let in only from
    /// the host and port that it connects to; others are answered 403. Clients that are no browsers send no origin.
    #[must_use]
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.allow(origin.into());
        self
    }

    /// Puts a function in front of every method, which lets calls pass or answers them with a status, before anything
    /// of their bodies is decoded. Interceptors run in the order in which they are added, before guards and layers.
    ///
    /// See [`Interceptor`] for an example, and [`middleware`](crate::middleware) for what runs when.
    #[must_use]
    pub fn interceptor(mut self, interceptor: impl Interceptor) -> Self {
        self.stack.intercept(interceptor);
        self
    }

    /// Puts a tower layer around every method. The layer that is added first sees calls first.
    ///
    /// The layer is applied once, when the server is built; for each call the service that it makes is cloned, and what
    /// its clones share is shared by all calls of the server. See [`middleware`](crate::middleware).
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Next> + Send + Sync + 'static,
        L::Service: Service<Call, Response = Reply> + Clone + Send + Sync + 'static,
        <L::Service as Service<Call>>::Error: Into<BoxError>,
        <L::Service as Service<Call>>::Future: Send + 'static,
    {
        self.stack.layer(layer);
        self
    }

    /// Adds an authenticator; see [`Authenticator`]. Methods that declare `auth` need one.
    #[must_use]
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticators.add(authenticator);
        self
    }

    /// Refuses every call of clients that are not known, and closes those that do not become known within
    /// [`Limits::authentication_time`] with 4505. A server whose endpoint requires it and has
    /// no [authenticator](Self::authenticator) does not start.
    #[must_use]
    pub fn require_authentication(mut self) -> Self {
        self.auth_required = true;
        self
    }

    /// Takes the value of this cookie as a credential of the scheme `cookie`, where a handshake has no other. Such a handshake
    /// must have an allowed origin: a browser sends cookies for any page.
    #[must_use]
    pub fn auth_cookie(mut self, name: impl Into<String>) -> Self {
        self.auth_cookie = Some(name.into());
        self
    }

    /// Says what a guard does that contracts name; see [`Guard`].
    #[must_use]
    pub fn guard(mut self, name: impl Into<String>, guard: impl Guard) -> Self {
        self.guards.add(name.into(), guard);
        self
    }

    /// Says what a guard does with the decoded requests of one type; see [`RequestGuard`].
    #[must_use]
    pub fn request_guard<Q: Sync + 'static>(
        mut self,
        name: impl Into<String>,
        guard: impl RequestGuard<Q>,
    ) -> Self {
        self.guards.add_of_requests(name.into(), guard);
        self
    }

    /// Adds hooks; see [`Hooks`].
    #[must_use]
    pub fn hooks(mut self, hooks: impl Hooks) -> Self {
        self.hooks.add(hooks);
        self
    }

    /// Adds a rate; see [`RateLimit`].
    #[must_use]
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate_limits.push(limit);
        self
    }

    /// Subscribes each client to the channel that it names in the query of its address: with `channel_query("channel_id")`, a client
    /// that connects to `/rpc?channel_id=room:5` hears `room:5`.
    ///
    /// The right to subscribe is asked for as if the client had called, once it has been greeted, and where the endpoint requires
    /// authentication once it is known. An event tells it what has come of it: `rpc.hub.v1.Subscribed`, or
    /// `rpc.hub.v1.Unsubscribed` with the reason; it stays connected either way. Who is refused and becomes known later, in band, is
    /// not asked for again and subscribes by a call: for channels that want a user, require authentication, or have clients show
    /// their credential in the handshake. Without the query a client has the channel that it alone hears, as it always does:
    /// `Greeting.own_channel`.
    #[must_use]
    pub fn channel_query(mut self, parameter: impl Into<Box<str>>) -> Self {
        self.channel_query = Some(parameter.into());
        self
    }

    /// Speaks CMMV's wire on connections that offer no subprotocol; see [`Cmmv`](crate::Cmmv). Without, they are closed with 4504.
    #[cfg(feature = "cmmv")]
    #[must_use]
    pub fn cmmv(mut self, cmmv: crate::Cmmv) -> Self {
        self.cmmv = Some(cmmv);
        self
    }

    /// Serves [reflection](crate::services::reflection), the contract by which tools see what is served here, or does not.
    ///
    /// Turned on, its methods ask the guard `reflection`, as a contract says: register it by [`guard`](Self::guard), or the server
    /// does not start. Without a word, a debug build serves it, to whom that guard lets in where there is one, and to programs on
    /// the same machine otherwise ([`Loopback`](crate::services::reflection::Loopback)); a release build does not, and answers
    /// UNIMPLEMENTED. It is the build of this crate that counts: `debug_assertions`.
    ///
    /// ```
    /// use rpc_runtime::{Context, Server, Status};
    ///
    /// let server = Server::builder()
    ///     .reflection(true)
    ///     .guard("reflection", |cx: &Context| match cx.identity() {
    ///         Some(identity) if identity.has_role("developer") => Ok(()),
    ///         _ => Err(Status::permission_denied("this is for developers")),
    ///     })
    ///     .build();
    /// assert!(server.is_ok());
    /// ```
    #[must_use]
    pub fn reflection(mut self, on: bool) -> Self {
        self.reflection = Some(on);
        self
    }

    pub(super) fn build(self) -> Result<ActiveEndpoint, StartError> {
        self.build_as(cfg!(debug_assertions))
    }

    /// Adds what is served unless it was said otherwise.
    fn add_reflection(&mut self, debug_build: bool) -> Result<(), StartError> {
        use crate::services::reflection;
        let on = self.reflection.unwrap_or(debug_build);
        if !on || self.router.has::<reflection::OfEndpoint>() {
            return Ok(());
        }
        if self.reflection.is_none() && !self.guards.has(reflection::GUARD) {
            self.guards
                .add(reflection::GUARD.to_owned(), reflection::Loopback);
        }
        self.router.add(reflection::gateway())
    }

    fn build_as(mut self, debug_build: bool) -> Result<ActiveEndpoint, StartError> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        self.limits.check()?;
        self.add_reflection(debug_build)?;
        let mut router = self.router;
        if let Some(middleware) = self.stack.build() {
            router.put_behind(&middleware);
        }
        let rates = Rates::build(self.rate_limits)?;
        let protection = Protection {
            guards: &self.guards,
            auth_required: self.auth_required,
            rates: rates.as_ref(),
        };
        router.protect(&protection, !self.authenticators.is_empty())?;
        #[cfg(feature = "cmmv")]
        let cmmv = match &self.cmmv {
            Some(cmmv) => Some(crate::cmmv::Table::build(cmmv, &router)?),
            None => None,
        };
        Ok(ActiveEndpoint {
            #[cfg(feature = "cmmv")]
            cmmv,
            method_metrics: self.meter.is_on().then(|| MethodMetrics::of(&router)),
            meter: self.meter,
            router,
            protocol_limits: self.limits.of_protocol(),
            step: self.limits.step(),
            limits: self.limits,
            origins: self.origins,
            authenticators: self.authenticators,
            auth_required: self.auth_required,
            auth_cookie: self.auth_cookie,
            hooks: self.hooks,
            rates,
            channel_query: self.channel_query,
            schemas: OnceLock::new(),
        })
    }
}

/// An endpoint that is served.
#[derive(Debug)]
pub(crate) struct ActiveEndpoint {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    pub(crate) protocol_limits: ProtocolLimits,
    /// So many bytes of a stream are read before its connection is told.
    pub(crate) step: usize,
    pub(super) origins: Origins,
    pub(crate) authenticators: Authenticators,
    pub(crate) auth_required: bool,
    pub(crate) auth_cookie: Option<String>,
    pub(crate) hooks: HookSets,
    pub(crate) rates: Option<Arc<Rates>>,
    /// The parameter of the query that names a channel.
    pub(crate) channel_query: Option<Box<str>>,
    /// The contracts that clients of CMMV call.
    #[cfg(feature = "cmmv")]
    pub(crate) cmmv: Option<crate::cmmv::Table>,
    /// Put in order when they are first asked for.
    pub(crate) schemas: OnceLock<Schemas>,
    pub(crate) meter: Meter,
    /// Where calls are counted, if they are.
    pub(crate) method_metrics: Option<MethodMetrics>,
}

impl ActiveEndpoint {
    /// Whether a connection that offers no subprotocol is served.
    pub(super) fn speaks_cmmv(&self) -> bool {
        #[cfg(feature = "cmmv")]
        {
            self.cmmv.is_some()
        }
        #[cfg(not(feature = "cmmv"))]
        {
            false
        }
    }

    /// Whether that is so on paths that are no endpoint's.
    pub(super) fn speaks_cmmv_on_any_path(&self) -> bool {
        #[cfg(feature = "cmmv")]
        {
            self.cmmv.as_ref().is_some_and(|cmmv| cmmv.on_any_path)
        }
        #[cfg(not(feature = "cmmv"))]
        {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "rpc.reflection.v1.ReflectionService/ListServices";

    fn serves_reflection(endpoint: Endpoint, debug_build: bool) -> bool {
        let endpoint = endpoint.build_as(debug_build).unwrap();
        endpoint.router.by_name(LIST).is_some()
    }

    #[test]
    fn reflection_is_on_by_default_in_debug_builds_alone() {
        assert!(serves_reflection(Endpoint::new(), true));
        assert!(!serves_reflection(Endpoint::new(), false));
    }

    #[test]
    fn the_switch_turns_reflection_on_and_off_in_any_build() {
        let guarded = || Endpoint::new().guard("reflection", |_: &crate::Context| Ok(()));
        for debug_build in [true, false] {
            assert!(serves_reflection(guarded().reflection(true), debug_build));
            assert!(!serves_reflection(guarded().reflection(false), debug_build));
        }
    }

    #[test]
    fn reflection_that_was_turned_on_asks_for_its_guard_and_by_default_has_one() {
        for debug_build in [true, false] {
            let error = Endpoint::new()
                .reflection(true)
                .build_as(debug_build)
                .unwrap_err();
            let asks = matches!(
                &error,
                StartError::GuardMissing {
                    guard: "reflection",
                    ..
                }
            );
            assert!(asks, "{error}");
        }
        let endpoint = Endpoint::new().build_as(true).unwrap();
        assert!(endpoint.router.by_name(LIST).unwrap().is_guarded());
    }

    #[test]
    fn reflection_that_was_added_as_any_service_is_not_added_again() {
        let endpoint = Endpoint::new()
            .service(crate::services::reflection::gateway())
            .guard("reflection", |_: &crate::Context| Ok(()));
        assert!(serves_reflection(endpoint, true));
    }
}
