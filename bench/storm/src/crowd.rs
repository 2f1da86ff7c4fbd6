//! The crowd's process: clients that rest, lose their connections at one moment, and come back as the project's own client
//! does.

use crate::files::{self, Side, text};
use crate::light::{self, Answer};
use rpc_bench_measure::say_json;
use rpc_runtime::Reconnect;
use serde::{Deserialize, Serialize};
use std::io;
use std::io::BufRead;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// As long as the project's client waits for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// So many clients of a thread are at work on their handshakes at a time. In the world each has a processor of its own; here all
/// have one, and where each did a little in turn, none would send its request before thousands had connected: the server would
/// see nothing but slow clients.
const AT_WORK: usize = 64;
/// A client that has not been answered by then waits for the server, and is at work no more.
const WORK: Duration = Duration::from_millis(20);
/// A connection that has lived so long was a success, and waits begin anew after it.
const SUCCESS: Duration = Duration::from_secs(5);
/// How often it is looked whether all are back, or are to be cut.
const LOOK: Duration = Duration::from_millis(10);

/// How a crowd came, since it was last told to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Came {
    /// How many are connected.
    pub(crate) connected: u64,
    /// When each was greeted, in milliseconds, in order.
    pub(crate) at_ms: Vec<u32>,
    /// Answers with 503.
    pub(crate) crowded: u64,
    /// Answers with 429.
    pub(crate) too_often: u64,
    /// Handshakes that ended without an answer.
    pub(crate) failed: u64,
    /// Those that were not answered in time.
    pub(crate) late: u64,
    /// Connections that were lost for another reason than being cut.
    pub(crate) lost: u64,
}

/// What all clients share.
struct Crowd {
    server: SocketAddr,
    policy: Reconnect,
    /// How often connections were cut.
    cuts: AtomicU64,
    since: Mutex<Instant>,
    at_ms: Mutex<Vec<u32>>,
    connected: AtomicU64,
    crowded: AtomicU64,
    too_often: AtomicU64,
    failed: AtomicU64,
    late: AtomicU64,
    lost: AtomicU64,
}

/// Starts that many clients, and has them come at `rate` per second. Prints a [`Came`] once all have come, or `within` is
/// over; then after each line of standard input: `cut` has all clients lose their connections, `wait` leaves that to the server.
pub(crate) fn run(
    server: SocketAddr,
    clients: u32,
    rate: f64,
    within: Duration,
    nice: i32,
) -> Result<(), String> {
    files::place(Side::Clients)?;
    files::allow_most()?;
    // The callers, who are measured, share the processor with a crowd that in the world is spread over as many machines.
    rustix::process::setpriority_process(None, nice).map_err(text)?;
    let crowd = Arc::new(Crowd {
        server,
        policy: Reconnect::default(),
        cuts: AtomicU64::new(0),
        since: Mutex::new(Instant::now()),
        at_ms: Mutex::default(),
        connected: AtomicU64::new(0),
        crowded: AtomicU64::new(0),
        too_often: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        late: AtomicU64::new(0),
        lost: AtomicU64::new(0),
    });
    let threads = files::threads(clients as usize);
    for thread in 0..threads {
        let crowd = crowd.clone();
        files::spawn(move || async move {
            let (cut, work) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(AT_WORK)));
            for number in (0..clients).skip(thread).step_by(threads) {
                let first = Duration::from_secs_f64(f64::from(number) / rate);
                tokio::spawn(live(crowd.clone(), cut.clone(), work.clone(), number, first));
            }
            crowd.cut_when_told(&cut).await
        });
    }
    say_json(&crowd.watch(clients, within)?)?;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(text)?;
        crowd.begin();
        if line == "cut" {
            crowd.cuts.fetch_add(1, Relaxed);
        }
        say_json(&crowd.watch(clients, within)?)?;
    }
    Ok(())
}

