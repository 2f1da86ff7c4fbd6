//! Session calls: a stream each way, run by a closure that holds both ends.

use std::{
    fmt,
    future::{Future, IntoFuture, Ready, ready},
    marker::PhantomData,
};

use prost::Message;

use super::{Options, option_methods};
use crate::{
    CallError, Client, Outgoing, Status, Streaming,
    contract::{ContractField, MethodDescriptor},
};

/// A session call: when it is awaited, its closure is given the two ends, and runs until it returns.
///
/// Dropping the future cancels the call: the server is told, and drops the handler.
#[must_use = "a call is sent when it is awaited"]
pub struct SessionCall<Q, R, F> {
    client: Client,
    options: Options,
    run: F,
    ends: PhantomData<fn(Q) -> R>,
}

/// A session call whose closure runs again, on a new call, when the connection was lost and the client comes back.
#[must_use = "a call is sent when it is awaited"]
pub struct ReconnectingSession<Q, R, F>(SessionCall<Q, R, F>);

impl<Q, R, F> SessionCall<Q, R, F> {
    pub(in crate::client) fn new(client: Client, method: &'static MethodDescriptor, run: F) -> Self {
        Self {
            client,
            options: Options::new(method, None),
            run,
            ends: PhantomData,
        }
    }

    option_methods!();

    /// Runs the closure again, on a new call, when the connection was lost in its midst and the client comes back.
    pub fn with_reconnect<Fut, T>(self) -> ReconnectingSession<Q, R, F>
    where
        F: FnMut(Outgoing<Q>, Streaming<R>) -> Fut,
        Fut: Future<Output = Result<T, Status>>,
    {
        ReconnectingSession(self)
    }
}

impl<Q, R, F, Fut, T> IntoFuture for SessionCall<Q, R, F>
where
    Q: Message + 'static,
    R: Message + Default + ContractField + 'static,
    F: FnOnce(Outgoing<Q>, Streaming<R>) -> Fut,
    Fut: Future<Output = Result<T, Status>>,
{
    type Output = Result<T, CallError>;
    type IntoFuture = Ready<Result<T, CallError>>;

    fn into_future(self) -> Self::IntoFuture {
        let _ = (self.client, self.run);
        ready(Err(Status::unimplemented("lands within the hour").into()))
    }
}

impl<Q, R, F, Fut, T> IntoFuture for ReconnectingSession<Q, R, F>
where
    Q: Message + 'static,
    R: Message + Default + ContractField + 'static,
    F: FnMut(Outgoing<Q>, Streaming<R>) -> Fut,
    Fut: Future<Output = Result<T, Status>>,
{
    type Output = Result<T, CallError>;
    type IntoFuture = Ready<Result<T, CallError>>;

    fn into_future(self) -> Self::IntoFuture {
        self.0.into_future()
    }
}

impl<Q, R, F> fmt::Debug for SessionCall<Q, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCall")
            .field("method", &self.options.method.full_name)
            .finish_non_exhaustive()
    }
}

impl<Q, R, F> fmt::Debug for ReconnectingSession<Q, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReconnectingSession").field(&self.0).finish()
    }
}
