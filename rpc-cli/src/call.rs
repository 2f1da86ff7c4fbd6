//! Calls of all four kinds, with messages that are known from descriptors.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{Stream, stream};
use prost_reflect::MessageDescriptor;
use rpc_runtime::contract::{MethodDescriptor, MethodKind};
use rpc_runtime::{Client, Encoded, Metadata, Streaming};
use tokio::sync::Notify;

use crate::cli::{CallArgs, OutputArgs};
use crate::failure::{Exit, Failure};
use crate::input::{self, Lines};
use crate::schema::{Method, Schema, kind_name};
use crate::{connect, dynamic, output};

/// How often it is said how far a stream has come.
const PROGRESS: Duration = Duration::from_secs(1);

/// `rpc call`
pub(crate) async fn call(args: &CallArgs) -> Result<(), Failure> {
    let prepared = Prepared::find(args).await?;
    let method = &prepared.method;
    if method.kind != MethodKind::Unary {
        let text = format!("{} is {}", method.full_name(), kind_name(method.kind));
        let hint = format!("call it by `rpc stream {}`", method.full_name());
        return Err(Failure::new(Exit::Usage, text).hint(hint));
    }
    let request = prepared.request(args.data.as_deref()).await?;
    prepared
        .finish(prepared.unary(request, args, output::pretty).await)
        .await
}

/// `rpc stream`
pub(crate) async fn stream(args: &CallArgs) -> Result<(), Failure> {
    let prepared = Prepared::find(args).await?;
    let done = prepared.stream(args).await;
    prepared.finish(done).await
}

/// All that a call needs.
struct Prepared {
    client: Client,
    method: Method,
    descriptor: &'static MethodDescriptor,
    request: MessageDescriptor,
    response: MessageDescriptor,
    metadata: Vec<Pair>,
    deadline: Option<Duration>,
}

/// Metadata of a call.
#[derive(Debug, PartialEq)]
enum Pair {
    Text(String, String),
    Binary(String, Vec<u8>),
}

impl Pair {
    /// From `key: value`.
    fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::new(Exit::Usage, format!("metadata `{text}`: {why}"));
        let (key, value) = text.split_once(':').ok_or_else(|| wrong("write `key: value`"))?;
        let key = key.trim().to_lowercase();
        let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if key.is_empty() || !key.chars().all(is_key) {
            return Err(wrong("a key has letters, digits, `-`, `_` and `.`"));
        }
        let value = value.trim();
        if !key.ends_with("-bin") {
            return Ok(Self::Text(key, value.to_owned()));
        }
        let base64 = data_encoding::BASE64.decode(value.as_bytes());
        let base64 = base64.or_else(|_| data_encoding::BASE64_NOPAD.decode(value.as_bytes()));
        let bytes = base64.map_err(|_| wrong("the value of a key that ends in -bin is base64"))?;
        Ok(Self::Binary(key, bytes))
    }
}

/// A call with the options of the command line.
macro_rules! with_options {
    ($prepared:expr, $call:expr) => {{
        let mut call = $call;
        if let Some(deadline) = $prepared.deadline {
            call = call.timeout(deadline);
        }
        for pair in &$prepared.metadata {
            call = match pair {
                Pair::Text(key, value) => call.metadata(key.as_str(), value.as_str()),
                Pair::Binary(key, value) => call.metadata_bin(key.as_str(), value.clone()),
            };
        }
        call
    }};
}

impl Prepared {
    async fn find(args: &CallArgs) -> Result<Self, Failure> {
        let metadata = args.metadata.iter().map(|text| Pair::parse(text));
        let metadata = metadata.collect::<Result<_, _>>()?;
        let client = connect::client(&args.server).await?;
        let schema = Schema::find_over(&args.server, &client).await?;
        let method = schema.method(&args.method)?.clone();
        let (request, response) = schema.messages_of(&method).await?;
        Ok(Self {
            client,
            descriptor: method.descriptor(),
            method,
            request,
            response,
            metadata,
            deadline: args.deadline,
        })
    }

