//! The client process of calls beside streams: one connection, one call at a time, and the streams that are asked for.

use super::Traffic;
use crate::peers::Counter;
use crate::streams::items::{Item, Items, Start};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Bytes of one stream.
const STREAM: usize = 64 << 20;
/// Bytes of a call's payload, each way.
pub(crate) const CALL_PAYLOAD: usize = 70;

/// One connection that carries calls and streams; clones share it.
pub(crate) trait MixedClient: Clone + Send + 'static {
    /// Connects to the peer's server.
    fn connect(addr: SocketAddr) -> impl Future<Output = Result<Self, String>> + Send;

    /// Makes one unary call, whose response is its request.
    fn ping(&mut self, item: Item) -> impl Future<Output = Result<Item, String>> + Send;

    /// Takes one stream to its end.
    fn down(
        &mut self,
        start: Start,
        taken: impl FnMut() + Send,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// Sends one stream; gives how many messages came.
    fn up(
        &mut self,
        items: impl Iterator<Item = Item> + Send + 'static,
    ) -> impl Future<Output = Result<u64, String>> + Send;
}

/// What one client process measured.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Latencies {
    /// Half of the calls took at most so many microseconds.
    pub(crate) p50_us: f64,
    /// And 99 of 100 of them.
    pub(crate) p99_us: f64,
    /// Calls per second, one after the other.
    pub(crate) calls_per_second: f64,
    /// What the streams carried meanwhile.
    pub(crate) mib_per_second: f64,
}

/// Measures calls for `window` after `warm_up`, beside `traffic`.
pub(crate) async fn measure_beside<C: MixedClient>(
    addr: SocketAddr,
    traffic: Traffic,
    warm_up: Duration,
    window: Duration,
) -> Result<Latencies, String> {
    let mut client = C::connect(addr).await?;
    let (streams, down, payload) = traffic.streams();
    let counter = Arc::new(Counter::default());
    let mut tasks = JoinSet::new();
    for _ in 0..streams {
        let (client, counter) = (client.clone(), Arc::clone(&counter));
        tasks.spawn(async move {
            let Err(error) = stream_for_ever(client, down, payload, counter).await;
            // A run that lost a stream measures something else.
            eprintln!("load: {error}");
            std::process::exit(1);
        });
    }
    call_for(&mut client, warm_up).await?;
    let (began, before) = (Instant::now(), counter.0.load(Ordering::Relaxed));
    let times = call_for(&mut client, window).await?;
    let carried = (counter.0.load(Ordering::Relaxed) - before) * payload as u64;
    if streams > 0 && carried == 0 {
        return Err("nothing came on the streams".to_owned());
    }
    Latencies::of(times, began.elapsed(), carried)
}

impl Latencies {
    /// Of the times that calls took within so long, beside streams that carried so many bytes.
    pub(crate) fn of(mut times: Vec<Duration>, within: Duration, carried: u64) -> Result<Self, String> {
        if times.is_empty() {
            return Err("no call was answered".to_owned());
        }
        times.sort_unstable();
        let at =
            |part: usize| times[(times.len() * part / 100).min(times.len() - 1)].as_nanos() as f64 / 1_000.0;
        Ok(Self {
            p50_us: at(50),
            p99_us: at(99),
            calls_per_second: times.len() as f64 / within.as_secs_f64(),
            mib_per_second: carried as f64 / within.as_secs_f64() / f64::from(1 << 20),
        })
    }
}

/// Calls, one after the other, for so long; gives how long each took.
async fn call_for<C: MixedClient>(client: &mut C, time: Duration) -> Result<Vec<Duration>, String> {
    let payload = Bytes::from(vec![b'x'; CALL_PAYLOAD]);
    let mut times = Vec::with_capacity(1 << 16);
    let until = Instant::now() + time;
    loop {
        let began = Instant::now();
        if began >= until {
            return Ok(times);
        }
        let number = times.len() as u64;
        let item = Item {
            number,
            payload: payload.clone(),
        };
        let answer = client.ping(item).await?;
        times.push(began.elapsed());
        if answer.number != number || answer.payload.len() != CALL_PAYLOAD {
            return Err("an answer is not the request's".to_owned());
        }
    }
}

/// Runs one stream after the other.
async fn stream_for_ever<C: MixedClient>(
    mut client: C,
    down: bool,
    payload: usize,
    counter: Arc<Counter>,
) -> Result<std::convert::Infallible, String> {
    let items = (STREAM / payload) as u64;
    loop {
        if down {
            let start = Start {
                payload: payload as u64,
                items,
            };
            client.down(start, || counter.add(1)).await?;
        } else {
            let counter = Arc::clone(&counter);
            let mut sent = Items::new(payload as u64, items);
            let sending = std::iter::from_fn(move || {
                let item = sent.take::<Item>()?;
                counter.add(1);
                Some(item)
            });
            let came = client.up(sending).await?;
            if came != items {
                return Err(format!("{items} messages were sent, and {came} came"));
            }
        }
    }
}
