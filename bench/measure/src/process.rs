//! What the kernel says about a process: CPU time and resident memory.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use std::io;
use std::time::Duration;

/// User and system time of all threads of a process, to the nanosecond, readable while it runs.
#[derive(Clone, Copy, Debug)]
pub struct CpuClock(ClockId);

impl CpuClock {
    /// The clock of the process `pid`.
    pub fn of(pid: u32) -> io::Result<Self> {
        let pid = i32::try_from(pid).map_err(io::Error::other)?;
        Ok(Self(clock_getcpuclockid(Pid::from_raw(pid))?))
    }

    /// The CPU time used so far.
    pub fn now(self) -> io::Result<Duration> {
        Ok(Duration::from(self.0.now()?))
    }
}

/// Lets this process, and those it starts, have `wanted` files open, as far as the system allows; gives how many.
pub fn allow_files(wanted: u64) -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let allowed = wanted.min(hard).max(soft);
    setrlimit(Resource::RLIMIT_NOFILE, allowed, hard)?;
    Ok(allowed)
}

/// Resident memory of the process `pid`, in bytes.
pub fn resident(pid: u32) -> io::Result<u64> {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm"))?;
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    // Linux has pages of 4 KiB on every machine that these benchmarks are run on; the ratio is what is compared.
    pages
        .map(|pages| pages * 4096)
        .ok_or_else(|| io::Error::other("statm has no resident size"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_this_process_advances_with_its_work() {
        let clock = CpuClock::of(std::process::id()).expect("own process");
        let before = clock.now().expect("readable");
        let mut sum = 0_u64;
        for n in 0..2_000_000_u64 {
            sum = std::hint::black_box(sum ^ n);
        }
        assert!(clock.now().expect("readable") > before);
    }

    #[test]
    fn this_process_has_resident_memory() {
        assert!(resident(std::process::id()).expect("own process") > 64 * 1024);
    }
}
