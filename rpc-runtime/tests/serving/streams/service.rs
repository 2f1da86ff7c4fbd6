//! A service of all kinds of methods, which leaves traces of what becomes of its calls.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{Stream, StreamExt, stream};
use rpc_runtime::{
    Context, Limits, Outgoing, Server, ServerLimits, Status, Streaming,
    codegen::{Gateway, MethodDescriptor},
    contract, rpc,
};
use tokio::sync::Notify;

/// One message of a stream.
#[contract(package = "flow", detached)]
pub struct Item {
    pub number: u64,
    #[field(max_len = 100)]
    pub text: String,
    pub blob: rpc_runtime::bytes::Bytes,
    pub lines: Vec<Line>,
}

#[contract(package = "flow", detached)]
pub struct Line {
    pub text: String,
}

pub fn item(number: u64) -> Item {
    Item {
        number,
        ..Item::default()
    }
}

/// What calls leave behind.
#[derive(Default)]
pub struct Traces {
    pub started: AtomicUsize,
    /// Futures and streams of handlers that are gone.
    pub dropped: AtomicUsize,
    /// Clean-up that has run.
    pub closed: AtomicUsize,
    /// Spawned work that has seen the end of its call.
    pub cancelled: AtomicUsize,
    pub produced: AtomicUsize,
    pub read: AtomicUsize,
    pub release: Notify,
    pub log: Mutex<Vec<String>>,
}

impl Traces {
    pub fn get(count: &AtomicUsize) -> usize {
        count.load(Ordering::SeqCst)
    }

    pub fn log(&self, line: impl Into<String>) {
        self.log.lock().unwrap().push(line.into());
    }
}

pub fn add(count: &AtomicUsize) {
    count.fetch_add(1, Ordering::SeqCst);
}

pub struct Guard(Arc<Traces>);

impl Drop for Guard {
    fn drop(&mut self) {
        add(&self.0.dropped);
    }
}

#[derive(Default)]
pub struct FlowGateway {
    pub traces: Arc<Traces>,
}

impl FlowGateway {
    /// Counts the call, and all that is to happen at its end.
    fn begin(&self, cx: &Context) -> Guard {
        let traces = self.traces.clone();
        add(&traces.started);
        let (cancelled, spawned) = (cx.cancelled(), traces.clone());
        tokio::spawn(async move {
            cancelled.await;
            add(&spawned.cancelled);
        });
        let closing = traces.clone();
        cx.on_close(async move {
            tokio::task::yield_now().await;
            add(&closing.closed);
        });
        Guard(traces)
    }
}

/// Ends as the text says, or never.
async fn end_as(text: &str) -> Result<(), Status> {
    match text {
        "fail" => Err(Status::data_loss("as told")),
        "panic" => panic!("as told"),
        "hang" => pending().await,
        _ => Ok(()),
    }
}

#[rpc("flow", detached)]
impl FlowGateway {
    #[message(method = "Echo")]
    async fn echo(&self, cx: &Context, request: Item) -> Result<Item, Status> {
        let _guard = self.begin(cx);
        end_as(&request.text).await?;
        Ok(request)
    }

    /// As many items as `number` says, each with the request's blob; then ends as its text says.
    #[message(method = "Count")]
    async fn count(
        &self,
        cx: &Context,
        request: Item,
    ) -> Result<impl Stream<Item = Result<Item, Status>> + Send, Status> {
        let guard = self.begin(cx);
        let traces = self.traces.clone();
        let (last, blob, text) = (request.number, request.blob, request.text);
        let items = stream::iter(0..last).map(move |number| {
            add(&traces.produced);
            Ok(Item {
                number,
                blob: blob.clone(),
                ..Item::default()
            })
        });
        let end = stream::once(async move {
            let _guard = guard;
            end_as(&text).await
        });
        Ok(items.chain(end.filter_map(async |end| end.err().map(Err))))
    }

    #[message(method = "CountApart", spawn)]
    async fn count_apart(
        &self,
        cx: &Context,
        request: Item,
    ) -> Result<impl Stream<Item = Result<Item, Status>> + Send, Status> {
        self.count(cx, request).await
    }

