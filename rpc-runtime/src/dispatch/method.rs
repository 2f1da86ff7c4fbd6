//! What generated gateways implement, and how one of their methods is run.

use std::{
    fmt,
    marker::PhantomData,
    task::{Context as TaskContext, Poll},
};

use bytes::Bytes;
use prost::Message;
use tokio::task::spawn_blocking;

use super::{
    BidirectionalMethod, ClientStreamingMethod, ServerStreamingMethod, SessionMethod, UnaryMethod,
    call::{Begun, Call, Decoded, Failure, Task, Turn, Work},
    panics, spare,
};
use crate::{
    Context, Limits, Status,
    contract::{ContractField, MethodDescriptor, RequestPlan, ServiceDescriptor},
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
        self.entries.push(MethodEntry {
            descriptor: &G::descriptor().methods[index],
            index: 0,
            gateway: self.gateway,
            plan: RequestPlan::of::<M::Request>(),
            begin: begin::<G, M>,
            resume: resume::<G, M>,
        });
    }

    /// Registers the method at `index`, which answers with a stream.
    ///
    /// # Panics
    ///
    /// When the descriptor has no such method.
    pub fn server_streaming<M: ServerStreamingMethod<G>>(&mut self, index: usize) {
        self.not_served(index);
    }

    /// Registers the method at `index`, which takes a stream and answers once.
    ///
    /// # Panics
    ///
    /// When the descriptor has no such method.
    pub fn client_streaming<M: ClientStreamingMethod<G>>(&mut self, index: usize) {
        self.not_served(index);
    }

    /// Registers the method at `index`, which takes a stream and answers with one.
    ///
    /// # Panics
    ///
    /// When the descriptor has no such method.
    pub fn bidirectional<M: BidirectionalMethod<G>>(&mut self, index: usize) {
        self.not_served(index);
    }

    /// Registers the method at `index`, which has both ends of the call in its hands.
    ///
    /// # Panics
    ///
    /// When the descriptor has no such method.
    pub fn session<M: SessionMethod<G>>(&mut self, index: usize) {
        self.not_served(index);
    }

    /// Registers the method at `index`, a streaming one, as not served: it is answered UNIMPLEMENTED.
    ///
    /// # Panics
    ///
    /// When the descriptor has no such method.
    pub fn not_served(&mut self, index: usize) {
        self.entries.push(MethodEntry {
            descriptor: &G::descriptor().methods[index],
            index: 0,
            gateway: self.gateway,
            plan: RequestPlan::of::<()>(),
            begin: |entry, _, _, _| not_served(entry),
            resume: |entry, _, _, _, _, _| not_served(entry),
        });
    }
}

/// A request, on its way to its handler.
pub(crate) struct Arrived<'a> {
    pub(crate) context: Context,
    pub(crate) body: Bytes,
    pub(crate) limits: &'a Limits,
    /// How many bytes the requests of the connection's running calls take.
    pub(crate) running_bytes: u64,
}

