//! The tasks.

use crate::clock::clock;
use crate::codegen::codegen;
use crate::postgres::Postgres;
use crate::process::{cargo, root, run};
use crate::tools;
use crate::typescript;
use anyhow::{Context, Result, bail};

/// Every test there is.
pub(crate) fn test(fuzz_seconds: u64) -> Result<()> {
    cargo(&["test", "--workspace", "--no-fail-fast"]).go()?;
    reflection()?;
    starter()?;
    storage()?;
    clock()?;
    slowhttptest()?;
    schemas()?;
    typescript::test()?;
    stopping()?;
    if fuzz_seconds > 0 {
        fuzz(fuzz_seconds)?;
    }
    println!("\nEvery test passed.");
    Ok(())
}

/// Reflection in a runtime that is built as release builds do it. What decides is whether the runtime has debug assertions, and so it
/// alone is built without; an optimised build of all that it stands on would take minutes and decide the same.
pub(crate) fn reflection() -> Result<()> {
    println!(
        "\nAsking for reflection where it is not served unless somebody has said so: in a release build."
    );
    let output = cargo(&[
        "test",
        "--quiet",
        "-p",
        "rpc-runtime",
        "--test",
        "services",
        "--config",
        "profile.dev.package.rpc-runtime.debug-assertions=false",
        "--",
        "--format",
        "pretty",
        "reflection::",
    ])
    .output()?;
    print!("{output}");
    for name in [
        "a_release_build_without_the_switch_serves_nobody",
        "a_guard_protects_every_method_of_it_in_any_build",
    ] {
        if !output.contains(&format!("reflection::{name} ... ok")) {
            bail!("the test `{name}` was not run in a release build: has it another name?");
        }
    }
    Ok(())
}

/// What `rpc new` makes, built and run. All that it needs is built for it once, into a folder of its own.
pub(crate) fn starter() -> Result<()> {
    println!("\nMaking a crate by `rpc new`, and building, testing and calling it.");
    let name = "starting::a_new_crate_builds_is_tidy_passes_its_test_answers_and_keeps_its_promise";
    ignored_test("rpc-cli", "cli", name, &[])
}

/// The example's storage on PostgreSQL.
pub(crate) fn storage() -> Result<()> {
    let postgres = Postgres::start()?;
    cargo(&[
        "test",
        "-p",
        "tasks",
        "--bin",
        "tasks",
        "--features",
        "postgres",
        "postgres",
    ])
    .env("TASKS_TEST_POSTGRES", &postgres.url)
    .go()
}

/// What the pinned `buf` says of the corpus of changes and of the schemas that the build writes.
fn schemas() -> Result<()> {
    tools::npm("tests/breaking", "the schema checks")?;
    cargo(&["run", "--quiet", "-p", "breaking-corpus", "--", "check"]).go()?;
    cargo(&["run", "--quiet", "-p", "breaking-corpus", "--", "lint"]).go()
}

/// Formatting, lints, docs, generated files and packaging.
pub(crate) fn checks() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])
        .go()
        .context("run `cargo fmt --all`")?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).go()?;
    // The workspaces of their own; fuzzing builds its targets itself.
    for manifest in ["bench/Cargo.toml", "fuzz/Cargo.toml"] {
        cargo(&["fmt", "--manifest-path", manifest, "--all", "--check"]).go()?;
    }
    cargo(&[
        "clippy",
        "--manifest-path",
        "bench/Cargo.toml",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])
    .go()?;
    cargo(&["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .go()?;
    codegen(true)?;
    typescript::checks()?;
    package()
}

/// Everything that a published crate needs at build time lies inside the crate: each is built from its package.
///
/// Cargo takes a packaged crate for immutable, so a target directory that has seen another state of this version would
/// verify that state. Each run gets a directory of its own.
fn package() -> Result<()> {
    let target = root().join(format!("target/packages-{}", std::process::id()));
    let shown = target.to_string_lossy().into_owned();
    let published = published()?;
    let mut arguments = vec!["package", "--allow-dirty", "--target-dir", &shown];
    arguments.extend(published.iter().flat_map(|name| ["--package", name.as_str()]));
    let outcome = cargo(&arguments).go();
    std::fs::remove_dir_all(&target).ok();
    outcome
}

/// The crates of the workspace that may be published.
fn published() -> Result<Vec<String>> {
    let metadata = cargo(&["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo names no packages")?;
    // Of a crate with `publish = false` the registries are an empty list.
    let published = packages.iter().filter(|package| package["publish"].is_null());
    Ok(published
        .filter_map(|package| package["name"].as_str().map(str::to_owned))
        .collect())
}

/// Each fuzz target, for a bounded time.
pub(crate) fn fuzz(seconds: u64) -> Result<()> {
    tools::cargo_fuzz()?;
    let folder = root().join("fuzz");
    let targets = cargo(&["fuzz", "list"]).at(&folder).output()?;
    for target in targets.split_whitespace() {
        let limit = format!("-max_total_time={seconds}");
        // The sanitizers need a nightly compiler; panics and hangs are found without them.
        cargo(&["fuzz", "run", "-s", "none", target, "--", &limit, "-timeout=10"])
            .at(&folder)
            .go()?;
    }
    Ok(())
}

/// Slow headers, bodies and readers, by slowhttptest; fails when a client of another address is kept out.
pub(crate) fn slowhttptest() -> Result<()> {
    tools::slowhttptest()?;
    println!("\nLetting slowhttptest be slow for 40 seconds.");
    let name = "slow::slowhttptest_keeps_no_other_out";
    ignored_test("rpc-runtime", "serving", name, &["--nocapture"])
}

/// One test that is left out where all are run, because of what it needs.
fn ignored_test(package: &str, target: &str, name: &str, more: &[&str]) -> Result<()> {
    let test = ["test", "--quiet", "-p", package, "--test", target];
    let only = ["--", "--exact", name, "--ignored"];
    let output = cargo(&[&test[..], &only, more].concat()).output()?;
    print!("{output}");
    // A test that is not there passes, too.
    if !output.contains("1 passed") {
        bail!("the test `{name}` was not run: has it another name?");
    }
    Ok(())
}

/// Minutes of churn against a server in a process of its own, optimised, as a server in use is.
pub(crate) fn soak(minutes: u64, seed: u64) -> Result<()> {
    let (minutes, seed) = (minutes.to_string(), seed.to_string());
    let arguments = ["--minutes", minutes.as_str(), "--seed", seed.as_str()];
    let run = ["run", "--release", "--quiet", "-p", "soak", "--"];
    cargo(&[&run[..], &arguments[..]].concat()).go()
}

/// SIGTERM under load. 1,000 connections take as many descriptors on either side: the limit is raised as far as it may be.
pub(crate) fn stopping() -> Result<()> {
    cargo(&["build", "--quiet", "-p", "stopping"]).go()?;
    let raised = "ulimit -n \"$(ulimit -Hn)\" && exec cargo run --quiet -p stopping";
    run("sh", &["-c", raised]).go()
}

/// The comparison with other systems, in a workspace of its own; and there, packages for crowds of connections and of
/// subscribers.
pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    let package = match arguments.first().map(String::as_str) {
        Some("browser") => return typescript::bench(),
        Some("storm" | "churn") => "rpc-storm-bench",
        Some("fanout" | "recovery" | "subscribers") => "rpc-fanout-bench",
        _ => "rpc-bench",
    };
    let mut all = vec![
        "run",
        "--release",
        "--manifest-path",
        "bench/Cargo.toml",
        "-p",
        package,
        "--",
    ];
    all.extend(arguments.iter().map(String::as_str));
    cargo(&all).go()
}
