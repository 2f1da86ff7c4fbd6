//! `rpc bench`: a unary method called again and again, how many calls per second that are, and how long they take.
//!
//! All runs on one thread: `load` has the workers, one for each call that may be in flight, and what they share; `schedule` says
//! when calls are due at a fixed rate; `tally` is what was measured, and `report` how that is printed.

mod load;
mod report;
mod schedule;
mod tally;

use std::cell::Cell;
use std::io::IsTerminal;
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};
use rpc_runtime::{CallError, Client, Code, Encoded};
use tokio::time::{Instant, interval_at, sleep_until};

use crate::call::Prepared;
use crate::cli::BenchArgs;
use crate::failure::{Exit, Failure};
use crate::output::count_of;
use crate::stop::Stop;
use crate::{connect, output};
use load::Load;
use report::Report;
use schedule::Schedule;
use tally::Tally;

/// How long is measured, where neither a time nor a number of calls is given.
const TIME: Duration = Duration::from_secs(10);

/// So many calls may be in flight, over all connections.
const MOST_IN_FLIGHT: u64 = 100_000;

/// So many connections are made at once.
const CONNECTING: usize = 32;

/// When no call has ended for so long, beside what calls may take, it is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is said how far it is, and looked whether anything ends.
const TICK: Duration = Duration::from_secs(1);

/// `rpc bench`
pub(crate) async fn run(args: &BenchArgs) -> Result<(), Failure> {
    let prepared = Prepared::find(&args.method, &args.server).await?;
    prepared.must_be_unary(|_| "unary methods are measured alone".to_owned())?;
    if prepared.method.one_way {
        let text = format!(
            "{} is one way: no answer says how long it takes",
            prepared.method.full_name()
        );
        return Err(Failure::new(Exit::Usage, text));
    }
    let request = prepared.request(args.data.as_deref()).await?;
    if u64::from(args.connections) * u64::from(args.concurrency) > MOST_IN_FLIGHT {
        let text = format!(
            "{} times {} calls would be in flight, which are more than {MOST_IN_FLIGHT}",
            count_of(args.connections.into(), "connection"),
            args.concurrency,
        );
        return Err(Failure::new(Exit::Usage, text).hint("lower --connections or --concurrency"));
    }
    if let Some(greeting) = prepared.client.greeting()
        && greeting.max_streams() < args.concurrency as usize
    {
        output::note(&format!(
            "the server takes {} at a time on a connection: of {}, the others wait on this side, which is measured as well; \
             --connections spreads them",
            count_of(greeting.max_streams() as u64, "call"),
            args.concurrency,
        ));
    }
    let others = stream::iter(1..args.connections).map(|_| connect::client(&args.server));
    let mut clients: Vec<Client> = others.buffer_unordered(CONNECTING).try_collect().await?;
    clients.push(prepared.client.clone());

    let stop = Stop::listen();
    let start = Instant::now();
    let schedule = args.rate.map(|rate| Schedule::new(start, rate));
    if let Some(schedule) = &schedule {
        let paced = schedule.pacer().start();
        paced.map_err(|error| Failure::new(Exit::Failed, format!("there is no thread: {error}")))?;
    }
    let load = Load::new(start + args.warm_up, args.count, schedule)?;
    let call = async |client: &Client| {
        let call = client.unary::<Encoded>(prepared.descriptor, &request);
        call.await.map(drop)
    };
    let deadline = args.server.deadline.or(prepared.method.deadline);
    let patience = PATIENCE.saturating_add(deadline.unwrap_or_default());
    let watch = Watch {
        load: &load,
        time: args.time.or(args.count.is_none().then_some(TIME)),
        patience,
        shown: std::io::stderr().is_terminal(),
        busy_before: Cell::new(None),
    };
    let why = drive(&watch, &stop, &clients, args.concurrency, call).await;
    let report = Report {
        args,
        method: prepared.method.full_name(),
        interrupted: why == Why::Interrupted,
        busy: watch.busy(),
        tally: load.into_tally(),
    };
    output::line(&match args.output.json {
        true => output::compact(&report.json()),
        false => report.text(),
    })?;
    join_all(clients.iter().map(connect::close)).await;
    outcome(&report.tally, why, patience)
}