/// One registered method, its types erased.
pub(crate) struct MethodEntry {
    pub(crate) descriptor: &'static MethodDescriptor,
    /// The method's place among all of its server.
    pub(crate) index: usize,
    gateway: usize,
    plan: RequestPlan,
    begin: fn(&Self, Arrived<'_>, &mut TaskContext<'_>, &mut Turn<'_>) -> Begun,
    resume: fn(&Self, Decoded, u64, Context, &mut TaskContext<'_>, &mut Turn<'_>) -> Begun,
}

impl MethodEntry {
    /// Decodes a request and begins its handler, which is polled once, with `cx`.
    #[inline]
    pub(crate) fn begin(&self, arrived: Arrived<'_>, cx: &mut TaskContext<'_>, turn: &mut Turn<'_>) -> Begun {
        (self.begin)(self, arrived, cx, turn)
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

#[cold]
fn too_much_running() -> Status {
    Status::resource_exhausted("the running calls of this connection take too much memory")
}

fn not_served(entry: &MethodEntry) -> Begun {
    let method = entry.descriptor.full_name;
    Begun::Failed(
        Status::unimplemented(format!("{method} streams, which this server does not serve yet")).into(),
    )
}

fn begin<G: Gateway, M: UnaryMethod<G>>(
    entry: &MethodEntry,
    arrived: Arrived<'_>,
    cx: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
) -> Begun {
    let Arrived {
        context,
        body,
        limits,
        running_bytes,
    } = arrived;
    let plan = entry.plan;
    let room = (limits.running_bytes as u64).saturating_sub(running_bytes);
    // Fields may be parts of the body, which then stays.
    let wire = body.len() as u64;
    let mut cost = match plan.weigh(&body, limits.decode_bytes) {
        Ok(cost) => cost,
        Err(status) => return Begun::Failed(status.into()),
    };
    if cost.bytes + wire > room {
        cost = plan.measure(&body);
        if cost.bytes + wire > room {
            return Begun::Failed(too_much_running().into());
        }
    }
    let bytes = cost.bytes + wire;
    match cost {
        cost if cost.elements > limits.inline_elements => {
            let task = spawn_blocking(move || {
                read::<M::Request>(plan, body).map(|request| Box::new(request) as Decoded)
            });
            Begun::Pending(Work::Decoding(Task(task), context), bytes)
        }
        _ => match panics::catch(|| read::<M::Request>(plan, body)) {
            Ok(Ok(request)) => run::<G, M>(entry, request, bytes, context, cx, turn),
            Ok(Err(failure)) => Begun::Failed(failure),
            Err(panic) => Begun::Failed(Failure::Panicked(panic)),
        },
    }
}

/// Decodes and validates. Only what does not decode is counted against the client.
fn read<R: Message + Default + ContractField>(plan: RequestPlan, body: Bytes) -> Result<R, Failure> {
    let request = plan.decode::<R>(body).map_err(Failure::Fault)?;
    plan.check(&request)?;
    Ok(request)
}

fn resume<G: Gateway, M: UnaryMethod<G>>(
    entry: &MethodEntry,
    request: Decoded,
    bytes: u64,
    context: Context,
    cx: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
) -> Begun {
    match request.downcast::<M::Request>() {
        Ok(request) => run::<G, M>(entry, *request, bytes, context, cx, turn),
        // Not reached: the same method's `begin` has made it.
        Err(_) => Begun::Failed(Status::internal("the request has another type").into()),
    }
}

/// Polls a handler for the first time.
fn run<G: Gateway, M: UnaryMethod<G>>(
    entry: &MethodEntry,
    request: M::Request,
    bytes: u64,
    context: Context,
    cx: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
) -> Begun {
    let (gateway, stream_id) = (entry.gateway, context.stream_id());
    let future = async move {
        let context = context;
        // The session keeps the router, so that the gateway is borrowed and no counter shared between connections
        // is touched.
        match context.session().router.gateway::<G>(gateway) {
            Some(gateway) => M::call(gateway, &context, request).await,
            // Not reached: the gateway registered this method.
            None => Err(Status::internal("the gateway has another type")),
        }
    };
    let mut call = spare::take(entry.index).unwrap_or_else(|| Box::new(Box::pin(Call::empty())));
    (*call).as_mut().set(future);
    if entry.descriptor.spawn {
        return Begun::Pending(Work::spawn(*call), bytes);
    }
    match panics::catch(|| (*call).as_mut().poll_handler(cx)) {
        Ok(Poll::Ready(result)) => {
            spare::give(entry.index, call);
            match result {
                Ok(response) => {
                    turn.respond(stream_id, &response);
                    Begun::Answered
                }
                Err(status) => Begun::Failed(status.into()),
            }
        }
        Ok(Poll::Pending) => Begun::Pending(Work::Inline(*call), bytes),
        Err(panic) => {
            panics::drop_quietly(call);
            Begun::Failed(Failure::Panicked(panic))
        }
    }
}
