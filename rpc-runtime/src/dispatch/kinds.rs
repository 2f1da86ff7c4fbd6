//! The kinds of methods that a gateway may have, each as a trait that is implemented by one type per method.
//!
//! What generated code implements; how each kind is run is not here.

use std::future::Future;

use futures_core::Stream;

use crate::{
    Context, Status,
    contract::Contract,
    streaming::{Outgoing, Streaming},
};

/// One unary method of a gateway, as a type.
pub trait UnaryMethod<G>: 'static {
    /// What the method is called with.
    type Request: Contract + 'static;
    /// What it answers.
    type Response: Contract + 'static;

    /// Calls it.
    fn call<'a>(
        gateway: &'a G,
        cx: &'a Context,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Response, Status>> + Send + 'a;
}

/// One method of a gateway that answers with a stream, as a type.
pub trait ServerStreamingMethod<G>: 'static {
    /// What the method is called with.
    type Request: Contract + 'static;
    /// One item of its answer.
    type Response: Contract + 'static;

    /// Calls it. The call is open, with its initial metadata, once the future is ready; the stream is then polled only
    /// while the client takes what it gives, and dropped when the call is over.
    fn call<'a>(
        gateway: &'a G,
        cx: &'a Context,
        request: Self::Request,
    ) -> impl Future<Output = Result<impl Stream<Item = Result<Self::Response, Status>> + Send + 'a, Status>>
    + Send
    + 'a;
}

/// One method of a gateway that takes a stream and answers once, as a type.
pub trait ClientStreamingMethod<G>: 'static {
    /// One item of what the method is called with.
    type Request: Contract + 'static;
    /// What it answers.
    type Response: Contract + 'static;

    /// Calls it. It may answer before the requests have ended; what still comes is then ignored.
    fn call<'a>(
        gateway: &'a G,
        cx: &'a Context,
        requests: Streaming<Self::Request>,
    ) -> impl Future<Output = Result<Self::Response, Status>> + Send + 'a;
}

/// One method of a gateway that takes a stream and answers with one, as a type.
pub trait BidirectionalMethod<G>: 'static {
    /// One item of what the method is called with.
    type Request: Contract + 'static;
    /// One item of its answer.
    type Response: Contract + 'static;

    /// Calls it. The call is open, with its initial metadata, once the future is ready.
    fn call<'a>(
        gateway: &'a G,
        cx: &'a Context,
        requests: Streaming<Self::Request>,
    ) -> impl Future<Output = Result<impl Stream<Item = Result<Self::Response, Status>> + Send + 'a, Status>>
    + Send
    + 'a;
}

/// One bidirectional method of a gateway that lasts as long as it runs, with both ends of the call in its hands, as a
/// type.
pub trait SessionMethod<G>: 'static {
    /// One item of what it reads.
    type Request: Contract + 'static;
    /// One item of what it writes.
    type Response: Contract + 'static;

    /// Calls it. The call is open at once, and over when the future is ready.
    fn call<'a>(
        gateway: &'a G,
        cx: &'a Context,
        input: Streaming<Self::Request>,
        output: Outgoing<Self::Response>,
    ) -> impl Future<Output = Result<(), Status>> + Send + 'a;
}
