//! A service of all kinds of methods, and what tests call it with.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use rpc_runtime::{
    Client, Context, Limits, Outgoing, Server, Status, Streaming, UnaryCall,
    codegen::{Gateway, MethodDescriptor},
    contract, rpc,
    testing::{self, TestServer},
};
use tokio::sync::Notify;

#[contract(package = "desk", detached)]
pub struct Note {
    pub number: u64,
    pub text: String,
    pub blob: rpc_runtime::bytes::Bytes,
}

pub fn note(number: u64) -> Note {
    Note {
        number,
        ..Note::default()
    }
}

/// What handlers leave behind.
#[derive(Default)]
pub struct Traces {
    started: AtomicUsize,
    dropped: AtomicUsize,
    pub produced: AtomicUsize,
    /// Lets one held call go on.
    pub release: Notify,
}

impl Traces {
    pub fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    pub fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }

    pub fn produced(&self) -> usize {
        self.produced.load(Ordering::SeqCst)
    }
}

struct Trace(Arc<Traces>);

impl Trace {
    fn new(traces: &Arc<Traces>) -> Self {
        traces.started.fetch_add(1, Ordering::SeqCst);
        Self(traces.clone())
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Default)]
pub struct DeskGateway {
    pub traces: Arc<Traces>,
    /// For calls that the handler makes in turn.
    pub next: Option<Client>,
}

#[rpc("desk", detached)]
impl DeskGateway {
    #[message("Note", method = "Echo")]
    async fn echo(&self, cx: &Context, data: Note) -> Result<Note, Status> {
        cx.set_metadata("before", data.text.clone());
        cx.set_trailer_bin("after-bin", vec![1, 2]);
        Ok(data)
    }

    /// Answers with as many bytes as the number says.
    #[message("Note", method = "Large")]
    async fn large(&self, data: Note) -> Result<Note, Status> {
        Ok(Note {
            blob: vec![7; data.number as usize].into(),
            ..Note::default()
        })
    }

    #[message("Note", method = "Leave", one_way)]
    async fn leave(&self, _data: Note) -> Result<(), Status> {
        self.traces.produced.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Answers once it is released.
    #[message("Note", method = "Write")]
    async fn write(&self, data: Note) -> Result<Note, Status> {
        let _trace = Trace::new(&self.traces);
        self.traces.release.notified().await;
        Ok(data)
    }

    /// The same, and may be repeated.
    #[message("Note", method = "Read", idempotent)]
    async fn read(&self, data: Note) -> Result<Note, Status> {
        self.write(data).await
    }

    /// Answers with the milliseconds that are left.
    #[message("Note", method = "Left")]
    async fn left(&self, cx: &Context) -> Result<Note, Status> {
        let left = cx.remaining().map_or(0, |left| left.as_millis());
        Ok(note(left as u64))
    }

    /// Asks another server what is left, from the handler itself or from a task that it spawns.
    #[message("Note", method = "AskNext")]
    async fn ask_next(&self, cx: &Context, data: Note) -> Result<Note, Status> {
        let next = self.next.clone().ok_or_else(|| Status::internal("no next"))?;
        let call = move || next.unary::<Note>(method("Left"), &Note::default());
        let answer = match data.text.as_str() {
            "inline" => call().await,
            "spawned" => tokio::spawn(async move { call().await }).await.unwrap(),
            _ => {
                let call = call().within(cx);
                tokio::spawn(async move { call.await }).await.unwrap()
            }
        };
        answer.map_err(rpc_runtime::CallError::into_status)
    }

    /// As many notes as the number says; then it fails or hangs, as the text says.
    #[message("Note", method = "Count")]
    async fn count(
        &self,
        cx: &Context,
        data: Note,
    ) -> Result<impl Stream<Item = Result<Note, Status>> + Send + use<>, Status> {
        cx.set_metadata("before", "count");
        cx.set_trailer("after", "counted");
        let trace = Trace::new(&self.traces);
        let traces = self.traces.clone();
        let Note { number, text, blob } = data;
        let notes = stream::iter(0..number).map(move |number| {
            traces.produced.fetch_add(1, Ordering::SeqCst);
            Ok(Note {
                blob: blob.clone(),
                ..note(number)
            })
        });
        let end = stream::once(async move {
            let _trace = trace;
            match text.as_str() {
                "fail" => Some(Err(Status::data_loss("as told"))),
                "hang" => std::future::pending().await,
                _ => None,
            }
        });
        Ok(notes.chain(end.filter_map(std::future::ready)))
    }

    /// Fails before it opens its stream.
    #[message("Note", method = "Refuse")]
    async fn refuse(
        &self,
        _data: Note,
    ) -> Result<impl Stream<Item = Result<Note, Status>> + Send + use<>, Status> {
        Err::<stream::Empty<_>, _>(Status::not_found("no such stream"))
    }

    #[message("Note", method = "Sum")]
    async fn sum(&self, cx: &Context, mut data: Streaming<Note>) -> Result<Note, Status> {
        let _trace = Trace::new(&self.traces);
        cx.set_trailer("after", "summed");
        let (mut sum, mut bytes) = (0, 0);
        while let Some(note) = data.message().await? {
            sum += note.number;
            bytes += note.blob.len();
            // Asked to read no more, and to go on.
            if note.text == "enough" {
                drop(data);
                self.traces.release.notified().await;
                break;
            }
        }
        Ok(Note {
            text: bytes.to_string(),
            ..note(sum)
        })
    }

    #[message("Note", method = "Mirror")]
    async fn mirror(
        &self,
        data: Streaming<Note>,
    ) -> Result<impl Stream<Item = Result<Note, Status>> + Send + use<>, Status> {
        let trace = Trace::new(&self.traces);
        Ok(data.inspect(move |_| {
            let _ = &trace;
        }))
    }

    /// Answers each note with its double, until the input ends; a note without a number fails the session.
    #[message("Note", method = "Double")]
    async fn double(&self, mut input: Streaming<Note>, output: Outgoing<Note>) -> Result<(), Status> {
        let _trace = Trace::new(&self.traces);
        while let Some(asked) = input.message().await? {
            if asked.number == 0 {
                return Err(Status::out_of_range("nothing to double"));
            }
            self.traces.produced.fetch_add(1, Ordering::SeqCst);
            output.send(note(asked.number * 2)).await?;
        }
        Ok(())
    }
}

pub fn method(name: &str) -> &'static MethodDescriptor {
    let methods = DeskGateway::descriptor().methods;
    methods
        .iter()
        .find(|method| method.name == name)
        .unwrap_or_else(|| panic!("no method {name}"))
}

pub fn desk(limits: Limits) -> (Server, Arc<Traces>) {
    let gateway = DeskGateway::default();
    let traces = gateway.traces.clone();
    let server = Server::builder().service(gateway).limits(limits);
    (server.build().unwrap(), traces)
}

/// A server in memory.
pub fn serve() -> (TestServer, Arc<Traces>) {
    let (server, traces) = desk(Limits::default());
    (testing::serve(server), traces)
}

pub fn call(client: &Client, name: &str, request: &Note) -> UnaryCall<Note> {
    client.unary(method(name), request)
}

/// Waits until something holds, on a clock that may be paused.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("waited in vain until {what}");
}
