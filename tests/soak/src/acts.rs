//! What a client may do with its connection: calls of every kind, to their end or given up in the middle.

use crate::{
    SoakClient,
    contracts::{Blob, CountRequest},
    random::Random,
};
use futures_util::{StreamExt, future::join_all, stream};
use rpc_runtime::{CallError, Code, Status};
use std::time::Duration;
use tokio::sync::mpsc;

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Some short unary calls at once.
    Unary,
    /// A unary call whose bodies do not fit into a frame.
    Large,
    /// A unary call on a task of its own.
    Apart,
    /// A call without an answer.
    OneWay,
    /// A unary call that is dropped while it runs.
    UnaryDropped,
    /// A call whose time is over before it is.
    DeadlineMissed,
    /// A server's stream, read to its end.
    ServerStream,
    /// A server's stream, dropped in the middle.
    ServerStreamDropped,
    /// A client's stream.
    ClientStream,
    /// A client's stream, dropped in the middle.
    ClientStreamDropped,
    /// Streams both ways, message by message.
    Bidirectional,
    /// The same, dropped in the middle.
    BidirectionalDropped,
    /// A session.
    Session,
    /// A session, dropped in the middle.
    SessionDropped,
}

impl Act {
    /// All of them.
    pub(crate) const ALL: [Self; 14] = [
        Self::Unary,
        Self::Large,
        Self::Apart,
        Self::OneWay,
        Self::UnaryDropped,
        Self::DeadlineMissed,
        Self::ServerStream,
        Self::ServerStreamDropped,
        Self::ClientStream,
        Self::ClientStreamDropped,
        Self::Bidirectional,
        Self::BidirectionalDropped,
        Self::Session,
        Self::SessionDropped,
    ];

    /// Any of them.
    pub(crate) fn any(random: &mut Random) -> Self {
        let index = usize::try_from(random.below(Self::ALL.len() as u64)).unwrap_or_default();
        Self::ALL[index]
    }

    /// Does it. An error is a call that did not end as it should.
    pub(crate) async fn run(self, client: &SoakClient, mut random: Random) -> Result<(), Failure> {
        let random = &mut random;
        match self {
            Self::Unary => {
                let blobs: Vec<_> = (0..=random.below(8)).map(|_| blob(random, 4 << 10)).collect();
                for outcome in join_all(blobs.into_iter().map(|blob| echo(client, blob))).await {
                    outcome?;
                }
                Ok(())
            }
            Self::Large => {
                let bytes = (150 << 10) + random.below(450 << 10);
                echo(client, of_bytes(0, bytes)).await
            }
            Self::Apart => {
                let sent = blob(random, 4 << 10);
                let answer = client.echo_apart(sent.clone()).await?;
                expect(answer == sent, "an echo is not what was sent")
            }
            Self::OneWay => Ok(client.note(blob(random, 4 << 10)).await?),
            Self::UnaryDropped => give_up(client.sleep().into_future(), random).await,
            Self::DeadlineMissed => {
                let timeout = Duration::from_micros(1 + random.below(10_000));
                match client.sleep().timeout(timeout).await {
                    Err(error) if error.code() == Some(Code::DeadlineExceeded) => Ok(()),
                    Err(error) => Err(error.into()),
                    Ok(()) => Err(Failure("a call outlived its deadline".to_owned())),
                }
            }
            Self::ServerStream | Self::ServerStreamDropped => {
                let dropped = self == Self::ServerStreamDropped;
                server_stream(client, random, dropped).await
            }
            Self::ClientStream => {
                let (count, bytes) = (random.size(200), random.size(8 << 10));
                let requests = stream::iter(0..count).map(move |number| of_bytes(number, bytes));
                let summary = client.sum(requests).await?;
                let right = (summary.blobs, summary.bytes) == (count, count * bytes);
                expect(right, "a stream did not arrive whole")
            }
            Self::ClientStreamDropped => {
                let (count, bytes) = (random.size(200), random.size(8 << 10));
                let requests = stream::iter(0..count).map(move |number| of_bytes(number, bytes));
                let call = client.sum(requests.chain(stream::pending()));
                give_up(call.into_future(), random).await
            }
            Self::Bidirectional => chat(client, random.size(50), random).await,
            Self::BidirectionalDropped => give_up(chat(client, u64::MAX, &mut random.split()), random).await,
            Self::Session => session(client, random.size(50), random).await,
            Self::SessionDropped => give_up(session(client, u64::MAX, &mut random.split()), random).await,
        }
    }
}

