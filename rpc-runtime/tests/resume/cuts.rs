//! Random calls of all four kinds over connections that are cut at random bytes: what is delivered is what was sent, each once and
//! in order, and every call is begun once.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{StreamExt, future::join_all, stream};
use rpc_runtime::{Client, ConnectInfo, Connector, Limits, Reconnect, Server};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::line::{Item, Keeping, Line, method, numbers, replaying};

/// So many of these are run with every test; `CUT_SEEDS` asks for more.
const SEEDS: u64 = 300;

/// A sequence of numbers that a seed decides (splitmix64).
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// One that has nothing to do with what comes from here later.
    fn fork(&mut self) -> Self {
        Self(self.next())
    }
}

/// Makes connections that are cut after some bytes, until there were enough of them.
struct Cutting {
    server: Server,
    plan: Arc<Mutex<Plan>>,
}

struct Plan {
    random: Random,
    cuts: u64,
    made: u64,
    /// The ends of connections that the server is to believe alive.
    half_open: Vec<DuplexStream>,
}

impl Plan {
    /// How many bytes may be read and written.
    fn allowance(&mut self) -> (u64, u64) {
        self.made += 1;
        if self.made > self.cuts {
            return (u64::MAX, u64::MAX);
        }
        // Some within the greeting, most while calls run, one side mostly long before the other.
        let mut some = || {
            let exponent = 3 + self.random.below(16);
            self.random.below(1 << exponent)
        };
        (some(), some())
    }
}

struct Fragile {
    plan: Arc<Mutex<Plan>>,
    pipe: Option<DuplexStream>,
    reads: u64,
    writes: u64,
}

impl Cutting {
    fn make(&self, info: ConnectInfo) -> Fragile {
        let (near, far) = tokio::io::duplex(16 << 10);
        tokio::spawn(self.server.serve_connection(far, info));
        let (reads, writes) = self.plan.lock().unwrap().allowance();
        Fragile {
            plan: self.plan.clone(),
            pipe: Some(near),
            reads,
            writes,
        }
    }
}

impl Fragile {
    /// The connection is lost: mostly both sides see that, and otherwise the client alone.
    fn cut(&mut self) {
        let Some(pipe) = self.pipe.take() else { return };
        let mut plan = self.plan.lock().unwrap();
        if plan.random.below(3) == 0 {
            plan.half_open.push(pipe);
        }
    }
}

impl Connector for Cutting {
    type Io = Fragile;

    async fn connect(&self) -> io::Result<Fragile> {
        Ok(self.make(ConnectInfo::new()))
    }

    async fn connect_again(&self) -> io::Result<Option<Fragile>> {
        Ok(Some(self.make(ConnectInfo::new().with_client_coming_back())))
    }
}

impl AsyncRead for Fragile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = usize::try_from(self.reads)
            .unwrap_or(usize::MAX)
            .min(buffer.remaining());
        if most == 0 {
            self.cut();
        }
        let Some(pipe) = &mut self.pipe else {
            return Poll::Ready(Ok(()));
        };
        let mut part = buffer.take(most);
        let polled = Pin::new(pipe).poll_read(cx, &mut part);
        let read = part.filled().len();
        // What was read is initialised, in the part and so in the whole.
        let filled = part.filled().to_vec();
        buffer.put_slice(&filled);
        self.reads -= read as u64;
        polled
    }
}

