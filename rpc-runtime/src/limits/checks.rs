//! What a value of a limit has to be, whatever has the limit.

use std::time::Duration;

use crate::router::StartError;

/// Refuses a value that is too low.
pub(crate) fn check_least(limits: &[(&'static str, usize, usize)]) -> Result<(), StartError> {
    for &(limit, value, least) in limits {
        if value < least {
            return Err(StartError::Limit {
                limit,
                problem: format!("is {value} and must be at least {least}"),
            });
        }
    }
    Ok(())
}

/// What may be kept of frames of calls, where it is not nothing: streams write no further from the half on, and what some of
/// them have written by then (a longest frame of each of two, and of small ones as much as a turn has time for) is to fit into the
/// rest ...
const LEAST_REPLAY: usize = 1 << 20;

/// ... and it is kept for every session that does not acknowledge.
const MOST_REPLAY: usize = 1 << 30;

/// Refuses a bound on what is kept of frames of calls with which nothing could be kept, or no end of it.
pub(crate) fn check_replay(replay_bytes: usize) -> Result<(), StartError> {
    if replay_bytes == 0 || (LEAST_REPLAY..=MOST_REPLAY).contains(&replay_bytes) {
        return Ok(());
    }
    Err(StartError::Limit {
        limit: "replay_bytes",
        problem: format!("is {replay_bytes} and must be 0, or between {LEAST_REPLAY} and {MOST_REPLAY}"),
    })
}

/// Refuses a time that is none.
pub(crate) fn check_times(limits: &[(&'static str, Duration)]) -> Result<(), StartError> {
    for &(limit, value) in limits {
        if value.is_zero() {
            return Err(StartError::Limit {
                limit,
                problem: "is no time at all".to_owned(),
            });
        }
    }
    Ok(())
}

/// Longer than anybody waits: a hundred years. It keeps sums of times far from what clocks can hold.
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Refuses a time that stands for none, such as `Duration::MAX`: a clock cannot hold it.
pub(crate) fn check_finite(limits: &[(&'static str, Duration)]) -> Result<(), StartError> {
    for &(limit, value) in limits {
        if value > LONGEST {
            return Err(StartError::Limit {
                limit,
                problem: "is longer than a hundred years: give it a time that ends".to_owned(),
            });
        }
    }
    Ok(())
}