/// What did not go as it should.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self(error.to_string())
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self(status.to_string())
    }
}

fn expect(holds: bool, otherwise: &str) -> Result<(), Failure> {
    match holds {
        true => Ok(()),
        false => Err(Failure(otherwise.to_owned())),
    }
}

fn of_bytes(number: u64, bytes: u64) -> Blob {
    Blob {
        number,
        body: vec![1; usize::try_from(bytes).unwrap_or_default()].into(),
    }
}

fn blob(random: &mut Random, most: u64) -> Blob {
    of_bytes(random.below(1 << 20), random.size(most))
}

async fn echo(client: &SoakClient, sent: Blob) -> Result<(), Failure> {
    let answer = client.echo(sent.clone()).await?;
    expect(answer == sent, "an echo is not what was sent")
}

async fn server_stream(client: &SoakClient, random: &mut Random, dropped: bool) -> Result<(), Failure> {
    let request = CountRequest {
        blobs: random.size(200) + 1,
        bytes: random.size(8 << 10),
    };
    let stop = dropped.then(|| random.below(request.blobs));
    let mut blobs = client.count(request.clone()).await?;
    let mut count = 0;
    while stop != Some(count)
        && let Some(blob) = blobs.message().await?
    {
        let right = blob.number == count && blob.body.len() as u64 == request.bytes;
        expect(right, "a stream is out of order")?;
        count += 1;
    }
    expect(dropped || count == request.blobs, "a stream ended early")
}

/// Sends a message, waits for it to come back, and so on.
async fn chat(client: &SoakClient, count: u64, random: &mut Random) -> Result<(), Failure> {
    let (requests, mut sent) = mpsc::channel(1);
    let call = client.chat(stream::poll_fn(move |cx| sent.poll_recv(cx)));
    let mut answers = call.await?;
    for number in 0..count {
        let blob = of_bytes(number, random.size(2 << 10));
        if requests.send(blob).await.is_err() {
            break;
        }
        let answer = answers.message().await?;
        expect(
            answer.is_some_and(|blob| blob.number == number),
            "a chat is out of order",
        )?;
    }
    drop(requests);
    expect(answers.message().await?.is_none(), "a chat went on after its end")
}

async fn session(client: &SoakClient, count: u64, random: &mut Random) -> Result<(), Failure> {
    let mut random = random.split();
    let run = async move |output: rpc_runtime::Outgoing<Blob>, mut input: rpc_runtime::Streaming<Blob>| {
        for number in 0..count {
            output.send(of_bytes(number, random.size(2 << 10))).await?;
            match input.message().await? {
                Some(blob) if blob.number == number => {}
                _ => return Err(Status::data_loss("a session is out of order")),
            }
        }
        Ok(())
    };
    Ok(client.session(run).await?)
}

/// Runs a call for a while and drops it. That it ends before is a failure.
async fn give_up<T, E>(call: impl Future<Output = Result<T, E>>, random: &mut Random) -> Result<(), Failure>
where
    Failure: From<E>,
{
    let until = match random.below(3) {
        // Dropped as soon as it was sent.
        0 => Duration::ZERO,
        _ => Duration::from_micros(random.below(5_000)),
    };
    let until = async move {
        match until {
            Duration::ZERO => tokio::task::yield_now().await,
            until => tokio::time::sleep(until).await,
        }
    };
    tokio::select! {
        biased;
        outcome = call => match outcome {
            Ok(_) => Err(Failure("a call ended that was to go on".to_owned())),
            Err(error) => Err(error.into()),
        },
        () = until => Ok(()),
    }
}
