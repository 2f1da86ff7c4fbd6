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
use rpc_protocol::frame::{Request, Response};

use super::{Options, option_methods};
use crate::{
    CallError, Client, Metadata, Status,
    client::link::{InFlight, Outcome},
    contract::{ContractField, MethodDescriptor},
    memory::{CostModel, DEFAULT_BUDGET},
};

/// A response with what came along with it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reply<T> {
    /// The response, as the call gives it.
    pub value: T,
    /// What the server sent in front of it.
    pub metadata: Metadata,
    /// What the server sent behind it.
    pub trailers: Metadata,
}

/// A unary call that is sent when it is awaited.
///
/// Dropping the future cancels the call: the server is told, and drops the handler.
#[must_use = "a call is sent when it is awaited"]
pub struct UnaryCall<R, T = R> {
    client: Client,
    options: Options,
    body: Bytes,
    finish: Finish<R, T>,
}

/// What came along with a response.
#[derive(Default)]
struct Along {
    metadata: Metadata,
    trailers: Metadata,
}

/// Makes of a response what the caller wants of it.
type Finish<R, T> = Box<dyn FnOnce(R, &mut Along) -> Result<T, Status> + Send>;

/// What is sent, and what is made of what comes back.
struct Parts<R, T> {
    request: Request,
    body: Bytes,
    finish: Finish<R, T>,
}

/// Shorter responses cannot take much: weighing them would cost more than decoding.
const UNWEIGHED: usize = 16 << 10;

impl<R: Message + Default + ContractField, T> Parts<R, T> {
    fn finish(self, response: Response) -> Result<T, CallError> {
        let body = response.body;
        let mut along = Along {
            metadata: response.metadata.into(),
            trailers: response.trailers.into(),
        };
        // A response takes no more memory than a server lets a request take.
        if body.len() > UNWEIGHED {
            CostModel::of::<R>()
                .weigh(&body, DEFAULT_BUDGET)
                .map_err(|_| Status::resource_exhausted("the response would take too much memory"))?;
        }
        let response = R::decode(body)
            .map_err(|error| Status::internal(format!("the response does not decode: {error}")))?;
        Ok((self.finish)(response, &mut along)?)
    }
}

impl<R> UnaryCall<R>
where
    R: Message + Default + ContractField + 'static,
{
    pub(in crate::client) fn new(
        client: Client,
        method: &'static MethodDescriptor,
        request: &impl Message,
    ) -> Self {
        Self {
            client,
            options: Options::new(method, None),
            body: request.encode_to_vec().into(),
            // A function without state is boxed without an allocation.
            finish: Box::new(|response, _| Ok(response)),
        }
    }
}

impl<R, T> UnaryCall<R, T> {
    option_methods!();
}

impl<R, T> UnaryCall<R, T>
where
    R: 'static,
    T: 'static,
{
    /// Makes something else of the response.
    pub fn map<U>(self, map: impl FnOnce(T) -> U + Send + 'static) -> UnaryCall<R, U> {
        self.try_map(|value| Ok(map(value)))
    }

    /// Makes something else of the response, or a status where it does not hold what it should.
    pub fn try_map<U>(self, map: impl FnOnce(T) -> Result<U, Status> + Send + 'static) -> UnaryCall<R, U> {
        let finish = self.finish;
        UnaryCall {
            client: self.client,
            options: self.options,
            body: self.body,
            finish: Box::new(move |response, along| finish(response, along).and_then(map)),
        }
    }

    /// Gives what came along with the response: its metadata and trailers.
    pub fn with_metadata(self) -> UnaryCall<R, Reply<T>> {
        let finish = self.finish;
        UnaryCall {
            client: self.client,
            options: self.options,
            body: self.body,
            finish: Box::new(move |response, along| {
                let value = finish(response, along)?;
                let Along { metadata, trailers } = std::mem::take(along);
                Ok(Reply {
                    value,
                    metadata,
                    trailers,
                })
            }),
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
        let Options {
            mut request, timeout, ..
        } = self.options;
        request.timeout_us = timeout.map_or(0, microseconds);
        CallFuture {
            state: State::Prepared(self.client, timeout),
            call: Some(Parts {
                request,
                body: self.body,
                finish: self.finish,
            }),
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
            Some(call) => outcome.and_then(|response| call.finish(response)),
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
            .field("method", &self.options.method.full_name)
            .field("timeout", &self.options.timeout)
            .finish_non_exhaustive()
    }
}

impl<R, T> fmt::Debug for CallFuture<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFuture").finish_non_exhaustive()
    }
}
