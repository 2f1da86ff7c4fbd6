//! One unary call, from its request to its outcome.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use bytes::Bytes;
use prost::Message;
use rpc_protocol::frame::{Metadata, Request};

use super::{CallError, Client};
use crate::{Status, contract::MethodDescriptor};

/// A unary call that is sent when it is awaited.
///
/// Dropping the future cancels the call: the server is told, and drops the handler.
#[must_use = "a call is sent when it is awaited"]
pub struct UnaryCall<R, T = R> {
    client: Client,
    method: &'static MethodDescriptor,
    body: Bytes,
    metadata: Vec<Metadata>,
    timeout: Option<Duration>,
    finish: Box<dyn FnOnce(R) -> Result<T, Status> + Send>,
}

impl<R> UnaryCall<R>
where
    R: Message + Default + 'static,
{
    pub(super) fn new(client: Client, method: &'static MethodDescriptor, request: &impl Message) -> Self {
        let body = request.encode_to_vec().into();
        // A function without state is boxed without an allocation.
        Self {
            client,
            method,
            body,
            metadata: Vec::new(),
            timeout: None,
            finish: Box::new(Ok),
        }
    }
}

impl<R, T> UnaryCall<R, T>
where
    R: 'static,
    T: 'static,
{
    /// Gives the call up after this long, with [`CallError::TimedOut`]. The server is told too, and stops working on
    /// it. Without a timeout the method's own deadline holds, if it has one.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends a text with the call. Keys are lower case, and do not end in `-bin`.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.push(Metadata::text(key, value));
        self
    }

    /// Sends bytes with the call. Keys are lower case, and end in `-bin`.
    pub fn metadata_bin(mut self, key: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.metadata.push(Metadata::binary(key, value));
        self
    }

    /// Makes something else of the response.
    pub fn map<U>(self, map: impl FnOnce(T) -> U + Send + 'static) -> UnaryCall<R, U> {
        self.try_map(|value| Ok(map(value)))
    }

    /// Makes something else of the response, or a status where it does not hold what it should.
    pub fn try_map<U>(self, map: impl FnOnce(T) -> Result<U, Status> + Send + 'static) -> UnaryCall<R, U> {
        let Self {
            client,
            method,
            body,
            metadata,
            timeout,
            finish,
        } = self;
        let finish = Box::new(move |response| finish(response).and_then(map));
        UnaryCall {
            client,
            method,
            body,
            metadata,
            timeout,
            finish,
        }
    }
}

impl<R, T> IntoFuture for UnaryCall<R, T>
where
    R: Message + Default + 'static,
    T: 'static,
{
    type Output = Result<T, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            client,
            method,
            body,
            metadata,
            timeout,
            finish,
        } = self;
        let request = Request {
            method: method.number,
            metadata,
            timeout_us: timeout.map_or(0, microseconds),
            one_way: method.one_way,
            ..Request::default()
        };
        Box::pin(async move {
            let link = &client.handle.0;
            let call = async { link.open(&request, &body).await?.outcome().await };
            let response = match timeout {
                None => call.await?,
                Some(timeout) => match tokio::time::timeout(timeout, call).await {
                    Ok(outcome) => outcome?,
                    Err(_) => return Err(CallError::TimedOut(timeout)),
                },
            };
            let response = R::decode(response.body)
                .map_err(|error| Status::internal(format!("the response does not decode: {error}")))?;
            Ok(finish(response)?)
        })
    }
}

/// A timeout as a request carries it, where 0 is none.
fn microseconds(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX).max(1)
}

impl<R, T> fmt::Debug for UnaryCall<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnaryCall")
            .field("method", &self.method.full_name)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
