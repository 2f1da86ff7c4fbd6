//! The methods of a gateway, their types erased, and what generated gateways implement to register them.

use std::{any::Any, fmt, marker::PhantomData, sync::Arc, task::Context as TaskContext};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    BidirectionalMethod, ClientStreamingMethod, ServerStreamingMethod, SessionMethod, UnaryMethod, begin,
    call::Turn,
    checks::{Checks, Protection, RequestType},
    layered, served,
    served::serve,
    session, unknown,
    work::{Begun, Decoded},
};
use crate::{
    Context, Limits, Status,
    contract::{ContractField, MethodDescriptor, RequestPlan, ServiceDescriptor},
    guard::{Guards, RequestGuards},
    middleware::{Call, Encoded, Middleware, Outcome},
    router::StartError,
};

/// A service that can be called: what `#[rpc]` implements for a gateway.
pub trait Gateway: Sized + Send + Sync + 'static {
    /// The service's facts.
    fn descriptor() -> &'static ServiceDescriptor;

    /// Registers every method of the descriptor.
    fn methods(table: &mut MethodTable<Self>);
}

/// The methods of a gateway, while they are registered.
#[derive(Debug)]
pub struct MethodTable<G> {
    gateway: usize,
    entries: Vec<MethodEntry>,
    service: PhantomData<fn(G)>,
}

impl<G: Gateway> MethodTable<G> {
    pub(crate) fn new(gateway: usize) -> Self {
        Self {
            gateway,
            entries: Vec::new(),
            service: PhantomData,
        }
    }

    pub(crate) fn into_entries(self) -> Vec<MethodEntry> {
        self.entries
    }

    /// Registers the method at `index` of the service's descriptor.
    ///
    /// # Panics
    ///
    /// When the descriptor has no such method.
    pub fn unary<M: UnaryMethod<G>>(&mut self, index: usize) {
        self.add::<M::Request>(
            index,
            Takes::OneMessage,
            |entry, arrived, cx, turn| begin::read_and_run(entry, arrived, cx, turn, begin::unary::<G, M>),
            |entry, request, bytes, context, cx, turn| {
                begin::resume(entry, request, bytes, context, cx, turn, begin::unary::<G, M>)
            },
            served::unary::<G, M>,
        );
    }

    /// Registers the method at `index`, which answers with a stream.
    ///
    /// # Panics
    ///
    /// When the descriptor has no such method.
    pub fn server_streaming<M: ServerStreamingMethod<G>>(&mut self, index: usize) {
        self.add::<M::Request>(
            index,
            Takes::OneMessage,
            |entry, arrived, cx, turn| {
                begin::read_and_run(entry, arrived, cx, turn, begin::server_streaming::<G, M>)
            },
            |entry, request, bytes, context, cx, turn| {
                begin::resume(
                    entry,
                    request,
                    bytes,
                    context,
                    cx,
                    turn,
                    begin::server_streaming::<G, M>,
                )
            },
            served::server_streaming::<G, M>,
        );
    }

    /// Registers the method at `index`, which takes a stream and answers once.
    ///
    /// # Panics
    ///
    /// When the descriptor has no such method.
    pub fn client_streaming<M: ClientStreamingMethod<G>>(&mut self, index: usize) {
        self.add::<M::Request>(
            index,
            Takes::Stream,
            begin::client_streaming::<G, M>,
            not_decoded,
            served::client_streaming::<G, M>,
        );
    }

    /// Registers the method at `index`, which takes a stream and answers with one.
    ///
    /// # Panics
    ///
    /// When the descriptor has no such method.
    pub fn bidirectional<M: BidirectionalMethod<G>>(&mut self, index: usize) {
        self.add::<M::Request>(
            index,
            Takes::Stream,
            begin::bidirectional::<G, M>,
            not_decoded,
            served::bidirectional::<G, M>,
        );
    }

    /// Registers the method at `index`, which has both ends of the call in its hands.
    ///
    /// # Panics
    ///
    /// When the descriptor has no such method.
    pub fn session<M: SessionMethod<G>>(&mut self, index: usize) {
        self.add::<M::Request>(
            index,
            Takes::Session,
            session::begin::<G, M>,
            not_decoded,
            served::session::<G, M>,
        );
    }

    fn add<Q: ContractField + 'static>(
        &mut self,
        index: usize,
        takes: Takes,
        begin: Begin,
        resume: Resume,
        serve: Serve,
    ) {
        self.entries.push(MethodEntry {
            descriptor: &G::descriptor().methods[index],
            index: 0,
            gateway: self.gateway,
            takes,
            plan: RequestPlan::of::<Q>(),
            request: RequestType::of::<Q>(),
            find_request_guards: |guards, names| Some(guards.of_requests::<Q>(names)?),
            request_guards: None,
            begin,
            handler: begin,
            resume,
            serve,
            checks: Checks::default(),
        });
    }
}

/// What a method is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    OneMessage,
    Stream,
    /// A stream, and with it the writing end of its own.
    Session,
}

