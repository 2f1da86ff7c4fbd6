//! Processes of the running program: started, told something by a line, answered by a line, and ended.

use crate::{CpuClock, text};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A process of this program under another subcommand. It ends with its standard input, and so with its parent; dropping it
/// kills it.
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this very program with other arguments.
    pub fn start<S: AsRef<OsStr>>(arguments: &[S]) -> Result<Self, String> {
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

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The clock of its CPU time.
    pub fn cpu(&self) -> Result<CpuClock, String> {
        CpuClock::of(self.pid()).map_err(text)
    }

    /// Tells it something; the answer is read by [`line`](Self::line) or [`answer`](Self::answer).
    pub fn tell(&mut self, command: &str) -> Result<(), String> {
        let stdin = self.stdin.as_mut().ok_or("no standard input")?;
        writeln!(stdin, "{command}")
            .and_then(|()| stdin.flush())
            .map_err(text)
    }

    /// Reads a line that it prints.
    pub fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).map_err(text)?;
        match line.is_empty() {
            true => Err("a process ended before it answered".to_owned()),
            false => Ok(line.trim().to_owned()),
        }
    }

    /// Reads a value that it prints.
    pub fn answer<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        serde_json::from_str(&self.line()?).map_err(text)
    }

    /// Asks, and reads the answer.
    pub fn ask<T: DeserializeOwned>(&mut self, command: &str) -> Result<T, String> {
        self.tell(command)?;
        self.answer()
    }

    /// Waits for the process to end by itself, and gives what it printed and nobody read.
    pub fn finish(mut self, within: Duration) -> Result<String, String> {
        let deadline = Instant::now() + within;
        loop {
            match self.child.try_wait().map_err(text)? {
                Some(status) if status.success() => break,
                Some(status) => return Err(format!("a process ended with {status}")),
                None if Instant::now() > deadline => return Err("a process took too long".to_owned()),
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        let mut output = String::new();
        self.stdout.read_to_string(&mut output).map_err(text)?;
        Ok(output)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It may have ended by itself, and then neither matters.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Prints a line at once.
pub fn say(line: &str) -> Result<(), String> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .map_err(text)
}

/// Prints a value on a line.
pub fn say_json(value: &impl Serialize) -> Result<(), String> {
    say(&serde_json::to_string(value).map_err(text)?)
}