impl AsyncWrite for Fragile {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let most = usize::try_from(self.writes)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        if most == 0 && !bytes.is_empty() {
            self.cut();
        }
        let Some(pipe) = &mut self.pipe else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let polled = Pin::new(pipe).poll_write(cx, &bytes[..most]);
        if let Poll::Ready(Ok(written)) = &polled {
            self.writes -= *written as u64;
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.pipe {
            Some(pipe) => Pin::new(pipe).poll_flush(cx),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.pipe {
            Some(pipe) => Pin::new(pipe).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

/// An item with a body of some length: mostly short, now and then longer than a frame, which then comes in parts.
fn padded(number: u64, random: &mut Random) -> Item {
    let length = match random.below(20) {
        0 => random.below(300_000),
        1..5 => random.below(20_000),
        _ => random.below(200),
    };
    Item {
        number,
        padding: vec![number as u8; length as usize].into(),
    }
}

async fn pause(random: &mut Random) {
    if random.below(3) == 0 {
        tokio::time::sleep(Duration::from_millis(random.below(100))).await;
    }
}

fn items(count: u64, random: Random) -> impl stream::Stream<Item = Item> + Send + Unpin {
    Box::pin(stream::unfold(
        (0, random),
        move |(number, mut random)| async move {
            if number == count {
                return None;
            }
            pause(&mut random).await;
            Some((padded(number, &mut random), (number + 1, random)))
        },
    ))
}

/// Makes one call of a random kind, and sees to it that it comes to what it should.
async fn call(client: Client, line: Line, mut random: Random) {
    pause(&mut random).await;
    let count = random.below(40);
    match random.below(4) {
        0 => {
            let release = line.release.clone();
            let asked = padded(0, &mut random);
            let releasing = async {
                tokio::time::sleep(Duration::from_millis(random.below(2_000))).await;
                // The calls of others may wait as well, and this one may not have begun.
                loop {
                    release.notify_waiters();
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            let answer = client.unary::<Item>(method("Wait"), &asked).wait_for_ready();
            tokio::select! {
                answer = answer => drop(answer.expect("goes on")),
                () = releasing => {}
            }
        }
        1 => {
            let asked = padded(count, &mut random);
            let answers = client
                .server_streaming::<Item>(method("Count"), &asked)
                .wait_for_ready()
                .await;
            let mut answers = answers.expect("goes on");
            for number in 0..count {
                let answer = answers.next().await.expect("has not ended").expect("goes on");
                assert_eq!((answer.number, &answer.padding), (number, &asked.padding));
                pause(&mut random).await;
            }
            assert!(answers.next().await.is_none());
        }
        2 => {
            let sent = items(count, random.fork());
            let answer = client
                .client_streaming::<_, Item>(method("Take"), sent)
                .wait_for_ready()
                .await;
            assert_eq!(answer.expect("goes on").number, count);
        }
        _ => {
            let sent = items(count, random.fork());
            let echoes = client
                .bidirectional::<_, Item>(method("Echo"), sent)
                .wait_for_ready()
                .await;
            let echoed = numbers(echoes.expect("goes on")).await;
            assert_eq!(echoed, (0..count).collect::<Vec<_>>());
        }
    }
}

/// Gives how often the session was resumed.
async fn run(seed: u64) -> u64 {
    let mut random = Random(seed);
    let line = Line::default();
    let compress_above = Some(100).filter(|_| random.below(2) == 0);
    let server = Server::builder().service(line.clone()).limits(Limits {
        compress_above,
        ..replaying()
    });
    let plan = Arc::new(Mutex::new(Plan {
        random: random.fork(),
        cuts: random.below(12),
        made: 0,
        half_open: Vec::new(),
    }));
    let connector = Cutting {
        server: server.build().unwrap(),
        plan: plan.clone(),
    };
    // A dozen cuts in a row are not to take longer than a session waits, and what a seed decides is not to depend on chance.
    let reconnect = Reconnect {
        longest: Duration::from_secs(2),
        jitter: false,
        ..Reconnect::default()
    };
    let client = Client::from_connector(connector).keeping().reconnect(reconnect);
    let client = match compress_above {
        Some(bytes) => client.compress_above(bytes),
        None => client,
    };
    let client = client.lazy().unwrap();
    // The first connection may be cut before the server has said that it keeps calls: they begin when it has.
    client.greeted().await.expect("is greeted");
    let calls = 1 + random.below(12);
    let all = join_all((0..calls).map(|_| {
        let (client, line, random) = (client.clone(), line.clone(), random.fork());
        patient(call(client, line, random))
    }));
    all.await;
    assert_eq!(line.begun() as u64, calls, "each is begun once");
    plan.lock().unwrap().made - 1
}

/// A run that hangs is one that fails, on the paused clock.
async fn patient<T>(call: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(3_600), call).await;
    waited.expect("has an end")
}

#[test]
fn whatever_is_cut_calls_of_all_kinds_come_to_what_they_should() {
    let mut resumed = 0;
    let seeds = std::env::var("CUT_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok());
    for seed in 0..seeds.unwrap_or(SEEDS) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(run(seed))));
        resumed += result.unwrap_or_else(|_| panic!("seed {seed}"));
    }
    assert!(resumed > 2 * SEEDS, "{resumed} resumes");
}