    /// The one message that is sent.
    async fn request(&self, data: Option<&str>) -> Result<Encoded, Failure> {
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
        let reply = with_options!(self, call).await?;
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

    async fn stream(&self, args: &CallArgs) -> Result<(), Failure> {
        let shown = output::coloured;
        if !self.method.takes_stream() {
            let request = self.request(args.data.as_deref()).await?;
            if self.method.kind == MethodKind::Unary {
                return self.unary(request, args, shown).await;
            }
            let call = self.client.server_streaming::<Encoded>(self.descriptor, &request);
            return self.print_all(with_options!(self, call).await?, args).await;
        }
        let lines = Lines::open(args.data.as_deref().unwrap_or("-")).await?;
        let wrong = Wrong::default();
        let requests = requests(lines, self.request.clone(), wrong.clone());
        let done = if self.method.kind == MethodKind::ClientStreaming {
            let call = self
                .client
                .client_streaming::<Encoded, Encoded>(self.descriptor, requests)
                .with_metadata();
            self.answered(with_options!(self, call), &wrong, args).await
        } else {
            let call = self
                .client
                .bidirectional::<Encoded, Encoded>(self.descriptor, requests);
            match wrong.or(with_options!(self, call)).await? {
                Ok(answers) => wrong.or(self.print_all(answers, args)).await?,
                Err(error) => Err(error.into()),
            }
        };
        // A request that could not be read is why the call has ended.
        match wrong.take() {
            Some(failure) => Err(failure),
            None => done,
        }
    }

    async fn answered(
        &self,
        call: impl IntoFuture<Output = Result<rpc_runtime::Reply<Encoded>, rpc_runtime::CallError>>,
        wrong: &Wrong,
        args: &CallArgs,
    ) -> Result<(), Failure> {
        let reply = wrong.or(call).await??;
        if args.verbose {
            tell("metadata", &reply.metadata);
        }
        self.print(reply.value.into_bytes(), &args.output, output::coloured)?;
        if args.verbose {
            tell("trailer", &reply.trailers);
        }
        Ok(())
    }

    async fn print_all(&self, mut answers: Streaming<Encoded>, args: &CallArgs) -> Result<(), Failure> {
        if args.verbose {
            tell("metadata", answers.metadata());
        }
        let mut progress = Progress::new();
        while let Some(answer) = answers.message().await? {
            self.print(answer.into_bytes(), &args.output, output::coloured)?;
            progress.one_more();
        }
        if args.verbose {
            tell("trailer", answers.trailers());
        }
        Ok(())
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

/// Prints metadata beside the output.
fn tell(what: &str, metadata: &Metadata) {
    let mut seen = Vec::new();
    for key in metadata.keys() {
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        for value in metadata.get_all(key) {
            output::note(&format!("{what} {key}: {value}"));
        }
        for value in metadata.get_all_bin(key) {
            output::note(&format!("{what} {key}: {}", data_encoding::BASE64.encode(value)));
        }
    }
}

/// How far a long stream has come, said to a terminal while the messages go elsewhere.
struct Progress {
    shown: bool,
    count: u64,
    began: Instant,
    said: Instant,
}

impl Progress {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            shown: std::io::stderr().is_terminal() && !std::io::stdout().is_terminal(),
            count: 0,
            began: now,
            said: now,
        }
    }

    fn one_more(&mut self) {
        self.count += 1;
        if self.shown && self.said.elapsed() >= PROGRESS {
            self.said = Instant::now();
            output::note(&format!(
                "{} messages in {} s",
                self.count,
                self.began.elapsed().as_secs()
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_text_or_bytes_by_its_key() {
        let text = |key: &str, value: &str| Pair::Text(key.to_owned(), value.to_owned());
        assert_eq!(Pair::parse("Tenant: acme").unwrap(), text("tenant", "acme"));
        assert_eq!(Pair::parse("a:b:c").unwrap(), text("a", "b:c"));
        assert_eq!(
            Pair::parse("k-bin: AQI=").unwrap(),
            Pair::Binary("k-bin".to_owned(), vec![1, 2])
        );
        assert_eq!(
            Pair::parse("k-bin: AQI").unwrap(),
            Pair::Binary("k-bin".to_owned(), vec![1, 2])
        );
        for wrong in ["tenant", ": x", "a b: c", "k-bin: !"] {
            assert_eq!(Pair::parse(wrong).unwrap_err().exit, Exit::Usage, "{wrong}");
        }
    }
}
