//! One unary call, from its request to its outcome.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use prost::Message;
use rpc_protocol::frame::{Compression, Response};

use super::{
    FewOptions, Options,
    attempts::{Attempts, until},
    body::RequestBody,
    layered, option_methods,
};
use crate::{
    CallError, Client, Code, Metadata, Status,
    client::link::{Failure, InFlight, NotOpened},
    compression,
    contract::{ContractField, MethodDescriptor},
    memory::CostModel,
    middleware::{Body, Encoded, Next, Outbound},
    trace,
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
    options: FewOptions,
    body: RequestBody,
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

/// Shorter responses cannot take much: weighing them would cost more than decoding.
const UNWEIGHED: usize = 16 << 10;

/// The response, with all that came along.
pub(super) fn reply<R>(client: &Client, response: Response) -> Result<Reply<R>, CallError>
where
    R: Message + Default + ContractField,
{
    finish(client, response, |value, along| {
        let Along { metadata, trailers } = std::mem::take(along);
        Ok(Reply {
            value,
            metadata,
            trailers,
        })
    })
}

/// From what the server answered to what the caller wants.
fn finish<R, T>(
    client: &Client,
    response: Response,
    finish: impl FnOnce(R, &mut Along) -> Result<T, Status>,
) -> Result<T, CallError>
where
    R: Message + Default + ContractField,
{
    let limits = &client.channel().config.limits;
    let body = match response.compression {
        Compression::NONE => response.body,
        _ => compression::inflate(&response.body, limits.body_bytes).map_err(|error| error.status())?,
    };
    // A response takes no more memory than a server lets a request take.
    if body.len() > UNWEIGHED {
        CostModel::of::<R>()
            .weigh(&body, limits.decode_bytes)
            .map_err(|_| Status::resource_exhausted("the response would take too much memory"))?;
    }
    let value = R::decode(body)
        .map_err(|error| Status::internal(format!("the response does not decode: {error}")))?;
    let mut along = Along {
        metadata: response.metadata.into(),
        trailers: response.trailers.into(),
    };
    Ok(finish(value, &mut along)?)
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
            options: FewOptions::new(&client, method),
            client,
            body: RequestBody::new(request.encode_to_vec().into()),
            // A function without state is boxed without an allocation.
            finish: Box::new(|response, _| Ok(response)),
        }
    }
}

impl UnaryCall<Encoded> {
    /// A call that has come through layers.
    pub(super) fn with_options(client: Client, options: Options, body: Bytes) -> Self {
        Self {
            client,
            options: options.into(),
            body: RequestBody::new(body),
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
        CallFuture {
            client: self.client,
            options: self.options,
            body: self.body,
            finish: Some(self.finish),
            state: State::Prepared,
        }
    }
}

/// A unary call on its way. Dropping it cancels the call.
#[must_use = "a call is sent when it is polled"]
pub struct CallFuture<R, T = R> {
    client: Client,
    /// Taken out when the call is boxed.
    options: FewOptions,
    body: RequestBody,
    /// Taken when the outcome is there.
    finish: Option<Finish<R, T>>,
    state: State,
}

/// ```text
///   Prepared ── connected, a stream is free, no timeout ──► InFlight ──► done
///       │                                                     │ lost, and may be sent again
///       └────── otherwise ──► Boxed ◄─────────────────────────┘
///                               └──────────────────────────────────────► done
/// ```
enum State {
    Prepared,
    InFlight(InFlight),
    /// With what takes room: layers, a timer, a wait for a connection or a free stream, or another attempt.
    Boxed(Pin<Box<dyn Future<Output = Result<Response, CallError>> + Send>>),
}

impl<R, T> CallFuture<R, T> {
    /// Sends the request where that takes no wait and no timer.
    fn try_send(&mut self) -> Option<Result<InFlight, NotOpened>> {
        if self.options.has_deadline() {
            return None;
        }
        let link = self.client.channel().current();
        let link = link.as_ref()?;
        let body = &mut self.body;
        let opened = self.options.with_request(|request| {
            let body = body.over(link, request);
            link.try_open(request, body)
        });
        Some(opened)
    }

    /// Goes through the client's layers.
    #[cold]
    fn layered(&mut self, next: Next<Outbound>) -> State {
        let body = Body::Message(self.body.plain());
        State::Boxed(Box::pin(layered::once(
            next,
            self.client.clone(),
            self.options.take(),
            body,
        )))
    }

