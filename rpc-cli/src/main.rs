//! The command `rpc`: what a server serves, and calls of it with JSON, without being compiled against it.
//!
//! `schema` finds out what there is, through reflection or from a descriptor set; `dynamic` is JSON to protobuf and back; `call` makes
//! the calls; `subscribe` and `publish` are channels, whose events `types` knows; `list` and `describe` print; `bench` measures calls.
//! `check` compares schemas, and `new` makes a crate to begin with. Everything that goes out passes `output`, which lets nothing reach
//! a terminal that would command it.

mod bench;
mod call;
mod check;
mod cli;
mod connect;
mod describe;
mod dynamic;
mod event;
mod failure;
mod input;
mod list;
mod metadata;
mod names;
mod new;
mod output;
mod progress;
mod publish;
mod schema;
mod stop;
mod subscribe;
mod types;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use tokio::runtime::Builder;

use cli::{Cli, Command};
use failure::{Exit, Failure};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and the version come this way too, and are no failure.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            return match error.print() {
                Ok(()) => exit.into(),
                Err(_) => Exit::Failed.into(),
            };
        }
    };
    match run(cli.command) {
        Ok(()) => Exit::Done.into(),
        Err(failure) if failure.exit == Exit::Done => Exit::Done.into(),
        Err(failure) => {
            output::error(&failure);
            failure.exit.into()
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(args) => block_on(list::run(&args)),
        Command::Describe(args) => block_on(describe::run(&args)),
        Command::Call(args) => block_on(call::call(&args)),
        Command::Stream(args) => block_on(call::stream(&args)),
        Command::Subscribe(args) => block_on(subscribe::run(&args)),
        Command::Publish(args) => block_on(publish::run(&args)),
        Command::Bench(args) => on_one_thread(bench::run(&args)),
        Command::Check(args) => check::run(&args),
        Command::New(args) => new::run(&args),
        Command::Completion(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "rpc", &mut script);
            output::write_raw(&script)
        }
    }
}

/// Runs a command on this thread and the connection on another: who prints may wait for whoever reads, as long as that takes, and the
/// server's pings are answered meanwhile.
fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    run_in(Builder::new_multi_thread().worker_threads(1), work)
}

/// Runs what prints nothing on the way.
fn on_one_thread(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    run_in(&mut Builder::new_current_thread(), work)
}

fn run_in(runtime: &mut Builder, work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = runtime
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, format!("there is no runtime: {error}")))?;
    let done = runtime.block_on(work);
    // A read of the standard input cannot be given up, and must not hold the program.
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_command_that_waits_for_whoever_reads_its_output_keeps_no_connection_waiting() {
        let done = block_on(async {
            let (tell, told) = mpsc::channel();
            tokio::spawn(async move {
                tokio::task::yield_now().await;
                tokio::time::sleep(Duration::from_millis(1)).await;
                tell.send(()).unwrap();
            });
            // As a write to a pipe that nobody reads holds this thread.
            let told = told.recv_timeout(Duration::from_secs(60));
            told.map_err(|error| Failure::new(Exit::Failed, error.to_string()))
        });
        assert!(done.is_ok(), "{done:?}");
    }
}
