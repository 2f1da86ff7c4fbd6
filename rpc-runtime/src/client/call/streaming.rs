//! Calls of which one side streams, or both.

use std::{
    fmt,
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
};

use bytes::Bytes;
use futures_core::Stream;
use prost::Message;
use rpc_protocol::frame::Response;

use super::{
    Options,
    attempts::{Attempts, until},
    body::RequestBody,
    layered, option_methods,
    requests::Requests,
    unary::{self, Reply},
};
use crate::{
    CallError, Client, Streaming,
    client::link::{Failure, Shape},
    contract::{ContractField, MethodDescriptor},
    middleware::{Body, Encoded, Next, Outbound},
    streaming::Inbox,
    trace::{Follow, Followed},
};

/// A call whose response is a stream, sent when it is awaited. Awaiting it gives the [`Streaming`] once the server has
/// opened its stream.
///
/// Dropping the future, or later the stream, cancels the call: the server is told, and drops the handler. A timeout
/// bounds the whole call: when it is over, the stream ends with DEADLINE_EXCEEDED. When the connection is lost, the stream
/// ends with UNAVAILABLE; an `idempotent` method of which nothing has come yet is called again instead. With
/// [`ClientLimits::replay_bytes`](crate::ClientLimits::replay_bytes) it waits, and goes on where the client comes back to its session.
#[must_use = "a call is sent when it is awaited"]
pub struct StreamingCall<R> {
    client: Client,
    options: Options,
    body: RequestBody,
    requests: Option<Requests>,
    response: PhantomData<fn() -> R>,
}

impl<R: Message + Default + ContractField + 'static> StreamingCall<R> {
    pub(in crate::client) fn of_one(
        client: Client,
        method: &'static MethodDescriptor,
        request: &impl Message,
    ) -> Self {
        Self {
            options: Options::new(&client, method),
            client,
            body: RequestBody::new(request.encode_to_vec().into()),
            requests: None,
            response: PhantomData,
        }
    }

    pub(in crate::client) fn of_many<Q: Message + ContractField + 'static>(
        client: Client,
        method: &'static MethodDescriptor,
        requests: impl Stream<Item = Q> + Send + 'static,
    ) -> Self {
        Self {
            options: Options::new(&client, method),
            client,
            body: RequestBody::new(Bytes::new()),
            requests: Some(Requests::new(requests)),
            response: PhantomData,
        }
    }
}

