//! The one door for tasks: `cargo xtask test`, `ci`, `codegen`, `fuzz`, `bench`.
//!
//! Each task installs what it needs by the ordinary package clients, and where it cannot, says what to install.

mod autobahn;
mod clock;
mod codegen;
mod postgres;
mod process;
mod tasks;
mod tools;
mod typescript;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// How long each fuzz target runs with the tests, in seconds: enough to notice a broken decoder, not to search for days.
const FUZZ_SECONDS: u64 = 20;

/// The project's tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, about, long_about = None)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run every test: the workspace's, a new crate's, the storage tests on PostgreSQL, the one with a moved clock, those of the TypeScript
    /// client and the pages in Node and in Chromium, the schema checks that need npm, and the fuzz targets for a bounded time.
    Test {
        /// Seconds for each fuzz target; 0 leaves fuzzing out.
        #[arg(long, default_value_t = FUZZ_SECONDS)]
        fuzz_seconds: u64,
    },
    /// Formatting, lints and types of Rust and TypeScript, docs, generated files and packaging.
    Checks,
    /// What CI runs: the checks, then every test.
    Ci,
    /// Bring generated files up to date: the `.proto` of contracts, their TypeScript, and the built pages.
    Codegen {
        /// Only say whether they are, and fail if they are not.
        #[arg(long)]
        check: bool,
        /// Leave out what the build scripts of the workspace keep, which takes a build of all of it.
        #[arg(long)]
        typescript: bool,
    },
    /// Run the tests of the TypeScript client and of the pages, in Node and in Chromium. Part of `test`.
    Typescript,
    /// Ask a release build for reflection, which it serves where somebody has said so alone. Part of `test`.
    Reflection,
    /// Make a crate by `rpc new`, build it and see that it does what it says. Part of `test`.
    Starter,
    /// Run the storage tests of examples/tasks on a PostgreSQL of their own.
    Postgres,
    /// Run the fuzz targets.
    Fuzz {
        /// Seconds for each target.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Run Autobahn's fuzzing client against the server's WebSocket layer, sections 1 to 10. Needs Python 2.7, and is
    /// therefore not part of `test`.
    Autobahn,
    /// Let slowhttptest take all the time and places that a server gives, while others connect. Needs that program, which it
    /// installs by apt where it may.
    Slowhttptest,
    /// Move the clock of a server by a day while clients are connected. Needs libfaketime.
    Clock,
    /// Let clients come, call, give up and go for minutes, and see that the server is none the larger for it.
    Soak {
        /// For how many minutes clients come; at least 5.
        #[arg(long, default_value_t = 10)]
        minutes: u64,
        /// What they do, in which order.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Tell a server with 1,000 busy connections to stop, and see that no call is lost. Part of `test`.
    Stopping,
    /// Measure server CPU per call beside other systems; see bench/README.md.
    Bench {
        /// What the benchmark is called with.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Test { fuzz_seconds } => tasks::test(fuzz_seconds),
        Task::Checks => tasks::checks(),
        Task::Ci => tasks::checks().and_then(|()| tasks::test(FUZZ_SECONDS)),
        Task::Codegen {
            check,
            typescript: false,
        } => codegen::codegen(check),
        Task::Codegen { check, .. } => codegen::typescript(check),
        Task::Typescript => typescript::test(),
        Task::Reflection => tasks::reflection(),
        Task::Starter => tasks::starter(),
        Task::Postgres => tasks::storage(),
        Task::Fuzz { seconds } => tasks::fuzz(seconds),
        Task::Autobahn => autobahn::autobahn(),
        Task::Slowhttptest => tasks::slowhttptest(),
        Task::Clock => clock::clock(),
        Task::Soak { minutes, seed } => tasks::soak(minutes, seed),
        Task::Stopping => tasks::stopping(),
        Task::Bench { arguments } => tasks::bench(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
