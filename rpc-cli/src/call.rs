//! Calls of all four kinds, with messages that are known from descriptors.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use prost_reflect::MessageDescriptor;
use rpc_runtime::contract::{MethodDescriptor, MethodKind};
use rpc_runtime::{CallError, Client, Encoded, Metadata, Reply, Streaming};
use tokio::sync::Notify;

use crate::cli::{CallArgs, OutputArgs, ServerArgs};
use crate::failure::{Exit, Failure};
use crate::input::{self, Lines};
use crate::progress::Progress;
use crate::schema::{Method, Schema, kind_name};
use crate::{connect, dynamic, metadata, output};

/// `rpc call`
pub(crate) async fn call(args: &CallArgs) -> Result<(), Failure> {
    let prepared = Prepared::find(&args.method, &args.server).await?;
    prepared.must_be_unary(|name| format!("call it by `rpc stream {name}`"))?;
    let request = prepared.request(args.data.as_deref()).await?;
    prepared
        .finish(prepared.unary(request, args, output::pretty).await)
        .await
}

/// `rpc stream`
pub(crate) async fn stream(args: &CallArgs) -> Result<(), Failure> {
    let prepared = Prepared::find(&args.method, &args.server).await?;
    let done = prepared.stream(args).await;
    prepared.finish(done).await
}

/// All that a call needs.
pub(crate) struct Prepared {
    pub(crate) client: Client,
    pub(crate) method: Method,
    pub(crate) descriptor: &'static MethodDescriptor,
    request: MessageDescriptor,
    response: MessageDescriptor,
}

impl Prepared {
    pub(crate) async fn find(method: &str, server: &ServerArgs) -> Result<Self, Failure> {
        let client = connect::client(server).await?;
        let schema = Schema::find_over(server, &client).await?;
        let method = schema.method(method)?.clone();
        let (request, response) = schema.messages_of(&method).await?;
        Ok(Self {
            client,
            descriptor: method.descriptor(),
            method,
            request,
            response,
        })
    }

    /// `instead`: what to do with a method that streams.
    pub(crate) fn must_be_unary(&self, instead: impl FnOnce(&str) -> String) -> Result<(), Failure> {
        let (name, kind) = (self.method.full_name(), self.method.kind);
        if kind == MethodKind::Unary {
            return Ok(());
        }
        let text = format!("{name} is {}", kind_name(kind));
        Err(Failure::new(Exit::Usage, text).hint(instead(&name)))
    }

    /// The one message that is sent.
    pub(crate) async fn request(&self, data: Option<&str>) -> Result<Encoded, Failure> {
        let text = input::whole(data.unwrap_or("{}")).await?;
        Ok(Encoded::new(dynamic::encode(
            &self.request,
            &text.text,
            &text.source,
            1,
        )?))
    }

    async fn unary(
        &self,
        request: Encoded,
        args: &CallArgs,
        show: fn(&serde_json::Value) -> String,
    ) -> Result<(), Failure> {
        let call = self
            .client
            .unary::<Encoded>(self.descriptor, &request)
            .with_metadata();
        self.show_reply(call.await, args, show)
    }

    async fn stream(&self, args: &CallArgs) -> Result<(), Failure> {
        let shown = output::coloured;
        if !self.method.takes_stream() {
            let request = self.request(args.data.as_deref()).await?;
            if self.method.kind == MethodKind::Unary {
                return self.unary(request, args, shown).await;
            }
            let call = self.client.server_streaming::<Encoded>(self.descriptor, &request);
            return self.show_all(call.await, args).await;
        }
        let lines = Lines::open(args.data.as_deref().unwrap_or("-")).await?;
        let wrong = Wrong::default();
        let requests = requests(lines, self.request.clone(), wrong.clone());
        let done = if self.method.kind == MethodKind::ClientStreaming {
            let mut progress = Progress::unseen("messages sent");
            let requests = requests.inspect(move |_| progress.one_more());
            let call = self
                .client
                .client_streaming::<Encoded, Encoded>(self.descriptor, requests)
                .with_metadata();
            self.show_reply(wrong.or(call).await?, args, output::coloured)
        } else {
            let call = self
                .client
                .bidirectional::<Encoded, Encoded>(self.descriptor, requests);
            let answers = wrong.or(call).await?;
            wrong.or(self.show_all(answers, args)).await?
        };
        // A request that could not be read is why the call has ended.
        match wrong.take() {
            Some(failure) => Err(failure),
            None => done,
        }
    }

