//! One run of a plugin: bytes in, bytes out, within a time and a size.

use super::PluginError;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// How much of a plugin's standard error is kept.
const MAX_MESSAGES: usize = 64 << 10;

/// How often a plugin that has closed its output is asked whether it has ended. Most have by then.
const END_INTERVAL: Duration = Duration::from_millis(2);

/// How much a plugin may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) time: Duration,
    /// In bytes.
    pub(super) response: usize,
}

/// What a plugin left.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) response: Vec<u8>,
    /// What it said on its standard error.
    pub(super) messages: String,
}

/// Runs a plugin to its end.
pub(super) fn run(
    program: &Path,
    arguments: &[OsString],
    request: Vec<u8>,
    limits: Limits,
) -> Result<Answered, PluginError> {
    let begun = Instant::now();
    let failed = |error: io::Error| match error.kind() {
        // Of a script, it may be what the script is written for that is not there.
        io::ErrorKind::NotFound if !program.is_file() => PluginError::Missing {
            program: program.to_owned(),
        },
        _ => PluginError::Start {
            program: program.to_owned(),
            error,
        },
    };
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut running = Running(child);
    let (response, messages) = running.talk(request, limits.response);
    let left = || limits.time.saturating_sub(begun.elapsed());
    let timed_out = || PluginError::TimedOut {
        program: program.to_owned(),
        limit: limits.time,
    };
    let response = response.recv_timeout(left()).map_err(|_| timed_out())?;
    if response.len() > limits.response {
        return Err(PluginError::Response {
            program: program.to_owned(),
            problem: format!("it is longer than {} bytes", limits.response),
        });
    }
    let messages = messages.recv_timeout(left()).map_err(|_| timed_out())?;
    let messages = String::from_utf8_lossy(&messages).into_owned();
    let status = loop {
        if let Some(status) = running.ended().map_err(failed)? {
            break status;
        }
        if left().is_zero() {
            return Err(timed_out());
        }
        std::thread::sleep(END_INTERVAL.min(left()));
    };
    match status.success() {
        true => Ok(Answered { response, messages }),
        false => Err(PluginError::Failed {
            program: program.to_owned(),
            status,
            messages,
        }),
    }
}

/// A plugin that runs, and is ended when it is of no use any more.
#[derive(Debug)]
struct Running(Child);

impl Running {
    /// Writes the request, and gives where output arrives when the plugin closes it.
    ///
    /// Each pipe has a thread, so that none waits for another; they end with the pipes, which something that the plugin has
    /// started may hold open for longer than anybody waits.
    fn talk(&mut self, request: Vec<u8>, limit: usize) -> (Receiver<Vec<u8>>, Receiver<Vec<u8>>) {
        if let Some(mut input) = self.0.stdin.take() {
            std::thread::spawn(move || {
                // A plugin that does not read all of it is judged by its answer.
                let _ = input.write_all(&request);
            });
        }
        // One byte more than may be kept tells that there was more.
        let response = read(self.0.stdout.take(), limit.saturating_add(1));
        let messages = read(self.0.stderr.take(), MAX_MESSAGES);
        (response, messages)
    }

    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// Reads a pipe to its end, and keeps so many bytes of it.
fn read(pipe: Option<impl Read + Send + 'static>, keep: usize) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut pipe) = pipe {
            // What arrived before an error is all that there is.
            let _ = pipe.by_ref().take(keep as u64).read_to_end(&mut kept);
            // Who writes more must not come to stand still.
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
        let _ = sender.send(kept);
    });
    receiver
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A shell as the plugin, with so many bytes for its answer.
    fn shell(script: &str, response: usize) -> Result<Answered, PluginError> {
        let limits = Limits {
            time: super::super::TIME_LIMIT,
            response,
        };
        run(Path::new("sh"), &["-c".into(), script.into()], Vec::new(), limits)
    }

    #[test]
    fn an_answer_may_be_as_long_as_the_limit_and_no_longer() {
        let answered = shell("printf 0123456789", 10).expect("10 bytes are not too many");
        assert_eq!(answered.response, b"0123456789");
        let error = shell("printf 0123456789", 9).expect_err("10 bytes are too many");
        assert_eq!(
            error.to_string(),
            "the answer of the plugin `sh` is refused: it is longer than 9 bytes"
        );
    }

    #[test]
    fn of_many_messages_the_first_are_kept_and_the_plugin_is_not_held_up() {
        let script = "dd if=/dev/zero bs=1024 count=1024 >&2; printf done";
        let answered = shell(script, 10).expect("it ends");
        assert_eq!(answered.messages.len(), MAX_MESSAGES);
        assert_eq!(answered.response, b"done");
    }
}
