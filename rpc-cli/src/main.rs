//! The command `rpc`: what a server serves, and calls of it with JSON, without being compiled against it.
//!
//! `schema` finds out what there is, through reflection or from a descriptor set; `dynamic` is JSON to protobuf and back; `call` makes
//! the calls; `list` and `describe` print. Everything that goes out passes `output`, which lets nothing reach a terminal that
//! would command it.

mod call;
mod check;
mod cli;
mod connect;
mod describe;
mod dynamic;
mod failure;
mod input;
mod list;
mod output;
mod schema;

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

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
        Command::Check(args) => check::run(&args),
        Command::Completion(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "rpc", &mut script);
            output::write_raw(&script)
        }
    }
}

fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error: io::Error| Failure::new(Exit::Failed, format!("there is no runtime: {error}")))?;
    let done = runtime.block_on(work);
    // A read of the standard input cannot be given up, and must not hold the program.
    runtime.shutdown_background();
    done
}