    fn show_reply(
        &self,
        reply: Result<Reply<Encoded>, CallError>,
        args: &CallArgs,
        show: fn(&serde_json::Value) -> String,
    ) -> Result<(), Failure> {
        let reply = reply.map_err(|error| self.failed(error, args))?;
        if args.verbose {
            tell("metadata", &reply.metadata);
        }
        if !self.method.one_way {
            self.print(reply.value.into_bytes(), &args.output, show)?;
        }
        if args.verbose {
            tell("trailer", &reply.trailers);
        }
        Ok(())
    }

    async fn show_all(
        &self,
        answers: Result<Streaming<Encoded>, CallError>,
        args: &CallArgs,
    ) -> Result<(), Failure> {
        let mut answers = answers.map_err(|error| self.failed(error, args))?;
        if args.verbose {
            tell("metadata", answers.metadata());
        }
        let mut progress = Progress::new("messages");
        loop {
            let answer = answers.message().await;
            let answer = answer.map_err(|status| self.failed(status.into(), args))?;
            let Some(answer) = answer else { break };
            self.print(answer.into_bytes(), &args.output, output::coloured)?;
            progress.one_more();
        }
        if args.verbose {
            tell("trailer", answers.trailers());
        }
        Ok(())
    }

    /// Says what a status brings beside its message, where that is asked for.
    fn failed(&self, error: CallError, args: &CallArgs) -> Failure {
        if let CallError::Status(status) = &error
            && args.verbose
        {
            tell("trailer", status.metadata());
            for (url, body) in status.raw_details() {
                let name = url.rsplit('/').next().unwrap_or(url);
                // What a service answers with is in its schema, as a rule that is broken is.
                let message = self.response.parent_pool().get_message_by_name(name);
                let json = message.and_then(|message| dynamic::decode(&message, body.clone()).ok());
                let text = json.map_or_else(|| metadata::binary_text(body), |json| output::compact(&json));
                output::note(&format!("detail {name}: {text}"));
            }
        }
        error.into()
    }

    fn print(
        &self,
        body: Bytes,
        args: &OutputArgs,
        show: fn(&serde_json::Value) -> String,
    ) -> Result<(), Failure> {
        let value = dynamic::decode(&self.response, body)?;
        match args.json {
            true => output::line(&output::compact(&value)),
            false => output::line(&show(&value)),
        }
    }

    /// Ends the connection where the call went well; where it did not, nobody waits for that.
    async fn finish(&self, done: Result<(), Failure>) -> Result<(), Failure> {
        if done.is_ok() {
            connect::close(&self.client).await;
        }
        done
    }
}

/// What was wrong with a request of a stream.
#[derive(Clone, Default)]
struct Wrong(Arc<(Mutex<Option<Failure>>, Notify)>);

impl Wrong {
    fn tell(&self, failure: Failure) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        self.0.1.notify_one();
    }

    fn take(&self) -> Option<Failure> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits for something, but no longer than requests are right.
    async fn or<F: IntoFuture>(&self, work: F) -> Result<F::Output, Failure> {
        tokio::select! {
            biased;
            done = work.into_future() => Ok(done),
            () = self.0.1.notified() => {
                let given_up = || Failure::new(Exit::Failed, "the call was given up");
                Err(self.take().unwrap_or_else(given_up))
            }
        }
    }
}

/// Lines as messages, as they come. Behind one that is wrong nothing comes, not even the end: the call is given up, so that the
/// server does not take what was sent before for all there is.
fn requests(
    lines: Lines,
    message: MessageDescriptor,
    wrong: Wrong,
) -> impl Stream<Item = Encoded> + Send + 'static {
    stream::unfold(
        (lines, message, wrong),
        |(mut lines, message, wrong)| async move {
            let read = match lines.next().await {
                Ok(None) => return None,
                Ok(Some(line)) => dynamic::encode(&message, &line, &lines.source, lines.number),
                Err(failure) => Err(failure),
            };
            match read {
                Ok(body) => Some((Encoded::new(body), (lines, message, wrong))),
                Err(failure) => {
                    wrong.tell(failure);
                    std::future::pending().await
                }
            }
        },
    )
}

/// Prints metadata beside the output, as the command line takes them.
fn tell(what: &str, metadata: &Metadata) {
    let mut seen = Vec::new();
    for key in metadata.keys() {
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        let values: Vec<String> = match metadata::is_binary(key) {
            true => metadata.get_all_bin(key).map(metadata::binary_text).collect(),
            false => metadata.get_all(key).map(str::to_owned).collect(),
        };
        for value in values {
            output::note(&format!("{what} {key}: {value}"));
        }
    }
}
