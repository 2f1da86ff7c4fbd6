//! One unary call, from its request to its outcome.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use prost::Message;
use rpc_protocol::frame::{Metadata, Request};

use super::{
    CallError, Client,
    link::{InFlight, Outcome},
};
use crate::{
    Status,
    contract::{ContractField, MethodDescriptor},
    memory::{CostModel, DEFAULT_BUDGET},
};

/// A unary call that is sent when it is awaited.
///
/// Dropping the future cancels the call: the server is told, and drops the handler.
#[must_use = "a call is sent when it is awaited"]
pub struct UnaryCall<R, T = R> {
    client: Client,
    method: &'static MethodDescriptor,
    timeout: Option<Duration>,
    parts: Parts<R, T>,
}

/// What is sent, and what is made of what comes back.
struct Parts<R, T> {
    request: Request,
    body: Bytes,
    finish: Box<dyn FnOnce(R) -> Result<T, Status> + Send>,
}

/// Shorter responses cannot take much: weighing them would cost more than decoding.
const UNWEIGHED: usize = 16 << 10;

impl<R: Message + Default + ContractField, T> Parts<R, T> {
    fn finish(self, body: Bytes) -> Result<T, CallError> {
        // A response takes no more memory than a server lets a request take.
        if body.len() > UNWEIGHED {
            CostModel::of::<R>()
                .weigh(&body, DEFAULT_BUDGET)
                .map_err(|_| Status::resource_exhausted("the response would take too much memory"))?;
        }
        let response = R::decode(body)
            .map_err(|error| Status::internal(format!("the response does not decode: {error}")))?;
        Ok((self.finish)(response)?)
    }
}

impl<R> UnaryCall<R>
where
    R: Message + Default + ContractField + 'static,
{
    pub(super) fn new(client: Client, method: &'static MethodDescriptor, request: &impl Message) -> Self {
        let body = request.encode_to_vec().into();
        let request = Request {
            method: method.number,
            one_way: method.one_way,
            ..Request::default()
        };
        // A function without state is boxed without an allocation.
        Self {
            client,
            method,
            timeout: None,
            parts: Parts {
                request,
                body,
                finish: Box::new(Ok),
            },
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
        self.parts.request.timeout_us = microseconds(timeout);
        self
    }

    /// Sends a text with the call. Keys are lower case, and do not end in `-bin`.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.parts.request.metadata.push(Metadata::text(key, value));
        self
    }

    /// Sends bytes with the call. Keys are lower case, and end in `-bin`.
    pub fn metadata_bin(mut self, key: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.parts.request.metadata.push(Metadata::binary(key, value));
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
            timeout,
            parts:
                Parts {
                    request,
                    body,
                    finish,
                },
        } = self;
        let finish = Box::new(move |response| finish(response).and_then(map));
        UnaryCall {
            client,
            method,
            timeout,
            parts: Parts {
                request,
                body,
                finish,
            },
        }
    }
}

impl<R, T> IntoFuture for UnaryCall<R, T>
where
    R: Message + Default + ContractField + 'static,
    T: 'static,
{
    type Output = Result<T, CallError>;
    type IntoFuture = CallFuture<R, T>;

    fn into_future(self) -> CallFuture<R, T> {
        CallFuture {
            state: State::Prepared(self.client, self.timeout),
            call: Some(self.parts),
        }
    }
}

/// A unary call on its way. Dropping it cancels the call.
#[must_use = "a call is sent when it is polled"]
pub struct CallFuture<R, T = R> {
    state: State,
    /// Taken when the outcome is there.
    call: Option<Parts<R, T>>,
}

/// ```text
///   Prepared ── a stream is free, no timeout ──► InFlight ──► done
///       └────── otherwise ──► Boxed ─────────────────────────► done
/// ```
enum State {
    Prepared(Client, Option<Duration>),
    InFlight(InFlight),
    /// With what takes room: a timer, or a wait for a free stream.
    Boxed(Pin<Box<dyn Future<Output = Outcome> + Send>>),
}

impl<R, T> Future for CallFuture<R, T>
where
    R: Message + Default + ContractField + 'static,
    T: 'static,
{
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Some(call) = &mut this.call else {
            return Poll::Ready(Err(Status::internal("the call was polled after its end").into()));
        };
        if let State::Prepared(client, timeout) = &this.state {
            let link = client.link();
            this.state = match (timeout, link.try_open(&call.request, &call.body)?) {
                (None, Some(opened)) => State::InFlight(opened),
                (&timeout, opened) => {
                    let request = std::mem::take(&mut call.request);
                    State::Boxed(Box::pin(patient(
                        client.clone(),
                        request,
                        call.body.clone(),
                        opened,
                        timeout,
                    )))
                }
            };
        }
        let outcome = match &mut this.state {
            State::InFlight(call) => ready!(call.poll_outcome(cx)),
            State::Boxed(call) => ready!(call.as_mut().poll(cx)),
            State::Prepared(..) => return Poll::Pending,
        };
        Poll::Ready(match this.call.take() {
            Some(call) => outcome.and_then(|response| call.finish(response.body)),
            None => Err(Status::internal("the call has no outcome").into()),
        })
    }
}

/// A call with a timeout, or one that waits for a free stream.
async fn patient(
    client: Client,
    request: Request,
    body: Bytes,
    opened: Option<InFlight>,
    timeout: Option<Duration>,
) -> Outcome {
    let call = async {
        match opened {
            Some(opened) => opened.outcome().await,
            None => client.link().open(&request, &body).await?.outcome().await,
        }
    };
    match timeout {
        None => call.await,
        Some(timeout) => tokio::time::timeout(timeout, call)
            .await
            .unwrap_or(Err(CallError::TimedOut(timeout))),
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

impl<R, T> fmt::Debug for CallFuture<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFuture").finish_non_exhaustive()
    }
}