impl StreamingCall<Encoded> {
    /// A call that has come through layers.
    pub(super) fn with_options(
        client: Client,
        options: Options,
        body: Bytes,
        requests: Option<Requests>,
    ) -> Self {
        Self {
            client,
            options,
            body: RequestBody::new(body),
            requests,
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
        let Self {
            client,
            mut options,
            body,
            requests,
            ..
        } = self;
        Box::pin(async move {
            let next = options.begin(&client)?;
            let followed = options.followed.take();
            let opening = open_stream(next, client, options, body, requests, followed.clone());
            let opened = Follow {
                followed: followed.clone(),
                future: opening,
            };
            let opened = opened.await;
            match (followed, opened) {
                (None, opened) => opened,
                // The span's end is the stream's.
                (Some(followed), Ok(stream)) => Ok(stream.followed(followed, true)),
                (Some(followed), Err(error)) => {
                    let opened = Err(error);
                    followed.finish(unary::code(&opened));
                    opened
                }
            }
        })
    }
}

/// Opens a call that is answered with a stream.
async fn open_stream<R>(
    next: Option<Next<Outbound>>,
    client: Client,
    options: Options,
    body: RequestBody,
    requests: Option<Requests>,
    followed: Option<Arc<Followed>>,
) -> Result<Streaming<R>, CallError>
where
    R: Message + Default + ContractField + 'static,
{
    let requests = requests.map(|requests| requests.followed(followed.clone()));
    if requests.is_none()
        && let Some(followed) = followed
    {
        followed.request(body.plain().len());
    }
    if let Some(next) = next {
        let body = match requests {
            Some(requests) => Body::Stream(requests.encoded()),
            None => Body::Message(body.plain()),
        };
        return layered::stream(next, client, options, body).await;
    }
    let mut attempts = Attempts::new(client, options);
    let (response, inbox) = open(&mut attempts, body, requests, true).await?;
    let Some(inbox) = inbox else {
        // A call with responses has an inbox.
        return Err(Failure::NotRun.into_status().into());
    };
    let decoder = layered::decoder(&attempts.client);
    Ok(Streaming::from_wire(inbox, decoder).with_metadata(response.metadata.into()))
}

/// The response of a call that sends a stream.
async fn answer(
    next: Option<Next<Outbound>>,
    client: Client,
    options: Options,
    requests: Requests,
) -> Result<Response, CallError> {
    if let Some(next) = next {
        return layered::once(next, client, options, Body::Stream(requests.encoded())).await;
    }
    let mut attempts = Attempts::new(client, options);
    let body = RequestBody::new(Bytes::new());
    let (response, _) = open(&mut attempts, body, Some(requests), false).await?;
    Ok(response)
}

/// Sends a call that streams, as often as is safe, until it was answered: with its response, or with its opening.
async fn open(
    attempts: &mut Attempts,
    body: RequestBody,
    requests: Option<Requests>,
    responses: bool,
) -> Result<(Response, Option<Arc<Inbox>>), CallError> {
    let deadline = attempts.deadline();
    let shape = Shape {
        requests: requests.is_some(),
        responses,
        deadline: deadline.filter(|_| responses),
        ..Shape::default()
    };
    let sending = send(attempts, body, requests, shape);
    match until(deadline, sending).await {
        Some(result) => result,
        None => Err(attempts.timed_out()),
    }
}

async fn send(
    attempts: &mut Attempts,
    mut body: RequestBody,
    mut requests: Option<Requests>,
    shape: Shape,
) -> Result<(Response, Option<Arc<Inbox>>), CallError> {
    attempts.options.request.open = shape.requests;
    loop {
        let link = attempts.link().await?;
        let request = &mut attempts.options.request;
        let body = body.over(&link, request);
        let opened = match link.open_stream(request, body, shape).await {
            Ok(opened) => opened,
            Err(why) => {
                attempts.not_opened(why)?;
                continue;
            }
        };
        let pumping = requests
            .take()
            .zip(opened.sink)
            .map(|(requests, sink)| requests.start(sink));
        let failure = match opened.in_flight.outcome().await {
            Ok(response) => return Ok((response, opened.inbox)),
            Err(failure) => failure,
        };
        match pumping {
            None => attempts.failed(failure)?,
            Some(pumping) => {
                // The error, where the call is not sent again; its requests are needed where it is.
                attempts.failed(failure.clone())?;
                match pumping.await.ok().flatten() {
                    Some(untouched) => requests = Some(untouched),
                    None => return Err(attempts.not_again(failure)),
                }
            }
        }
    }
}

/// A call that sends a stream and receives one response, sent when it is awaited.
///
/// Dropping the future cancels the call: the server is told, and drops the handler. Once a request was taken from the
/// stream, the call is not sent again when its connection is lost.
#[must_use = "a call is sent when it is awaited"]
pub struct ClientStreamingCall<R, T = R> {
    client: Client,
    options: Options,
    requests: Requests,
    finish: fn(Reply<R>) -> T,
}

impl<R: Message + Default + ContractField + 'static> ClientStreamingCall<R> {
    pub(in crate::client) fn new<Q: Message + ContractField + 'static>(
        client: Client,
        method: &'static MethodDescriptor,
        requests: impl Stream<Item = Q> + Send + 'static,
    ) -> Self {
        Self {
            options: Options::new(&client, method),
            client,
            requests: Requests::new(requests),
            finish: |reply| reply.value,
        }
    }

    /// Gives the metadata and trailers of the response with it.
    pub fn with_metadata(self) -> ClientStreamingCall<R, Reply<R>> {
        ClientStreamingCall {
            client: self.client,
            options: self.options,
            requests: self.requests,
            finish: |reply| reply,
        }
    }
}

impl ClientStreamingCall<Encoded> {
    /// A call that has come through layers.
    pub(super) fn with_options(client: Client, options: Options, requests: Requests) -> Self {
        Self {
            client,
            options,
            requests,
            finish: |reply| reply.value,
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
        let Self {
            client,
            mut options,
            requests,
            finish,
        } = self;
        Box::pin(async move {
            let next = options.begin(&client)?;
            let followed = options.followed.take();
            let requests = requests.followed(followed.clone());
            let answered = Follow {
                followed: followed.clone(),
                future: answer(next, client.clone(), options, requests),
            };
            let answered = answered.await;
            if let Some(followed) = followed {
                if let Ok(response) = &answered {
                    followed.response(response.body.len());
                }
                followed.finish(unary::code(&answered));
            }
            unary::reply(&client, answered?).map(finish)
        })
    }
}

impl<R> fmt::Debug for StreamingCall<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamingCall")
            .field("method", &self.options.method.full_name)
            .finish_non_exhaustive()
    }
}

impl<R, T> fmt::Debug for ClientStreamingCall<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientStreamingCall")
            .field("method", &self.options.method.full_name)
            .finish_non_exhaustive()
    }
}
