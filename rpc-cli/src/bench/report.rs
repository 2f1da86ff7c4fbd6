//! What was measured, as it is printed.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::tally::Tally;
use crate::cli::BenchArgs;
use crate::output::{HEAD, NAME, QUIET, count_of, grouped, one_line};

/// The percentiles that are said.
const PERCENTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

/// From here on the rate may be that of this thread.
const BUSY: f64 = 0.9;

/// All that is known when it is over.
pub(super) struct Report<'a> {
    pub(super) args: &'a BenchArgs,
    pub(super) method: String,
    pub(super) interrupted: bool,
    /// Which part of the time this program's thread has worked.
    pub(super) busy: Option<f64>,
    pub(super) tally: Tally,
}

impl Report<'_> {
    /// For people.
    pub(super) fn text(&self) -> String {
        let (args, tally) = (self.args, &self.tally);
        let mut lines = vec![
            format!("{HEAD}{}{HEAD:#}", one_line(&self.method)),
            fact("load", &self.load()),
            fact("rate", &format!("{} calls per second", rate_text(tally.rate()))),
            fact("status", &self.statuses()),
        ];
        if tally.succeeded() > 0 {
            let latencies = self.latencies();
            let row = |cell: &dyn Fn(&(&str, u64)) -> String| {
                let cells = latencies.iter().map(|latency| format!("{:>9}", cell(latency)));
                cells.collect::<String>()
            };
            lines.push(fact("latency", &row(&|(name, _)| (*name).to_owned())));
            lines.push(fact(
                "",
                &row(&|(_, nanos)| time_text(Duration::from_nanos(*nanos))),
            ));
        }
        lines.extend(
            self.remarks()
                .iter()
                .map(|text| format!("{QUIET}{text}{QUIET:#}")),
        );
        if args.rate.is_none() && tally.succeeded() > 0 {
            lines.push(format!(
                "{QUIET}Closed loop: what calls would have waited that were not made meanwhile is not in the latencies; see \
                 --rate.{QUIET:#}"
            ));
        }
        lines.join("\n")
    }

    fn load(&self) -> String {
        let args = self.args;
        let connections = count_of(u64::from(args.connections), "connection");
        let mut text = format!(
            "{} in flight on {connections}, {}",
            grouped(u64::from(args.concurrency) * u64::from(args.connections)),
            time_text(self.tally.time()),
        );
        if args.warm_up > Duration::ZERO {
            text.push_str(&format!(" after {} of warm-up", time_text(args.warm_up)));
        }
        if let Some(rate) = args.rate {
            text = format!("{} per second, at most {text}", grouped(u64::from(rate)));
        }
        text
    }

    fn statuses(&self) -> String {
        let counts = self.counts();
        let texts = counts
            .iter()
            .map(|(name, count)| format!("{name} {}", grouped(*count)));
        texts.collect::<Vec<_>>().join(", ")
    }

    /// How many calls ended with which status.
    fn counts(&self) -> Vec<(&'static str, u64)> {
        let mut counts = vec![("OK", self.tally.succeeded())];
        counts.extend(
            self.tally
                .failed
                .iter()
                .map(|failed| (failed.code.name(), failed.count)),
        );
        counts
    }

    fn latencies(&self) -> Vec<(&'static str, u64)> {
        let latencies = &self.tally.latencies;
        let mut all = vec![("min", latencies.min()), ("mean", latencies.mean() as u64)];
        all.extend(PERCENTILES.map(|(name, part)| (name, latencies.value_at_quantile(part))));
        all.push(("max", latencies.max()));
        all
    }

    /// What else is to be known of these figures.
    fn remarks(&self) -> Vec<String> {
        let tally = &self.tally;
        let mut remarks = Vec::new();
        if tally.not_made > 0 {
            remarks.push(format!(
                "{} that were due were not made in time. What they would have waited is not in the latencies.",
                count_of(tally.not_made, "call")
            ));
        }
        if tally.unanswered() > 0 {
            remarks.push(format!(
                "{} had no answer when it ended.",
                count_of(tally.unanswered(), "call")
            ));
        }
        if let Some(busy) = self.busy.filter(|busy| *busy >= BUSY) {
            remarks.push(format!(
                "This program was busy {:.0} % of the time: the rate may be what one thread can send.",
                busy * 100.0
            ));
        }
        remarks
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let (args, tally) = (self.args, &self.tally);
        let statuses: Map<String, Value> = self
            .counts()
            .into_iter()
            .map(|(name, count)| (name.to_owned(), json!(count)))
            .collect();
        let latencies: Map<String, Value> = self
            .latencies()
            .into_iter()
            .filter(|_| tally.succeeded() > 0)
            .map(|(name, nanos)| (name.to_owned(), json!(nanos as f64 / 1_000.0)))
            .collect();
        json!({
            "method": self.method,
            "connections": args.connections,
            "concurrency": args.concurrency,
            "loop": if args.rate.is_some() { "open" } else { "closed" },
            "ratePerSecondAsked": args.rate,
            "warmUpSeconds": args.warm_up.as_secs_f64(),
            "seconds": tally.time().as_secs_f64(),
            "calls": tally.begun,
            "ratePerSecond": tally.rate(),
            "statuses": statuses,
            "latencyMicros": latencies,
            "notMade": tally.not_made,
            "unanswered": tally.unanswered(),
            "clientBusy": self.busy,
            "interrupted": self.interrupted,
        })
    }
}

/// How far it is.
pub(super) fn progress(tally: &Tally, measured: Duration) -> String {
    let latency = match tally.succeeded() {
        0 => String::new(),
        _ => format!(
            ", p99 {}",
            time_text(Duration::from_nanos(tally.latencies.value_at_quantile(0.99)))
        ),
    };
    format!(
        "{} s: {} calls per second{latency}",
        measured.as_secs(),
        rate_text(tally.rate())
    )
}

fn fact(name: &str, text: &str) -> String {
    format!("  {NAME}{name:8}{NAME:#} {text}")
}

/// Whole where it is large, else with enough digits to be told from others.
fn rate_text(rate: f64) -> String {
    match rate {
        rate if rate >= 100.0 => grouped(rate.round() as u64),
        rate => format!("{rate:.2}"),
    }
}

/// A time with three digits.
fn time_text(time: Duration) -> String {
    let (value, unit) = match time.as_secs_f64() {
        seconds if seconds < 1e-3 => (seconds * 1e6, "µs"),
        seconds if seconds < 1.0 => (seconds * 1e3, "ms"),
        seconds => (seconds, "s"),
    };
    let digits = match value {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_rates_as_many_as_tell_them_apart() {
        for (nanos, expected) in [
            (0, "0.00 µs"),
            (512, "0.51 µs"),
            (51_234, "51.2 µs"),
            (512_345, "512 µs"),
            (1_234_567, "1.23 ms"),
            (45_600_000, "45.6 ms"),
            (12_345_000_000, "12.3 s"),
        ] {
            assert_eq!(time_text(Duration::from_nanos(nanos)), expected);
        }
        assert_eq!(
            (rate_text(0.5), rate_text(12_345.6)),
            ("0.50".to_owned(), "12,346".to_owned())
        );
    }
}