    /// Adds numbers up; an item's text ends the call.
    #[message(method = "Sum")]
    async fn sum(&self, cx: &Context, mut requests: Streaming<Item>) -> Result<Item, Status> {
        let _guard = self.begin(cx);
        let mut sum = 0;
        while let Some(item) = requests.message().await? {
            add(&self.traces.read);
            sum += item.number;
            end_as(&item.text).await?;
        }
        Ok(item(sum))
    }

    #[message(method = "SumApart", spawn)]
    async fn sum_apart(&self, cx: &Context, requests: Streaming<Item>) -> Result<Item, Status> {
        self.sum(cx, requests).await
    }

    /// Reads nothing, and answers once it is told to.
    #[message(method = "Ignore")]
    async fn ignore(&self, cx: &Context, requests: Streaming<Item>) -> Result<Item, Status> {
        let _guard = self.begin(cx);
        self.traces.release.notified().await;
        drop(requests);
        Ok(item(7))
    }

    /// Keeps the first item that it reads.
    #[message(method = "Keep")]
    async fn keep(&self, cx: &Context, mut requests: Streaming<Item>) -> Result<Item, Status> {
        let _guard = self.begin(cx);
        let _kept = requests.message().await?;
        add(&self.traces.read);
        pending().await
    }

    /// Sends back what it gets.
    #[message(method = "Mirror")]
    async fn mirror(
        &self,
        cx: &Context,
        requests: Streaming<Item>,
    ) -> Result<impl Stream<Item = Result<Item, Status>> + Send, Status> {
        let guard = self.begin(cx);
        let traces = self.traces.clone();
        Ok(requests.then(move |request| {
            let _guard = &guard;
            add(&traces.read);
            async move {
                let request = request?;
                end_as(&request.text).await?;
                Ok(request)
            }
        }))
    }

    #[message(method = "MirrorApart", spawn)]
    async fn mirror_apart(
        &self,
        cx: &Context,
        requests: Streaming<Item>,
    ) -> Result<impl Stream<Item = Result<Item, Status>> + Send, Status> {
        self.mirror(cx, requests).await
    }

    /// Sends back what it gets, and a last item when the client has ended.
    #[message(method = "Talk")]
    async fn talk(
        &self,
        cx: &Context,
        mut input: Streaming<Item>,
        output: Outgoing<Item>,
    ) -> Result<(), Status> {
        let _guard = self.begin(cx);
        while let Some(request) = input.message().await? {
            add(&self.traces.read);
            end_as(&request.text).await?;
            output.send(request).await?;
        }
        self.traces.log("input ended");
        if let Err(status) = output.send(item(99)).await {
            self.traces.log(format!("output failed: {}", status.code()));
        }
        Ok(())
    }

    #[message(method = "TalkApart", spawn)]
    async fn talk_apart(
        &self,
        cx: &Context,
        input: Streaming<Item>,
        output: Outgoing<Item>,
    ) -> Result<(), Status> {
        self.talk(cx, input, output).await
    }

    /// Reads to the end of its input, and then takes its time.
    #[message(method = "Linger")]
    async fn linger(
        &self,
        cx: &Context,
        mut input: Streaming<Item>,
        output: Outgoing<Item>,
    ) -> Result<(), Status> {
        let _guard = self.begin(cx);
        while input.message().await?.is_some() {}
        self.traces.log("input ended");
        output.closed().await;
        self.traces.log("output closed");
        self.traces.release.notified().await;
        self.traces.log("finished");
        Ok(())
    }

    /// Drops its input, and goes on for as many items as it is told to.
    #[message(method = "Deaf")]
    async fn deaf(&self, cx: &Context, input: Streaming<Item>, output: Outgoing<Item>) -> Result<(), Status> {
        let _guard = self.begin(cx);
        drop(input);
        loop {
            self.traces.release.notified().await;
            add(&self.traces.produced);
            output
                .send(item(Traces::get(&self.traces.produced) as u64))
                .await?;
        }
    }

