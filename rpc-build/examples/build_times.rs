//! How long a build of 200 CRUD contracts takes: the first one, one after a contract changed, one after nothing did.
//!
//! ```text
//! cargo run -p rpc-build --example build_times              # as cargo builds build scripts by default: unoptimised
//! cargo run -p rpc-build --example build_times --release
//! ```
//!
//! Each build is a process of its own, as a build script is, in a crate that is committed to git. The times are wall
//! times, medians of nine, so measure on an idle machine. With `--check` it ends with an
//! error where a target is missed.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// How many times each kind of build is measured; the median is told.
const ROUNDS: usize = 9;
const CONTRACTS: usize = 200;

/// Set for the processes that build.
const BUILDS: &str = "RPC_BUILD_TIMES_BUILD";

fn main() -> ExitCode {
    if std::env::var_os(BUILDS).is_some() {
        rpc_build::contracts("src/contracts.rs").run();
        return ExitCode::SUCCESS;
    }
    let check = std::env::args().any(|argument| argument == "--check");
    let changed_target = match cfg!(debug_assertions) {
        true => Duration::from_millis(700),
        false => Duration::from_millis(150),
    };
    let mut missed = false;
    for packages in [1, 20] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        write(folder, packages, 0);
        git(folder, &["init", "-q"]);
        let first = build(folder);
        git(folder, &["add", "-A"]);
        git(folder, &["commit", "-q", "-m", "contracts"]);
        let changed = median(|round| {
            write(folder, packages, round + 1);
            build(folder)
        });
        let unchanged = median(|_| build(folder));
        println!("{CONTRACTS} contracts in {packages} package(s)");
        for (name, time, target) in [
            ("first", first, None),
            ("one changed", changed, Some(changed_target)),
            ("unchanged", unchanged, Some(Duration::from_millis(30))),
        ] {
            let verdict = match target {
                Some(target) if time > target => {
                    missed = true;
                    format!("  missed: {} ms", target.as_millis())
                }
                Some(target) => format!("  target: {} ms", target.as_millis()),
                None => String::new(),
            };
            println!("  {name:12} {:8.1} ms{verdict}", time.as_secs_f64() * 1e3);
        }
    }
    match check && missed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

fn median(mut measure: impl FnMut(usize) -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS).map(&mut measure).collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

/// One process that builds, as cargo would run it.
fn build(folder: &Path) -> Duration {
    let out = folder.join("target/out");
    std::fs::create_dir_all(&out).expect("an output folder");
    let start = Instant::now();
    let done = Command::new(std::env::current_exe().expect("this program"))
        .env(BUILDS, "1")
        .env("CARGO_MANIFEST_DIR", folder)
        .env("CARGO_PKG_NAME", "measured")
        .env("OUT_DIR", &out)
        .env_remove("CI")
        .stdout(Stdio::piped())
        .output()
        .expect("a build");
    let time = start.elapsed();
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success() && !told.contains("RPC_ERROR") && !told.contains("cargo::error"),
        "{told}"
    );
    time
}

/// The contracts, over as many files as there are packages. `state` is in one of them.
fn write(folder: &Path, packages: usize, state: usize) {
    std::fs::create_dir_all(folder.join("src/contracts")).expect("a source folder");
    let mut modules = String::new();
    for package in 0..packages {
        let _ = writeln!(modules, "pub mod part{package};");
        let mut source = String::from("use rpc_runtime::contract;\n");
        for contract in (0..CONTRACTS).filter(|contract| contract % packages == package) {
            let more = match contract {
                0 if state > 0 => format!("    pub added{state}: u32,\n"),
                _ => String::new(),
            };
            let _ = write!(
                source,
                "
/// The record number {contract}.
#[contract(package = \"part{package}\", controller = \"Record{contract}\")]
pub struct Record{contract}Contract {{
    /// What it is called.
    #[field(unique, min_len = 1, max_len = 200)]
    pub label: String,
    #[field(default = false)]
    pub checked: bool,
    pub count: u64,
    pub tags: Vec<String>,
    #[field(range = 0..=100)]
    pub share: i32,
    pub note: Option<String>,
    #[field(id)]
    pub id: String,
{more}}}
"
            );
        }
        put(&folder.join(format!("src/contracts/part{package}.rs")), &source);
    }
    put(&folder.join("src/contracts.rs"), &modules);
    put(&folder.join("src/main.rs"), "mod contracts;\nfn main() {}\n");
    put(&folder.join(".gitignore"), "target\n");
}

fn put(path: &Path, content: &str) {
    if std::fs::read_to_string(path).is_ok_and(|present| present == content) {
        return;
    }
    std::fs::write(path, content).expect("a source file");
}

fn git(folder: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args([
            "-c",
            "user.name=measured",
            "-c",
            "user.email=measured@example.com",
        ])
        .args(arguments)
        .status()
        .expect("git");
    assert!(done.success());
}