    /// Goes on with what takes room. `failed` is what came of a first attempt.
    fn boxed(&mut self, failed: Option<Failure>) -> State {
        let attempts = Attempts::new(self.client.clone(), self.options.take());
        State::Boxed(Box::pin(patient(attempts, self.body.clone(), failed)))
    }
}

impl<R, T> Future for CallFuture<R, T>
where
    R: Message + Default + ContractField + 'static,
    T: 'static,
{
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut next = None;
        if let State::Prepared = this.state {
            next = this.options.begin(&this.client)?;
        }
        let Some(followed) = this.options.followed().cloned() else {
            return this.poll_begun(next, cx);
        };
        let polled = trace::enter(Some(&followed), || this.poll_begun(next, cx));
        if let Poll::Ready(result) = &polled {
            followed.finish(code(result));
        }
        polled
    }
}

/// The code with which a call ended.
pub(super) fn code<T>(result: &Result<T, CallError>) -> Code {
    match result {
        Ok(_) => Code::Ok,
        Err(error) => error.code().unwrap_or(Code::Unknown),
    }
}

impl<R, T> CallFuture<R, T>
where
    R: Message + Default + ContractField + 'static,
    T: 'static,
{
    /// Goes on with a call that may be sent: through these layers, if it was not sent yet.
    #[inline]
    fn poll_begun(
        &mut self,
        next: Option<Next<Outbound>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, CallError>> {
        let this = self;
        if let State::Prepared = this.state {
            if let Some(followed) = this.options.followed() {
                followed.request(this.body.plain().len());
            }
            this.state = match next {
                Some(next) => this.layered(next),
                None => match this.try_send() {
                    Some(Ok(opened)) => State::InFlight(opened),
                    Some(Err(NotOpened::Refused(status))) => return Poll::Ready(Err(status.into())),
                    Some(Err(NotOpened::Full | NotOpened::Gone)) | None => this.boxed(None),
                },
            };
        }
        if let State::InFlight(call) = &mut this.state {
            match ready!(call.poll_outcome(cx)) {
                Ok(response) => return Poll::Ready(this.finish(Ok(response))),
                Err(Failure::Status(status)) => return Poll::Ready(this.finish(Err(status.into()))),
                Err(failure) => this.state = this.boxed(Some(failure)),
            }
        }
        let State::Boxed(call) = &mut this.state else {
            return Poll::Pending;
        };
        let outcome = ready!(call.as_mut().poll(cx));
        Poll::Ready(this.finish(outcome))
    }
}

impl<R, T> CallFuture<R, T>
where
    R: Message + Default + ContractField + 'static,
{
    fn finish(&mut self, outcome: Result<Response, CallError>) -> Result<T, CallError> {
        let Some(finish) = self.finish.take() else {
            return Err(Status::internal("the call was polled after its end").into());
        };
        if let (Ok(response), Some(followed)) = (&outcome, self.options.followed()) {
            followed.response(response.body.len());
        }
        self::finish(&self.client, outcome?, finish)
    }
}

/// A call that waits: for a connection, a free stream, its timer, or another connection.
async fn patient(
    mut attempts: Attempts,
    mut body: RequestBody,
    failed: Option<Failure>,
) -> Result<Response, CallError> {
    if let Some(failure) = failed {
        attempts.failed(failure)?;
    }
    let deadline = attempts.deadline();
    let sent = until(deadline, async {
        loop {
            let link = attempts.link().await?;
            let body = body.over(&link, &mut attempts.options.request);
            let outcome = match link.open(&attempts.options.request, body).await {
                Ok(in_flight) => in_flight.outcome().await,
                Err(why) => {
                    attempts.not_opened(why)?;
                    continue;
                }
            };
            match outcome {
                Ok(response) => return Ok(response),
                Err(failure) => attempts.failed(failure)?,
            }
        }
    });
    match sent.await {
        Some(outcome) => outcome,
        None => Err(attempts.timed_out()),
    }
}

impl<R, T> fmt::Debug for UnaryCall<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnaryCall")
            .field("method", &self.options.method.full_name)
            .finish_non_exhaustive()
    }
}

impl<R, T> fmt::Debug for CallFuture<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFuture").finish_non_exhaustive()
    }
}