    /// Writes as fast as it may, from a task of its own.
    #[message(method = "Flood")]
    async fn flood(&self, cx: &Context, _: Streaming<Item>, output: Outgoing<Item>) -> Result<(), Status> {
        let _guard = self.begin(cx);
        let traces = self.traces.clone();
        let writer = tokio::spawn(async move {
            for number in 0..1_000 {
                let blob = vec![7; 10_000].into();
                output
                    .send(Item {
                        number,
                        blob,
                        ..Item::default()
                    })
                    .await?;
                add(&traces.produced);
            }
            Ok::<_, Status>(())
        });
        writer.await.map_err(Status::internal_from)?
    }

    /// Ends its messages with a status, and goes on until it is released.
    #[message(method = "GiveUp")]
    async fn give_up(
        &self,
        cx: &Context,
        mut input: Streaming<Item>,
        output: Outgoing<Item>,
    ) -> Result<(), Status> {
        let _guard = self.begin(cx);
        output.send(item(1)).await?;
        output.clone().fail(Status::aborted("enough")).await?;
        assert!(output.is_closed());
        while input.message().await?.is_some() {}
        self.traces.log("input ended");
        self.traces.release.notified().await;
        Ok(())
    }

    /// Says something beside its answer, and fails where it is told to.
    #[message(method = "Aside")]
    async fn aside(&self, cx: &Context, request: Item) -> Result<Item, Status> {
        speak(cx);
        end_as(&request.text).await?;
        Ok(request)
    }

    #[message(method = "AsideStream")]
    async fn aside_stream(
        &self,
        cx: &Context,
        request: Item,
    ) -> Result<impl Stream<Item = Result<Item, Status>> + Send, Status> {
        speak(cx);
        let end = async move {
            cx.set_trailer("last", "words");
            end_as(&request.text).await
        };
        Ok(stream::once(end).map(|end| end.map(|()| item(1))))
    }

    #[message(method = "AsideSession")]
    async fn aside_session(
        &self,
        cx: &Context,
        mut input: Streaming<Item>,
        output: Outgoing<Item>,
    ) -> Result<(), Status> {
        speak(cx);
        while input.message().await?.is_some() {}
        output.send(item(1)).await?;
        cx.set_trailer("last", "words");
        Ok(())
    }

    /// Answers at once, and cleans up until it is released.
    #[message(method = "Litter")]
    async fn litter(&self, cx: &Context, request: Item) -> Result<Item, Status> {
        let traces = self.traces.clone();
        add(&traces.started);
        cx.on_close(async move {
            traces.release.notified().await;
            add(&traces.closed);
        });
        Ok(request)
    }

    /// Nothing comes back.
    #[message(method = "Tell", one_way)]
    async fn tell(&self, cx: &Context, request: Item) -> Result<(), Status> {
        let _guard = self.begin(cx);
        end_as(&request.text).await
    }

    /// Hangs until its time is over.
    #[message(method = "Late", deadline = "40ms")]
    async fn late(
        &self,
        cx: &Context,
        request: Item,
    ) -> Result<impl Stream<Item = Result<Item, Status>> + Send, Status> {
        self.count(cx, request).await
    }
}

fn speak(cx: &Context) {
    cx.set_metadata("Ahead", "of it");
    cx.set_metadata_bin("ahead-bin", vec![1, 2]);
    cx.set_trailer("behind", "it");
}

pub fn method(name: &str) -> &'static MethodDescriptor {
    let methods = FlowGateway::descriptor().methods;
    methods
        .iter()
        .find(|method| method.name == name)
        .unwrap_or_else(|| panic!("no method {name}"))
}

pub fn server(limits: Limits) -> (Server, Arc<Traces>) {
    server_within(limits, ServerLimits::default())
}

pub fn server_within(limits: Limits, all: ServerLimits) -> (Server, Arc<Traces>) {
    let gateway = FlowGateway::default();
    let traces = gateway.traces.clone();
    (
        Server::builder()
            .service(gateway)
            .limits(limits)
            .server_limits(all)
            .build()
            .unwrap(),
        traces,
    )
}
