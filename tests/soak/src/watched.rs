//! The server process: started, looked at from outside, and ended by its own id.

use std::{
    error::Error,
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// A running server process.
#[derive(Debug)]
pub(crate) struct Watched {
    process: Child,
    /// Where it serves.
    pub(crate) url: String,
}

/// What the system says of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Resident memory, in KiB.
    pub(crate) resident: u64,
    /// Open descriptors.
    pub(crate) descriptors: u64,
}

impl Watched {
    /// Starts this program once more, as the server.
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("no standard output")?;
        let mut watched = Self {
            process,
            url: String::new(),
        };
        BufReader::new(output).read_line(&mut watched.url)?;
        watched.url.truncate(watched.url.trim_end().len());
        match watched.url.is_empty() {
            true => Err("the server did not start".into()),
            false => Ok(watched),
        }
    }

    /// Looks at it.
    pub(crate) fn sample(&self) -> Result<Sample, Box<dyn Error>> {
        let folder = format!("/proc/{}", self.process.id());
        let status = fs::read_to_string(format!("{folder}/status"))?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|line| line.split_whitespace().next())
            .ok_or("the system does not tell resident memory")?;
        Ok(Sample {
            resident: resident.parse()?,
            descriptors: fs::read_dir(format!("{folder}/fd"))?.count() as u64,
        })
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // The end of its input ends it; it is made sure of by its own id.
        drop(self.process.stdin.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
