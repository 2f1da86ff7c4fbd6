//! Processes of this program: started, told something by a line and answered by a line, looked at from outside, and ended.

use crate::files::text;
use crate::server::State;
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A process of this program under another subcommand. It ends with its standard input, and so with its parent.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(arguments: &[&str]) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(text)?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(text)?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        Ok(Self { child, stdin, stdout })
    }

    /// Tells it something; the answer is read by [`line`](Self::line) or [`answer`](Self::answer).
    pub(crate) fn tell(&mut self, command: &str) -> Result<(), String> {
        let stdin = self.stdin.as_mut().ok_or("no standard input")?;
        writeln!(stdin, "{command}")
            .and_then(|()| stdin.flush())
            .map_err(text)
    }

    /// Reads a line that it prints.
    pub(crate) fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).map_err(text)?;
        match line.is_empty() {
            true => Err("a process ended before it answered".to_owned()),
            false => Ok(line.trim().to_owned()),
        }
    }

    /// Reads a value that it prints.
    pub(crate) fn answer<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        serde_json::from_str(&self.line()?).map_err(text)
    }

    /// Asks, and reads the answer.
    pub(crate) fn ask<T: DeserializeOwned>(&mut self, command: &str) -> Result<T, String> {
        self.tell(command)?;
        self.answer()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running server.
pub(crate) struct Server {
    process: Process,
    /// Where it serves.
    pub(crate) addr: SocketAddr,
    clock: ClockId,
}

/// What a server takes at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// Resident memory, in bytes.
    pub(crate) resident: u64,
    /// Open descriptors of its first thread: of all, where no thread has a table of its own.
    pub(crate) descriptors: usize,
    /// What it says itself.
    pub(crate) state: State,
    /// User and system time so far.
    pub(crate) cpu: Duration,
}

impl Server {
    /// Starts a server for so many connections; `threads` as in [`Setup`](crate::server::Setup).
    pub(crate) fn start(connections: usize, connects: Option<u32>, threads: usize) -> Result<Self, String> {
        let (connections, threads) = (connections.to_string(), threads.to_string());
        let connects = connects.map(|connects| connects.to_string());
        let mut arguments = vec!["serve", "--connections", &connections, "--threads", &threads];
        if let Some(connects) = &connects {
            arguments.extend(["--connects", connects]);
        }
        let mut process = Process::start(&arguments)?;
        let addr = process.line()?.parse().map_err(text)?;
        let pid = Pid::from_raw(i32::try_from(process.child.id()).map_err(text)?);
        Ok(Self {
            clock: clock_getcpuclockid(pid).map_err(text)?,
            process,
            addr,
        })
    }

    /// What it takes now.
    pub(crate) fn held(&mut self) -> Result<Held, String> {
        let state = self.process.ask("state")?;
        let folder = format!("/proc/{}", self.process.child.id());
        let status = std::fs::read_to_string(format!("{folder}/status")).map_err(text)?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next())
            .and_then(|kib| kib.parse::<u64>().ok())
            .ok_or("the system does not tell resident memory")?;
        Ok(Held {
            resident: resident * 1024,
            descriptors: std::fs::read_dir(format!("{folder}/fd")).map_err(text)?.count(),
            state,
            cpu: self.cpu()?,
        })
    }

    /// User and system time so far.
    pub(crate) fn cpu(&self) -> Result<Duration, String> {
        self.clock.now().map(Duration::from).map_err(text)
    }

    /// Has it close everybody but the callers.
    pub(crate) fn close_all(&mut self) -> Result<usize, String> {
        self.process.ask("close")
    }
}