/// Why it has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Why {
    Done,
    Interrupted,
    /// Calls are in flight, and none ends.
    Silent,
}

/// Lets all workers make calls until they have made enough.
async fn drive<C>(
    watch: &Watch<'_>,
    stop: &Stop,
    clients: &[C],
    concurrency: u32,
    call: impl AsyncFn(&C) -> Result<(), CallError>,
) -> Why {
    // All in one set, of which each is polled when it is woken and not otherwise: what watches costs the calls nothing.
    let mut running = FuturesUnordered::<Pin<Box<dyn Future<Output = Option<Why>> + '_>>>::new();
    for client in clients {
        for _ in 0..concurrency {
            running.push(Box::pin(async {
                watch.load.work(async || call(client).await).await;
                None
            }));
        }
    }
    let mut working = running.len();
    running.push(Box::pin(async {
        stop.asked().await;
        Some(Why::Interrupted)
    }));
    running.push(Box::pin(async {
        watch.until_silence().await;
        Some(Why::Silent)
    }));
    while let Some(ended) = running.next().await {
        match ended {
            Some(why) => {
                // What was due until now and was not made is told, as where the time is over.
                watch.load.time_is_over(Instant::now());
                return why;
            }
            None => working -= 1,
        }
        if working == 0 {
            break;
        }
    }
    Why::Done
}

/// What looks at the clock beside the calls.
struct Watch<'a> {
    load: &'a Load,
    /// How long is measured.
    time: Option<Duration>,
    patience: Duration,
    /// Whether it is said how far it is.
    shown: bool,
    /// How long this thread had worked when measuring began.
    busy_before: Cell<Option<Duration>>,
}

impl Watch<'_> {
    /// Says when the time is over, and how far it is. Ends when calls are in flight and none ends.
    async fn until_silence(&self) {
        let from = self.load.measured_from();
        let begins = pin!(sleep_until(from));
        let (mut begins, mut begun) = (begins, false);
        let ends = pin!(async {
            match self.time {
                Some(time) => {
                    sleep_until(from + time).await;
                    from + time
                }
                None => std::future::pending().await,
            }
        });
        let (mut ends, mut over) = (ends, false);
        let mut ticks = interval_at(Instant::now() + TICK, TICK);
        let (mut answers, mut since) = (0, Instant::now());
        loop {
            tokio::select! {
                biased;
                () = &mut begins, if !begun => {
                    begun = true;
                    self.busy_before.set(busy());
                }
                end = &mut ends, if !over => {
                    over = true;
                    self.load.time_is_over(end);
                }
                now = ticks.tick() => {
                    if self.load.in_flight() == 0 || self.load.answers() != answers {
                        (answers, since) = (self.load.answers(), now);
                    } else if now - since >= self.patience {
                        return;
                    }
                    if self.shown {
                        let measured = now.checked_duration_since(from);
                        output::note(&match measured {
                            Some(measured) => report::progress(&self.load.tally(), measured),
                            None => "warming up".to_owned(),
                        });
                    }
                }
            }
        }
    }

    /// Which part of the time this thread has worked since measuring began.
    fn busy(&self) -> Option<f64> {
        let worked = busy()?.checked_sub(self.busy_before.get()?)?;
        let passed = self.load.measured_from().elapsed().as_secs_f64();
        (passed > 0.0).then(|| (worked.as_secs_f64() / passed).min(1.0))
    }
}

/// How long this thread has worked, and has not waited for anything.
#[cfg(target_has_atomic = "64")]
fn busy() -> Option<Duration> {
    let metrics = tokio::runtime::Handle::current().metrics();
    Some(metrics.worker_total_busy_duration(0))
}

#[cfg(not(target_has_atomic = "64"))]
fn busy() -> Option<Duration> {
    None
}

