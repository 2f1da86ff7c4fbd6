//! The server's side of the cases, and what it lets them see of the calls that it runs.

use crate::contracts::{
    Empty, Payload, PayloadType, ResponseParameters, SimpleRequest, SimpleResponse,
    StreamingInputCallRequest, StreamingInputCallResponse, StreamingOutputCallRequest,
    StreamingOutputCallResponse, Test,
};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use rpc_runtime::{Code, Context, Status, Streaming};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// The metadata that is sent back in front of an answer.
pub const ECHO_INITIAL: &str = "x-grpc-test-echo-initial";
/// The metadata that is sent back behind an answer.
pub const ECHO_TRAILING: &str = "x-grpc-test-echo-trailing-bin";

/// The longest answer that is made; a test server shall not be made to allocate gigabytes either.
const LONGEST: usize = 16 << 20;

/// The test service.
#[derive(Debug, Clone, Default)]
pub struct TestServer {
    calls: Calls,
}

/// How many streaming calls have begun, and how many are over, for whatever reason.
#[derive(Debug, Clone)]
pub struct Calls(Arc<watch::Sender<Counts>>);

/// How often something happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that were begun.
    pub begun: usize,
    /// Calls that ran to their own end.
    pub finished: usize,
    /// Calls that were dropped before that.
    pub dropped: usize,
}

impl Default for Calls {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Counts::default())))
    }
}

impl Calls {
    /// The counts now.
    pub fn now(&self) -> Counts {
        *self.0.borrow()
    }

    /// Waits until the counts are as `wanted`.
    pub async fn wait_until(&self, wanted: impl FnMut(&Counts) -> bool) -> Counts {
        let mut counts = self.0.subscribe();
        let counts = counts.wait_for(wanted).await;
        *counts.expect("the sender is kept by `self`")
    }

    fn begin(&self) -> Running {
        self.0.send_modify(|counts| counts.begun += 1);
        Running {
            calls: self.clone(),
            finished: false,
        }
    }
}

/// A call that runs.
#[derive(Debug)]
struct Running {
    calls: Calls,
    finished: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.calls.0.send_modify(|counts| match self.finished {
            true => counts.finished += 1,
            false => counts.dropped += 1,
        });
    }
}

impl TestServer {
    /// What can be seen of the calls.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }
}

impl Test for TestServer {
    async fn empty_call(&self, _: Empty) -> Result<Empty, Status> {
        Ok(Empty)
    }

    async fn unary_call(&self, cx: &Context, request: SimpleRequest) -> Result<SimpleResponse, Status> {
        echo_metadata(cx);
        if let Some(status) = request.response_status {
            return Err(Status::new(Code::from_i32(status.code), status.message));
        }
        Ok(SimpleResponse {
            payload: Some(zeros(request.response_type, request.response_size)?),
            ..SimpleResponse::default()
        })
    }

    async fn streaming_output_call(
        &self,
        request: StreamingOutputCallRequest,
    ) -> Result<impl Stream<Item = Result<StreamingOutputCallResponse, Status>>, Status> {
        answers(request)
    }

    async fn streaming_input_call(
        &self,
        mut requests: Streaming<StreamingInputCallRequest>,
    ) -> Result<StreamingInputCallResponse, Status> {
        let mut running = self.calls.begin();
        let mut sum = 0;
        while let Some(request) = requests.message().await? {
            sum += request.payload.map_or(0, |payload| payload.body.len());
        }
        running.finished = true;
        Ok(StreamingInputCallResponse {
            aggregated_payload_size: i32::try_from(sum)
                .map_err(|_| Status::out_of_range("more than 2 GiB"))?,
        })
    }

    async fn full_duplex_call(
        &self,
        cx: &Context,
        requests: Streaming<StreamingOutputCallRequest>,
    ) -> Result<impl Stream<Item = Result<StreamingOutputCallResponse, Status>>, Status> {
        echo_metadata(cx);
        let running = self.calls.begin();
        let answers = requests
            .and_then(|request| async { answers(request) })
            .try_flatten();
        Ok(until_the_end(answers, running))
    }
}

/// The same stream; the call is finished once it has given its end or a failure.
fn until_the_end<T>(
    items: impl Stream<Item = Result<T, Status>>,
    running: Running,
) -> impl Stream<Item = Result<T, Status>> {
    stream::unfold((Box::pin(items), running), |(mut items, mut running)| async {
        let item = items.next().await;
        running.finished = !matches!(item, Some(Ok(_)));
        Some((item?, (items, running)))
    })
}

/// The messages that a request asks for, or the status.
fn answers(
    request: StreamingOutputCallRequest,
) -> Result<impl Stream<Item = Result<StreamingOutputCallResponse, Status>>, Status> {
    if let Some(status) = request.response_status {
        return Err(Status::new(Code::from_i32(status.code), status.message));
    }
    let kind = request.response_type;
    Ok(stream::iter(request.response_parameters).then(move |parameters| answer(kind, parameters)))
}

async fn answer(
    kind: PayloadType,
    parameters: ResponseParameters,
) -> Result<StreamingOutputCallResponse, Status> {
    if let Ok(interval @ 1..) = u64::try_from(parameters.interval_us) {
        tokio::time::sleep(Duration::from_micros(interval)).await;
    }
    Ok(StreamingOutputCallResponse {
        payload: Some(zeros(kind, parameters.size)?),
    })
}

fn zeros(kind: PayloadType, size: i32) -> Result<Payload, Status> {
    match usize::try_from(size) {
        Ok(size @ ..=LONGEST) => Ok(Payload {
            r#type: kind,
            body: vec![0; size].into(),
        }),
        _ => Err(Status::invalid_argument("sizes are from 0 to 16 MiB")),
    }
}

/// Sends back what the client asked to see again.
fn echo_metadata(cx: &Context) {
    if let Some(value) = cx.metadata().get(ECHO_INITIAL) {
        cx.set_metadata(ECHO_INITIAL, value);
    }
    if let Some(value) = cx.metadata().get_bin(ECHO_TRAILING) {
        cx.set_trailer_bin(ECHO_TRAILING, value.to_vec());
    }
}
