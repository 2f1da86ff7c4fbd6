//! Whether a series of samples is flat, and whether what was used was given back.

use std::fmt;

/// What is left may be so much above what was there at first.
const TOLERANCE: f64 = 0.05;

/// How resident memory went, in KiB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Course {
    /// The median of the first fifth of the samples.
    pub(crate) first: f64,
    /// The median of the last fifth.
    pub(crate) last: f64,
    /// KiB per minute, by least squares over all samples.
    pub(crate) slope: f64,
}

impl Course {
    /// The course of samples (seconds, KiB); `None` of fewer than five.
    pub(crate) fn of(samples: &[(f64, f64)]) -> Option<Self> {
        let fifth = samples.len() / 5;
        if fifth == 0 {
            return None;
        }
        let count = samples.len() as f64;
        let mean = |pick: fn(&(f64, f64)) -> f64| samples.iter().map(pick).sum::<f64>() / count;
        let (time, memory) = (mean(|sample| sample.0), mean(|sample| sample.1));
        let covariance: f64 = samples.iter().map(|(t, m)| (t - time) * (m - memory)).sum();
        let variance: f64 = samples.iter().map(|(t, _)| (t - time).powi(2)).sum();
        Some(Self {
            first: median(&samples[..fifth]),
            last: median(&samples[samples.len() - fifth..]),
            slope: covariance / variance * 60.0,
        })
    }

    /// Whether the last is no more than 5 % above the first.
    pub(crate) fn is_flat(&self) -> bool {
        self.last <= self.first * (1.0 + TOLERANCE)
    }
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "median {:.1} MiB in the first fifth, {:.1} MiB in the last ({:+.1} %), slope {:+.0} KiB per minute",
            self.first / 1024.0,
            self.last / 1024.0,
            (self.last / self.first - 1.0) * 100.0,
            self.slope
        )
    }
}

/// Whether `after` is no more than 5 % above `before`.
pub(crate) fn is_given_back(before: u64, after: u64) -> bool {
    after as f64 <= before as f64 * (1.0 + TOLERANCE)
}

fn median(samples: &[(f64, f64)]) -> f64 {
    let mut sorted: Vec<f64> = samples.iter().map(|sample| sample.1).collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_swings_is_flat_and_what_leaks_is_not() {
        let series =
            |memory: fn(f64) -> f64| -> Vec<_> { (0..600).map(f64::from).map(|t| (t, memory(t))).collect() };
        let swinging = Course::of(&series(|t| 20_000.0 + 900.0 * (t / 7.0).sin())).expect("a course");
        assert!(swinging.is_flat(), "{swinging}");
        // 3 KiB a second on 20 MiB.
        let leaking = Course::of(&series(|t| 20_000.0 + 3.0 * t)).expect("a course");
        assert!(!leaking.is_flat(), "{leaking}");
        assert!((leaking.slope - 180.0).abs() < 1e-6);
    }

    #[test]
    fn one_descriptor_of_twelve_is_a_leak() {
        assert!(is_given_back(12, 12) && is_given_back(12, 11) && !is_given_back(12, 13));
    }
}
