//! What stands around calls: interceptors, and tower's layers.
//!
//! Owns the types that they see, and the way of a call through them; how a call gets there and what is behind them are
//! the server's and the client's. The layers here are around *calls*; layers around the HTTP upgrade, such as
//! tower-http's, go around [`Server`](crate::Server), which is a tower service itself.
//!
//! # What runs when
//!
//! A call to a server comes by these, in this order:
//!
//! | | sees | may |
//! |---|---|---|
//! | limits, the router | the frame | refuse, or hand it to the [fallback](Fallback) |
//! | [rates](crate::RateLimit), those that fewest share first | how long the body is, as it came | refuse |
//! | [interceptors](crate::ServerBuilder::interceptor), in the order in which they were added | method, metadata, session, deadline, trace | change metadata, leave extensions, refuse |
//! | `auth` of the contract, [`require_authentication`](crate::Endpoint::require_authentication) | the identity | refuse |
//! | [guards](crate::Guard) that the contract names, in its order | method, metadata, session, identity | wait, refuse |
//! | [layers](crate::ServerBuilder::layer), the one that was added first outermost | what interceptors see, and the bodies, encoded | all of that, wait, change bodies, answer by themselves |
//! | decoding, then the contract's rules | the message | refuse |
//! | [guards](crate::RequestGuard) that the contract names and that look at requests | the message | wait, refuse |
//! | the handler | the message, and what was left in [`Context::extensions`](crate::Context::extensions) | answer |
//!
//! Of a stream that a client sends, each message passes rates when it arrives, and decoding, rules and guards that look at
//! it before the handler has it; one that does not pass ends the stream with the status.
//!
//! The answer comes back through the layers, encoded. All of it is inside of the call's [span](crate::trace), and under
//! its deadline. A request that would take too much memory once it is decoded is refused in front of the layers; one that
//! does not decode, or breaks a rule of its contract, is refused behind them. A compressed body is inflated when everything
//! has let the call pass that answers at once; guards that wait see to it afterwards.
//!
//! Where nothing of this is asked for, nothing of it is there: what a call goes through is settled when the server is built.
//! Rates, interceptors, `auth` and guards that [answer at once](crate::Guard::check_now) cost what they do, and no
//! allocation. Layers, guards that wait and guards that look at requests cost some allocations for each call, because a
//! message is encoded on its own and the types between are erased.
//!
//! # Interceptors
//!
//! An [`Interceptor`] is a function that sees a call ahead of its body and lets it pass or refuses it. It does not wait.
//! For facts about the tenant, for what is to be logged of every call it is all that is needed. Who calls is an
//! [authenticator](crate::auth)'s, and who may call which method a [guard](crate::Guard)'s.
//!
//! # Layers
//!
//! A layer makes a [`tower::Service`](https://docs.rs/tower/latest/tower/trait.Service.html) for [`Call`] around another,
//! [`Next`]. Tower's own work as they are:
//!
//! ```
//! use std::time::Duration;
//! use rpc_runtime::{Server, Status, middleware::Call};
//! use tower::ServiceBuilder;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let server = Server::builder().layer(
//!     ServiceBuilder::new()
//!         .load_shed()
//!         .concurrency_limit(1_000)
//!         .timeout(Duration::from_secs(10))
//!         .filter(|call: Call| match call.metadata().get("tenant") {
//!             Some(_) => Ok(call),
//!             None => Err(Status::unauthenticated("no tenant")),
//!         })
//!         .into_inner(),
//! );
//! # let _ = server.build();
//! # }
//! ```
//!
//! One of a program's own, which counts the messages of every response:
//!
//! ```
//! use std::{pin::Pin, sync::{Arc, atomic::{AtomicU64, Ordering}}, task::{Context, Poll}};
//! use rpc_runtime::{Server, middleware::{Call, Reply}};
//! use tower::{Layer, Service};
//!
//! #[derive(Clone, Default)]
//! struct Counting(Arc<AtomicU64>);
//!
//! #[derive(Clone)]
//! struct Counted<S>(S, Arc<AtomicU64>);
//!
//! impl<S> Layer<S> for Counting {
//!     type Service = Counted<S>;
//!     fn layer(&self, next: S) -> Counted<S> {
//!         Counted(next, self.0.clone())
//!     }
//! }
//!
//! impl<S> Service<Call> for Counted<S>
//! where
//!     S: Service<Call, Response = Reply>,
//!     S::Future: Send + 'static,
//! {
//!     type Response = Reply;
//!     type Error = S::Error;
//!     type Future = Pin<Box<dyn Future<Output = Result<Reply, S::Error>> + Send>>;
//!
//!     fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
//!         self.0.poll_ready(cx)
//!     }
//!
//!     fn call(&mut self, call: Call) -> Self::Future {
//!         let (reply, count) = (self.0.call(call), self.1.clone());
//!         Box::pin(async move {
//!             // One message, or each of a stream when it is sent.
//!             Ok(reply.await?.map_body(|body| body.map(move |message| {
//!                 count.fetch_add(1, Ordering::Relaxed);
//!                 message
//!             })))
//!         })
//!     }
//! }
//!
//! let counting = Counting::default();
//! let server = Server::builder().layer(counting.clone());
//! # let _ = server.build();
//! ```
//!
//! ## What is shared
//!
//! A layer is applied once, when the server is built. Each call then goes through a clone of the service that came of it,
//! which is asked whether it is ready first. So what clones share (the permits of a concurrency limit, counters behind an
//! `Arc`) holds for the whole server, and what they do not share is each call's own. Services that are no `Clone`, such as
//! tower's rate limit, go behind tower's `buffer`, as with axum: `ServiceBuilder::new().buffer(64).rate_limit(…)`; a buffer
//! spawns a task, so the server is then to be built inside of a runtime.
//!
//! ## Streams
//!
//! A request or a response that is a stream is [pulled](Messages) through the layers: nothing is read ahead, and the
//! windows hold as they do without. The service's future is ready with a [`Reply`] when the response is *open*; so a
//! timeout bounds the time up to that, and the permit of a concurrency limit is given back then. The call's own deadline
//! covers all of it.
//!
//! ## Errors
//!
//! An error of a layer becomes a status: a [`Status`](crate::Status) is what it is, tower's `Elapsed` is
//! DEADLINE_EXCEEDED, tower's `Overloaded` is UNAVAILABLE, and everything else is INTERNAL: its text goes to the log, and
//! the peer is told the call's id.
//!
//! ## Cancelling
//!
//! A call that is cancelled, late, or whose client is gone is dropped at once, with the futures of its layers and its
//! handler in them. A session's method has its grace when the connection is lost, and its layers with it.
//!
//! # On a client
//!
//! [`ClientBuilder::interceptor`](crate::ClientBuilder::interceptor) and
//! [`ClientBuilder::layer`](crate::ClientBuilder::layer) are the same for the calls that a client makes, whose head is
//! [`Outbound`]: a layer's service is one for `Call<Outbound>`. In this order:
//!
//! 1. what the call was told: its metadata, and the trace of the handler in which it is made;
//! 2. interceptors, once for a call, however often it is sent;
//! 3. layers, with the request encoded;
//! 4. the call as it is without them: it waits for a connection and a free stream, and is sent again where that is safe.
//!
//! A call's timeout holds from when it is awaited, with what it waits for in layers. An error is a
//! [`CallError`](crate::CallError): those of the connection pass through layers as they are, and any other becomes a status
//! as on a server. A session's closure runs once there is a connection, while its call goes through the layers. What tower's
//! `retry` needs of a policy is [`Call::try_clone`].
//!
//! Middleware that works on both sides is generic over [`Head`]:
//!
//! ```
//! use rpc_runtime::{Context, Status, middleware::{Head, Interceptor, Outbound}};
//!
//! struct NotOnSundays;
//!
//! impl<C: Head> Interceptor<C> for NotOnSundays {
//!     fn intercept(&self, call: &mut C) -> Result<(), Status> {
//!         match call.metadata().get("day") {
//!             Some("sunday") => Err(Status::unavailable(format!("{} rests", call.method().name))),
//!             _ => Ok(()),
//!         }
//!     }
//! }
//!
//! let server = rpc_runtime::Server::builder().interceptor(NotOnSundays);
//! let client = rpc_runtime::Client::builder("ws://127.0.0.1:3000/rpc").interceptor(NotOnSundays);
//! # let _ = (server, client);
//! ```

mod body;
mod call;
mod encoded;
mod error;
mod fallback;
mod head;
mod interceptor;
mod next;
mod stack;

pub use body::{Body, Messages, Reply, Trailers};
pub use call::Call;
pub use encoded::Encoded;
pub use fallback::{Fallback, UnknownMethod};
pub use head::{Head, Outbound};
pub use interceptor::Interceptor;
pub use next::{Next, NextFuture};

pub(crate) use error::status_of;
pub(crate) use fallback::ErasedFallback;
pub(crate) use head::{HungUp, Outcome, ToHandler, sealed::Side};
pub(crate) use stack::{Middleware, Stack};