/// Begins a call.
pub(crate) type Begin = fn(&MethodEntry, Arrived<'_>, &mut TaskContext<'_>, &mut Turn<'_>) -> Begun;
type Serve = fn(&MethodEntry, Call) -> Outcome<Context>;
type FindRequestGuards = fn(&Guards, &[&str]) -> Option<Arc<dyn Any + Send + Sync>>;
type Resume = fn(&MethodEntry, Decoded, u64, Context, &mut TaskContext<'_>, &mut Turn<'_>) -> Begun;

/// Not reached: a stream has no request to be decoded.
fn not_decoded(
    _: &MethodEntry,
    _: Decoded,
    _: u64,
    _: Context,
    _: &mut TaskContext<'_>,
    _: &mut Turn<'_>,
) -> Begun {
    Begun::Failed(Status::internal("the method takes a stream").into())
}

/// A request, on its way to its handler.
pub(crate) struct Arrived<'a> {
    pub(crate) context: Context,
    pub(crate) body: Bytes,
    pub(crate) limits: &'a Limits,
    /// How many bytes the requests of the connection's running calls take.
    pub(crate) running_bytes: u64,
    /// So many bytes of a stream are read before the connection is told.
    pub(crate) step: usize,
    /// When it arrived.
    pub(crate) now: Instant,
}

/// One registered method, its types erased.
pub(crate) struct MethodEntry {
    pub(crate) descriptor: &'static MethodDescriptor,
    /// The method's place among all of its server.
    pub(crate) index: usize,
    pub(super) gateway: usize,
    takes: Takes,
    pub(super) plan: RequestPlan,
    /// Where calls begin: at the handler, or at what they pass in front of it.
    begin: Begin,
    /// Where calls go on that have passed everything: at the handler, or at guards in front of it that look at requests.
    pub(super) handler: Begin,
    resume: Resume,
    /// The handler of a call that came through layers.
    serve: Serve,
    pub(super) checks: Checks,
    request: RequestType,
    find_request_guards: FindRequestGuards,
    /// The [`RequestGuards`] of the type of its requests.
    request_guards: Option<Arc<dyn Any + Send + Sync>>,
}

impl MethodEntry {
    /// Stands for all methods that nobody has.
    pub(super) fn unknown(open: bool) -> Self {
        Self {
            descriptor: &unknown::UNKNOWN,
            index: 0,
            gateway: 0,
            takes: if open { Takes::Stream } else { Takes::OneMessage },
            plan: RequestPlan::of::<Encoded>(),
            begin: layered::straight,
            handler: layered::straight,
            resume: not_decoded,
            serve: |_, call| serve(call),
            checks: Checks::default(),
            request: RequestType::of::<Encoded>(),
            find_request_guards: |_, _| None,
            request_guards: None,
        }
    }

    /// Puts middleware in front of the handler. Without, calls begin at the handler, and nothing asks for any.
    pub(crate) fn put_behind(&mut self, middleware: Arc<Middleware>) {
        self.checks.put_behind(middleware);
        self.begin = layered::begin;
    }

    /// Puts what the method asks for, and what its endpoint does, in front of the handler.
    pub(crate) fn protect(&mut self, protection: &Protection<'_>) -> Result<(), StartError> {
        self.checks.protect(self.descriptor, self.request, protection)?;
        self.request_guards = (self.find_request_guards)(protection.guards, self.descriptor.guards);
        if self.request_guards.is_some() {
            self.handler = layered::straight;
            self.begin = layered::straight;
        }
        if !self.checks.is_empty() {
            self.begin = layered::begin;
        }
        Ok(())
    }

    /// The guards that look at its requests.
    pub(super) fn request_guards<Q: 'static>(&self) -> Result<Option<Arc<RequestGuards<Q>>>, Status> {
        match &self.request_guards {
            None => Ok(None),
            Some(guards) => match guards.clone().downcast() {
                Ok(guards) => Ok(Some(guards)),
                // Not reached: they were found for this type.
                Err(_) => Err(Status::internal("the guards are for another type")),
            },
        }
    }

    /// Whether a guard is asked in front of it.
    #[cfg(test)]
    pub(crate) fn is_guarded(&self) -> bool {
        self.checks.has_guards()
    }

    /// Whether it has both ends of the call in its hands.
    pub(super) fn is_session(&self) -> bool {
        self.takes == Takes::Session
    }

    /// Calls the handler of a call that came through layers.
    pub(super) fn serve(&self, call: Call) -> Outcome<Context> {
        (self.serve)(self, call)
    }

    /// Whether a call of it is to be followed by the client's stream.
    #[inline]
    pub(crate) fn takes_stream(&self) -> bool {
        self.takes != Takes::OneMessage
    }

    /// What begins a call whose body came as it is: decodes the request and begins its handler, which is polled once.
    #[inline]
    pub(crate) fn plain(&self) -> Begin {
        self.begin
    }

    /// What begins a call whose body came compressed. It is inflated once the call has passed what it can pass at once.
    pub(crate) fn compressed(&self) -> Begin {
        layered::inflating
    }

    /// Begins the handler of a request that was decoded elsewhere and takes so many bytes.
    pub(crate) fn resume(
        &self,
        request: Decoded,
        bytes: u64,
        context: Context,
        cx: &mut TaskContext<'_>,
        turn: &mut Turn<'_>,
    ) -> Begun {
        (self.resume)(self, request, bytes, context, cx, turn)
    }
}

impl fmt::Debug for MethodEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MethodEntry")
            .field("method", &self.descriptor.full_name)
            .finish_non_exhaustive()
    }
}
