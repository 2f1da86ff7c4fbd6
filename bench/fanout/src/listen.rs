//! The subscribers' process of the fan-out: connects all of them, lets the server publish as fast as they receive, and
//! measures a window in the middle.

use crate::crowd::Crowd;
use crate::loaded::Loaded;
use crate::peers::Peer;
use clap::Args;
use rpc_bench_measure::{CpuClock, Placement, Side, allow_files, say_json, text};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Standard streams, and what the runtime opens.
const OTHER_FILES: u64 = 100;
/// How a server is to be loaded.
#[derive(Clone, Debug, Args)]
pub(crate) struct Load {
    /// Whose server.
    pub(crate) peer: Peer,
    #[command(flatten)]
    pub(crate) server: Loaded,
    /// How many subscribers.
    #[arg(long)]
    pub(crate) subscribers: usize,
    /// Events under way: the next is published when the one so far back has reached all.
    #[arg(long)]
    pub(crate) in_flight: u64,
    /// Milliseconds that are measured, after a third as many.
    #[arg(long)]
    pub(crate) window_ms: u64,
    /// Where the process may run.
    #[arg(long, value_enum)]
    pub(crate) placement: Placement,
}

/// What was measured within the window.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Events that subscribers received.
    pub(crate) deliveries: u64,
    /// Length of the window.
    pub(crate) seconds: f64,
    /// CPU time of the server.
    pub(crate) server_cpu_ns: u64,
    /// CPU time of the subscribers.
    pub(crate) client_cpu_ns: u64,
    /// Half of the deliveries took at most so many nanoseconds from publishing.
    pub(crate) p50_ns: u32,
    /// 99 of 100 of them.
    pub(crate) p99_ns: u32,
}

impl Measured {
    /// Server CPU, in microseconds for a delivery.
    pub(crate) fn server_us(&self) -> f64 {
        self.server_cpu_ns as f64 / 1_000.0 / self.deliveries as f64
    }

    /// Subscribers' CPU, in microseconds for a delivery.
    pub(crate) fn client_us(&self) -> f64 {
        self.client_cpu_ns as f64 / 1_000.0 / self.deliveries as f64
    }

    /// Deliveries per second.
    pub(crate) fn rate(&self) -> f64 {
        self.deliveries as f64 / self.seconds
    }

    /// The 99th percentile of the deliveries, in milliseconds.
    pub(crate) fn p99_ms(&self) -> f64 {
        f64::from(self.p99_ns) / 1_000_000.0
    }

    /// Their median, in milliseconds.
    pub(crate) fn p50_ms(&self) -> f64 {
        f64::from(self.p50_ns) / 1_000_000.0
    }
}

/// Lets this process have a file open for each subscriber.
pub(crate) fn allow(subscribers: usize) -> Result<(), String> {
    let needed = subscribers as u64 + OTHER_FILES;
    let allowed = allow_files(needed).map_err(text)?;
    match allowed >= needed {
        true => Ok(()),
        false => Err(format!(
            "{needed} open files are needed and {allowed} are allowed: raise the limit (`ulimit -Hn`), or have fewer subscribers"
        )),
    }
}

/// Connects, measures, and prints [`Measured`].
pub(crate) fn run(load: &Load) -> Result<(), String> {
    load.placement.place(Side::Client)?;
    allow(load.subscribers)?;
    let mut crowd = load.server.crowd(load.peer)?;
    crowd.connect(load.subscribers)?;
    let measured = load.measure(&mut crowd)?;
    crowd.settle()?;
    say_json(&measured)
}

/// What was so at one end of the window.
#[derive(Clone, Copy, Debug)]
struct At {
    deliveries: u64,
    when: Instant,
    server: Duration,
    client: Duration,
}

impl Load {
    /// Measures the window.
    fn measure(&self, crowd: &mut Crowd) -> Result<Measured, String> {
        let server = self.server.cpu()?;
        let client = CpuClock::of(std::process::id()).map_err(text)?;
        let at = |deliveries| -> Result<At, String> {
            Ok(At {
                deliveries,
                when: Instant::now(),
                server: server.now().map_err(text)?,
                client: client.now().map_err(text)?,
            })
        };
        let window = Duration::from_millis(self.window_ms);
        let begin = Instant::now() + window / 3;
        let mut before: Option<At> = None;
        let mut latencies: Vec<u32> = Vec::new();
        crowd.allow(self.in_flight)?;
        loop {
            let measures = before.is_some();
            crowd.receive(|took| {
                if measures {
                    latencies.push(u32::try_from(took).unwrap_or(u32::MAX));
                }
            })?;
            match before {
                None if Instant::now() >= begin => before = Some(at(crowd.deliveries())?),
                Some(before) if before.when.elapsed() >= window => {
                    let after = at(crowd.deliveries())?;
                    return Measured::of(before, after, latencies);
                }
                _ => {}
            }
            crowd.allow(crowd.reached() + self.in_flight)?;
        }
    }
}

impl Measured {
    fn of(before: At, after: At, mut latencies: Vec<u32>) -> Result<Self, String> {
        if latencies.is_empty() {
            return Err("nothing was delivered within the window".to_owned());
        }
        latencies.sort_unstable();
        let percentile = |part: usize| latencies[(latencies.len() * part).div_ceil(100) - 1];
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).map_err(text);
        Ok(Self {
            deliveries: after.deliveries - before.deliveries,
            seconds: (after.when - before.when).as_secs_f64(),
            server_cpu_ns: nanoseconds(after.server - before.server)?,
            client_cpu_ns: nanoseconds(after.client - before.client)?,
            p50_ns: percentile(50),
            p99_ns: percentile(99),
        })
    }
}