impl Crowd {
    /// What follows is counted anew.
    fn begin(&self) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.at_ms.lock().unwrap_or_else(PoisonError::into_inner).clear();
        for count in [
            &self.crowded,
            &self.too_often,
            &self.failed,
            &self.late,
            &self.lost,
        ] {
            count.store(0, Relaxed);
        }
    }

    /// Cuts one thread's connections each time that all are to be cut. It looks, rather than being woken: what wakes a runtime
    /// is a file of its own thread's table.
    async fn cut_when_told(&self, cut: &Notify) -> Result<(), String> {
        let mut done = 0;
        loop {
            tokio::time::sleep(LOOK).await;
            let told = self.cuts.load(Relaxed);
            if told != done {
                done = told;
                cut.notify_waiters();
            }
        }
    }

    /// Waits until all have come, and gives how.
    fn watch(&self, clients: u32, within: Duration) -> Result<Came, String> {
        let began = Instant::now();
        loop {
            std::thread::sleep(LOOK);
            let at_ms = self.at_ms.lock().unwrap_or_else(PoisonError::into_inner);
            let connected = self.connected.load(Relaxed);
            let all = connected == u64::from(clients) && at_ms.len() >= clients as usize;
            if !all && began.elapsed() < within {
                continue;
            }
            return Ok(Came {
                connected,
                at_ms: at_ms.clone(),
                crowded: self.crowded.load(Relaxed),
                too_often: self.too_often.load(Relaxed),
                failed: self.failed.load(Relaxed),
                late: self.late.load(Relaxed),
                lost: self.lost.load(Relaxed),
            });
        }
    }

    fn came(&self) {
        self.connected.fetch_add(1, Relaxed);
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let at = u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX);
        self.at_ms.lock().unwrap_or_else(PoisonError::into_inner).push(at);
    }
}

/// One client: it connects, rests until the connection is gone, and comes back, for ever.
async fn live(crowd: Arc<Crowd>, cut: Arc<Notify>, work: Arc<Semaphore>, number: u32, first: Duration) {
    let source = light::source(number);
    let mut attempt = 0;
    tokio::time::sleep(first).await;
    loop {
        let mut asked = Duration::ZERO;
        // Boxed: a handshake takes far more room than an idle connection, and most are idle.
        match Box::pin(connect(crowd.server, source, &work)).await {
            Ok(Ok(Answer::Open(mut idle))) => {
                let since = Instant::now();
                let mut cut = pin!(cut.notified());
                crowd.came();
                tokio::select! {
                    () = &mut cut => {}
                    _ = idle.rest() => {
                        crowd.lost.fetch_add(1, Relaxed);
                    }
                }
                drop(idle);
                crowd.connected.fetch_sub(1, Relaxed);
                if since.elapsed() >= SUCCESS {
                    attempt = 0;
                }
            }
            Ok(Ok(Answer::Refused { status, after })) => {
                asked = after;
                let count = match status {
                    503 => &crowd.crowded,
                    429 => &crowd.too_often,
                    _ => &crowd.failed,
                };
                count.fetch_add(1, Relaxed);
            }
            Ok(Err(_)) => {
                crowd.failed.fetch_add(1, Relaxed);
            }
            Err(_) => {
                crowd.late.fetch_add(1, Relaxed);
            }
        }
        attempt += 1;
        tokio::time::sleep(crowd.policy.wait(attempt, asked)).await;
    }
}

/// One handshake, within the time that the project's client takes for it.
async fn connect(
    server: SocketAddr,
    source: Ipv4Addr,
    work: &Semaphore,
) -> Result<io::Result<Answer>, Elapsed> {
    // It is never closed; and who waits for the processor is not late for the server.
    let at_work = work.acquire().await.ok();
    let mut connecting = pin!(timeout(CONNECT_TIMEOUT, light::connect(server, source)));
    if let Ok(answered) = timeout(WORK, &mut connecting).await {
        return answered;
    }
    drop(at_work);
    connecting.await
}
