//! The callers' process: a few connections that stay, call at a steady rate, and tell how long the answers took.

use crate::SteadyClient;
use crate::contracts::Beat;
use crate::files::{self, Side, text};
use rpc_bench_measure::say_json;
use rpc_runtime::bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::io::BufRead;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Bytes of a call's payload, each way.
const PAYLOAD: usize = 70;

/// How long calls took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// How many were answered.
    pub(crate) calls: usize,
    /// Half of them took at most so many microseconds.
    pub(crate) p50_us: f64,
    /// And 99 of 100 of them.
    pub(crate) p99_us: f64,
    /// All of them.
    pub(crate) most_us: f64,
    /// And 99 of 100 of those that were begun a second after the first, and later.
    pub(crate) p99_later_us: f64,
    /// The 99th percentile of each second's.
    pub(crate) p99_by_second: Vec<f64>,
}

/// When calls were made, and how long they took.
#[derive(Debug, Default)]
struct Calls(Mutex<Vec<(Instant, Duration)>>);

/// Calls `rate` times a second over `connections`, for ever. At each line of standard input prints [`Taken`] of the calls since
/// the last one.
pub(crate) fn run(server: SocketAddr, connections: u32, rate: f64) -> Result<(), String> {
    files::place(Side::Clients)?;
    let calls = Arc::new(Calls::default());
    let counting = calls.clone();
    std::thread::spawn(move || {
        let ended = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(text)
            .and_then(|runtime| runtime.block_on(call_all(server, connections, rate, counting)));
        if let Err(error) = ended {
            // Those that stayed did not stay.
            eprintln!("rpc-storm-bench: a caller: {error}");
            std::process::exit(1);
        }
    });
    for line in std::io::stdin().lock().lines() {
        line.map_err(text)?;
        let taken = std::mem::take(&mut *calls.0.lock().unwrap_or_else(PoisonError::into_inner));
        say_json(&Taken::of(taken))?;
    }
    Ok(())
}

async fn call_all(server: SocketAddr, connections: u32, rate: f64, calls: Arc<Calls>) -> Result<(), String> {
    let each = Duration::from_secs_f64(f64::from(connections) / rate);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..connections {
        let client = SteadyClient::connect(&format!("ws://{server}/rpc"))
            .await
            .map_err(text)?;
        let first = Instant::now() + each * number / connections;
        tasks.spawn(call_steadily(client, first, each, calls.clone()));
    }
    match tasks.join_next().await {
        Some(ended) => ended.map_err(text)?,
        None => Err("there are no callers".to_owned()),
    }
}

async fn call_steadily(
    client: SteadyClient,
    first: Instant,
    each: Duration,
    calls: Arc<Calls>,
) -> Result<(), String> {
    let payload = Bytes::from(vec![b'x'; PAYLOAD]);
    let (mut due, mut answered) = (first, first);
    for number in 0.. {
        sleep_until(due).await;
        // A call that had to wait for the one before it has waited; what a timer is late by is no fault of the server's.
        let began = if answered > due { due } else { Instant::now() };
        let beat = Beat {
            number,
            payload: payload.clone(),
        };
        let answer = client.beat(beat).await.map_err(text)?;
        answered = Instant::now();
        if answer.number != number || answer.payload.len() != PAYLOAD {
            return Err("an answer is not the request's".to_owned());
        }
        calls
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((began, answered - began));
        due += each;
    }
    Ok(())
}

impl Taken {
    fn of(mut calls: Vec<(Instant, Duration)>) -> Self {
        calls.sort_unstable_by_key(|(began, _)| *began);
        let mut seconds: Vec<Vec<Duration>> = Vec::new();
        if let Some(&(first, _)) = calls.first() {
            for &(began, took) in &calls {
                let second = usize::try_from((began - first).as_secs()).unwrap_or_default();
                if second >= seconds.len() {
                    seconds.resize_with(second + 1, Vec::new);
                }
                seconds[second].push(took);
            }
        }
        let mut later: Vec<Duration> = seconds.iter().skip(1).flatten().copied().collect();
        later.sort_unstable();
        let mut all: Vec<Duration> = calls.into_iter().map(|(_, took)| took).collect();
        all.sort_unstable();
        Self {
            calls: all.len(),
            p50_us: percentile(&all, 50),
            p99_us: percentile(&all, 99),
            p99_later_us: percentile(&later, 99),
            most_us: percentile(&all, 100),
            p99_by_second: seconds
                .into_iter()
                .map(|mut second| {
                    second.sort_unstable();
                    percentile(&second, 99)
                })
                .collect(),
        }
    }
}

/// What so many of 100 are not above, in microseconds; NaN of none.
fn percentile(sorted: &[Duration], part: usize) -> f64 {
    let at = (sorted.len() * part).div_ceil(100).max(1) - 1;
    sorted
        .get(at)
        .map_or(f64::NAN, |took| took.as_nanos() as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_all_calls_and_of_each_second() {
        let began = Instant::now();
        let calls = (0..2_000_u64).map(|number| {
            let took = if number < 1_000 { number + 1 } else { 5_000 };
            (began + Duration::from_millis(number), Duration::from_micros(took))
        });
        let taken = Taken::of(calls.rev().collect());
        assert_eq!(
            (taken.calls, taken.p50_us, taken.p99_us),
            (2_000, 1_000.0, 5_000.0)
        );
        assert_eq!(taken.p99_by_second, [990.0, 5_000.0]);
        let later = (0..3_000_u64).map(|number| {
            let took = if number < 1_000 { 9_000 } else { number };
            (began + Duration::from_millis(number), Duration::from_micros(took))
        });
        let taken = Taken::of(later.collect());
        assert_eq!((taken.p99_us, taken.p99_later_us), (9_000.0, 2_979.0));
    }

    #[test]
    fn of_no_calls_nothing_is_said() {
        assert!(Taken::of(Vec::new()).p99_us.is_nan());
    }
}
