//! The service that the cases call.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures_util::{Stream, StreamExt, stream};
use rpc_runtime::{Code, Context, Status, Streaming, bytes::Bytes};

use crate::{
    contracts::{Announcement, Cases, Failure, Number, Person, Range, Remaining, Runs, Said, Sum, Text, Who},
    seen::Seen,
};

/// The longest message that is made: a server for tests shall not be made to allocate gigabytes either.
const LONGEST: u32 = 4 << 20;

/// What a case had its session note.
#[derive(Debug, Clone)]
struct Note(String);

/// The service.
#[derive(Debug, Clone, Default)]
pub(crate) struct Service {
    pub(crate) seen: Seen,
    runs: Arc<AtomicU64>,
}

impl Service {
    /// Counts a run, and answers once the gate is open.
    async fn run(&self) -> Runs {
        let running = self.seen.begin();
        let runs = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
        self.seen.passed_gate().await;
        running.finish();
        Runs { runs }
    }

    async fn wait(&self, request: Text) -> Text {
        let running = self.seen.begin();
        self.seen.passed_gate().await;
        running.finish();
        request
    }

    /// The next message of a stream, counted.
    async fn next<T: rpc_runtime::Contract>(&self, messages: &mut Streaming<T>) -> Result<Option<T>, Status> {
        let message = messages.message().await?;
        if message.is_some() {
            self.seen.read();
        }
        Ok(message)
    }

    async fn add_up(&self, mut numbers: Streaming<Number>) -> Result<Sum, Status> {
        let mut sum = Sum::default();
        while let Some(number) = self.next(&mut numbers).await? {
            sum.count += 1;
            sum.total += number.value;
        }
        Ok(sum)
    }
}

impl Cases for Service {
    async fn echo(&self, cx: &Context, request: Text) -> Result<Text, Status> {
        send_back(cx);
        Ok(request)
    }

    async fn look(&self, _: Text) -> Result<Runs, Status> {
        Ok(self.run().await)
    }

    async fn add(&self, _: Text) -> Result<Runs, Status> {
        Ok(self.run().await)
    }

    async fn hurry(&self, request: Text) -> Result<Text, Status> {
        Ok(self.wait(request).await)
    }

    async fn fail(&self, request: Failure) -> Result<Text, Status> {
        let status = Status::new(Code::from_i32(request.code), request.message);
        Err(request.details.iter().fold(status, Status::with_detail))
    }

    #[allow(clippy::panic, reason = "this is what the method is for")]
    async fn panic(&self, request: Text) -> Result<Text, Status> {
        panic!("as it was asked for: {}", request.text)
    }

    async fn remaining(&self, cx: &Context, _: Text) -> Result<Remaining, Status> {
        let micros = cx
            .remaining()
            .map(|left| u64::try_from(left.as_micros()).unwrap_or(u64::MAX));
        Ok(Remaining { micros })
    }

    async fn register(&self, person: Person) -> Result<Person, Status> {
        Ok(person)
    }

    async fn who(&self, cx: &Context) -> Result<Who, Status> {
        Ok(who(cx))
    }

    async fn note(&self, cx: &Context, request: Text) -> Result<Who, Status> {
        cx.session().insert(Note(request.text));
        Ok(who(cx))
    }

    async fn members_only(&self, cx: &Context, _: Text) -> Result<Who, Status> {
        Ok(who(cx))
    }

    async fn members_wait(&self, request: Text) -> Result<Text, Status> {
        Ok(self.wait(request).await)
    }

    async fn announce(&self, cx: &Context, request: Announcement) -> Result<Text, Status> {
        let said = Said { text: request.text };
        let channel = cx.hub().channel(request.channel).from(cx);
        let receipt = channel.publish(&said).await?;
        Ok(Text {
            text: receipt.id.to_string(),
            ..Text::default()
        })
    }

    async fn notify(&self, cx: &Context, request: Text) -> Result<Text, Status> {
        let text = request.text.clone();
        cx.notify(&Said { text }).await?;
        Ok(request)
    }

    async fn numbers(
        &self,
        cx: &Context,
        range: Range,
    ) -> Result<impl Stream<Item = Result<Number, Status>>, Status> {
        if range.bytes > LONGEST {
            return Err(Status::invalid_argument("a number has 4 MiB beside it at most"));
        }
        send_back(cx);
        let body = Bytes::from(vec![7; range.bytes as usize]);
        let numbers = stream::iter(0..range.count).map(move |value| {
            Ok(Number {
                value,
                body: body.clone(),
            })
        });
        let fails = stream::iter(range.fails.then(|| Err(Status::aborted("as it was asked for"))));
        let waits = range.waits;
        let end = stream::once(async move {
            if waits {
                std::future::pending::<()>().await;
            }
        })
        .filter_map(async |()| None);
        let running = self.seen.begin();
        Ok(running.until_the_end(numbers.chain(fails).chain(end)))
    }

    async fn sum(&self, cx: &Context, numbers: Streaming<Number>) -> Result<Sum, Status> {
        send_back(cx);
        let running = self.seen.begin();
        let sum = self.add_up(numbers).await?;
        running.finish();
        Ok(sum)
    }

    async fn first(&self, mut numbers: Streaming<Number>) -> Result<Sum, Status> {
        let first = self.next(&mut numbers).await?;
        Ok(Sum {
            count: first.iter().count() as u64,
            total: first.map_or(0, |number| number.value),
        })
    }

    async fn sum_later(&self, numbers: Streaming<Number>) -> Result<Sum, Status> {
        let running = self.seen.begin();
        self.seen.passed_gate().await;
        let sum = self.add_up(numbers).await?;
        running.finish();
        Ok(sum)
    }

    async fn converse(
        &self,
        cx: &Context,
        texts: Streaming<Text>,
    ) -> Result<impl Stream<Item = Result<Text, Status>>, Status> {
        send_back(cx);
        let running = self.seen.begin();
        let answers = texts.map(|text| {
            let Text { text, body } = text?;
            let text = format!("re: {text}");
            Ok(Text { text, body })
        });
        Ok(running.until_the_end(answers))
    }

    async fn deaf(
        &self,
        mut texts: Streaming<Text>,
    ) -> Result<impl Stream<Item = Result<Text, Status>>, Status> {
        let running = self.seen.begin();
        let first = self.next(&mut texts).await?.unwrap_or_default();
        drop(texts);
        let seen = self.seen.clone();
        let answers = stream::once(async move { seen.passed_gate().await })
            .flat_map(move |()| stream::iter(vec![first.clone(); 3]).map(Ok));
        Ok(running.until_the_end(answers))
    }
}

fn who(cx: &Context) -> Who {
    Who {
        user: cx.user().map(str::to_owned),
        client_id: cx.session().id().to_string(),
        note: cx.session().get::<Note>().map(|note| note.0),
    }
}

/// Sends back what the case wants to see again, as text and as bytes.
fn send_back(cx: &Context) {
    let (front, behind) = ("x-front", "x-behind");
    let (front_bin, behind_bin) = ("x-front-bin", "x-behind-bin");
    if let Some(value) = cx.metadata().get(front) {
        cx.set_metadata(front, value);
    }
    if let Some(value) = cx.metadata().get_bin(front_bin) {
        cx.set_metadata_bin(front_bin, value.to_vec());
    }
    if let Some(value) = cx.metadata().get(behind) {
        cx.set_trailer(behind, value);
    }
    if let Some(value) = cx.metadata().get_bin(behind_bin) {
        cx.set_trailer_bin(behind_bin, value.to_vec());
    }
}