/// `patience`: how long was waited for calls that do not end.
fn outcome(tally: &Tally, why: Why, patience: Duration) -> Result<(), Failure> {
    if let Some(most) = tally.failed.iter().max_by_key(|failed| failed.count) {
        let text = format!("{} of {} failed", tally.failures(), count_of(tally.ended, "call"));
        return Err(most.first.clone().about(&text));
    }
    if why == Why::Silent {
        let text = format!("no call has ended for {patience:?}");
        let failure = Failure::new(Exit::Status(Code::DeadlineExceeded), text);
        return Err(failure.hint("--deadline says how long a call may take"));
    }
    if why == Why::Done && tally.ended == 0 {
        let text = "no call has ended in the time that was measured";
        return Err(Failure::new(Exit::Status(Code::DeadlineExceeded), text).hint("give it longer by --for"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;
    use tokio::time::sleep;

    use super::*;

    /// One that is told by what stands before it.
    fn stop() -> (watch::Sender<bool>, Stop) {
        let (tell, told) = watch::channel(false);
        (tell, Stop::told_by(told))
    }

    fn watch(load: &Load) -> Watch<'_> {
        Watch {
            load,
            time: Some(Duration::from_secs(3_600)),
            patience: PATIENCE,
            shown: false,
            busy_before: Cell::new(None),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_never_end_are_given_up_and_that_is_a_failure() {
        let start = Instant::now();
        let load = Load::new(start, None, None).unwrap();
        let (_tell, stop) = stop();
        let patience = PATIENCE + 3 * TICK;
        let watch = Watch {
            patience,
            ..watch(&load)
        };
        let why = drive(&watch, &stop, &[()], 2, async |_| std::future::pending().await).await;
        assert_eq!(why, Why::Silent);
        assert!((patience..patience + 2 * TICK).contains(&start.elapsed()));
        let failure = outcome(&load.into_tally(), why, patience).unwrap_err();
        assert!(failure.is(Code::DeadlineExceeded));
        assert_eq!(failure.to_string(), "no call has ended for 33s");
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_were_due_and_not_made_are_told_however_it_ends() {
        for expected in [Why::Interrupted, Why::Silent] {
            let start = Instant::now();
            let schedule = Schedule::new(start, 10);
            let pacer = schedule.pacer();
            let load = Load::new(start, None, Some(schedule)).unwrap();
            let (tell, stop) = stop();
            let watch = watch(&load);
            let never = async |_: &()| std::future::pending().await;
            let told = async {
                if expected == Why::Interrupted {
                    sleep(2 * TICK).await;
                    tell.send_replace(true);
                }
            };
            let pace = async {
                pacer.run().await;
                // It ends when no more calls are wanted.
                std::future::pending().await
            };
            let work = async { tokio::join!(drive(&watch, &stop, &[()], 3, never), told).0 };
            let why = tokio::select! {
                why = work => why,
                () = pace => unreachable!("it goes on"),
            };
            assert_eq!(why, expected);
            let (passed, tally) = (start.elapsed(), load.into_tally());
            assert_eq!(tally.unanswered(), 3);
            // Ten of each second were due, and three were made.
            let due = tally.not_made + 3;
            assert!(passed >= 2 * TICK && due >= 20, "{due} in {passed:?}");
            assert!(
                u128::from(due) <= passed.as_millis() / 100 + 1,
                "{due} in {passed:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_all_end_behind_the_time_are_no_success() {
        let load = Load::new(Instant::now() + TICK, None, None).unwrap();
        let watch = Watch {
            time: Some(TICK),
            ..watch(&load)
        };
        let (_tell, stop) = stop();
        let late = async |_: &()| {
            tokio::time::sleep(3 * TICK).await;
            Ok(())
        };
        assert_eq!(drive(&watch, &stop, &[()], 2, late).await, Why::Done);
        let failure = outcome(&load.into_tally(), Why::Done, PATIENCE).unwrap_err();
        assert!(
            failure.to_string().contains("in the time that was measured"),
            "{failure}"
        );
    }
}
