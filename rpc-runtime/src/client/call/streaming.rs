//! Calls of which one side streams, or both.

use std::{
    fmt,
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
};

use bytes::Bytes;
use futures_core::Stream;
use prost::Message;

use super::{Options, option_methods, unary::Reply};
use crate::{
    CallError, Client, Status, Streaming,
    contract::{ContractField, MethodDescriptor},
};

/// A call whose response is a stream, sent when it is awaited. Awaiting it gives the [`Streaming`] once the server has
/// opened its stream.
///
/// Dropping the future, or later the stream, cancels the call: the server is told, and drops the handler.
#[must_use = "a call is sent when it is awaited"]
pub struct StreamingCall<R> {
    client: Client,
    options: Options,
    body: Bytes,
    response: PhantomData<fn() -> R>,
}

impl<R: Message + Default + ContractField + 'static> StreamingCall<R> {
    pub(in crate::client) fn of_one(
        client: Client,
        method: &'static MethodDescriptor,
        request: &impl Message,
    ) -> Self {
        Self {
            client,
            options: Options::new(method, None),
            body: request.encode_to_vec().into(),
            response: PhantomData,
        }
    }

    pub(in crate::client) fn of_many<Q: Message + 'static>(
        client: Client,
        method: &'static MethodDescriptor,
        _requests: impl Stream<Item = Q> + Send + 'static,
    ) -> Self {
        Self {
            client,
            options: Options::new(method, None),
            body: Bytes::new(),
            response: PhantomData,
        }
    }
}

impl<R> StreamingCall<R> {
    option_methods!();
}

impl<R: Message + Default + ContractField + 'static> IntoFuture for StreamingCall<R> {
    type Output = Result<Streaming<R>, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let _ = (self.client, self.body);
        Box::pin(async { Err(Status::unimplemented("lands within the hour").into()) })
    }
}

impl<R> fmt::Debug for StreamingCall<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamingCall")
            .field("method", &self.options.method.full_name)
            .finish_non_exhaustive()
    }
}

/// A call that sends a stream and receives one response, sent when it is awaited.
///
/// Dropping the future cancels the call: the server is told, and drops the handler.
#[must_use = "a call is sent when it is awaited"]
pub struct ClientStreamingCall<R, T = R> {
    client: Client,
    options: Options,
    finish: Box<dyn FnOnce(Reply<R>) -> T + Send>,
}

impl<R: Message + Default + ContractField + 'static> ClientStreamingCall<R> {
    pub(in crate::client) fn new<Q: Message + 'static>(
        client: Client,
        method: &'static MethodDescriptor,
        _requests: impl Stream<Item = Q> + Send + 'static,
    ) -> Self {
        Self {
            client,
            options: Options::new(method, None),
            finish: Box::new(|reply| reply.value),
        }
    }

    /// Gives the metadata and trailers of the response with it.
    pub fn with_metadata(self) -> ClientStreamingCall<R, Reply<R>> {
        ClientStreamingCall {
            client: self.client,
            options: self.options,
            finish: Box::new(|reply| reply),
        }
    }
}

impl<R, T> ClientStreamingCall<R, T> {
    option_methods!();
}

impl<R, T> IntoFuture for ClientStreamingCall<R, T>
where
    R: Message + Default + ContractField + 'static,
    T: 'static,
{
    type Output = Result<T, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let _ = (self.client, self.finish);
        Box::pin(async { Err(Status::unimplemented("lands within the hour").into()) })
    }
}

impl<R, T> fmt::Debug for ClientStreamingCall<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientStreamingCall")
            .field("method", &self.options.method.full_name)
            .finish_non_exhaustive()
    }
}
