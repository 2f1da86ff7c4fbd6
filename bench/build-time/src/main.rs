//! How long the build step takes for 200 CRUD contracts: all of them new, one changed, none changed.
//!
//! ```text
//! cargo run --release -p rpc-build-bench     # optimised
//! cargo run -p rpc-build-bench               # as cargo builds build scripts without being told otherwise
//! ```
//!
//! Each figure is a process of its own, as a build script is one, timed from inside: `main` to the end of
//! `rpc_build::contracts(…).run()`. Compiling or starting the script is not in it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io};

const CONTRACTS: usize = 200;
/// Contracts of one module.
const PER_MODULE: usize = 10;
const ROUNDS: usize = 7;

fn main() -> ExitCode {
    let result = match env::args().nth(1).as_deref() {
        Some("script") => {
            script();
            Ok(())
        }
        _ => measure(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rpc-build-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The build script that is measured.
fn script() {
    let began = Instant::now();
    rpc_build::contracts("src/contracts.rs").run();
    eprintln!("{}", began.elapsed().as_nanos());
}

fn measure() -> io::Result<()> {
    let profile = if cfg!(debug_assertions) {
        "not optimised (cargo's default for build scripts)"
    } else {
        "optimised"
    };
    println!("## {CONTRACTS} CRUD contracts, {profile}: milliseconds, median (least to most) of {ROUNDS}\n");
    println!("| packages | all new | one changed | unchanged |\n|---:|---:|---:|---:|");
    for packages in [1, CONTRACTS / PER_MODULE] {
        let directory = Directory::new(packages)?;
        let (mut new, mut changed, mut unchanged) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            directory.forget_output()?;
            directory.write(packages, None)?;
            new.push(directory.run_script()?);
            directory.write(packages, Some(round * 17 % CONTRACTS))?;
            changed.push(directory.run_script()?);
            unchanged.push(directory.run_script()?);
        }
        println!(
            "| {packages} | {} | {} | {} |",
            summary(new),
            summary(changed),
            summary(unchanged)
        );
    }
    let (one_changed, unchanged) = if cfg!(debug_assertions) {
        ("700", "30")
    } else {
        ("150", "30")
    };
    println!("\nTargets: one changed below {one_changed} ms, unchanged below {unchanged} ms.");
    Ok(())
}

fn summary(mut times: Vec<Duration>) -> String {
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
    let (least, median, most) = (times[0], times[times.len() / 2], times[times.len() - 1]);
    format!(
        "{:.0} ({:.0} to {:.0})",
        milliseconds(median),
        milliseconds(least),
        milliseconds(most)
    )
}

/// A crate in a temporary directory, removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(packages: usize) -> io::Result<Self> {
        let directory =
            Self(env::temp_dir().join(format!("rpc-build-bench-{}-{packages}", std::process::id())));
        fs::create_dir_all(directory.0.join("src/contracts"))?;
        fs::create_dir_all(directory.0.join("out"))?;
        fs::write(
            directory.0.join("Cargo.toml"),
            "[package]\nname = \"measured\"\nedition = \"2024\"\n",
        )?;
        fs::write(directory.0.join("src/lib.rs"), "mod contracts;\n")?;
        Ok(directory)
    }

    /// Writes all contracts; the one at `changed` has a field more than the others.
    fn write(&self, packages: usize, changed: Option<usize>) -> io::Result<()> {
        let modules = CONTRACTS / PER_MODULE;
        let names: Vec<String> = (0..modules).map(|module| format!("m{module}")).collect();
        let root: String = names.iter().map(|name| format!("pub mod {name};\n")).collect();
        write_if_changed(&self.0.join("src/contracts.rs"), &root)?;
        for (module, name) in names.iter().enumerate() {
            let package = module % packages;
            let mut text = String::from("use rpc_runtime::contract;\n");
            for contract in module * PER_MODULE..(module + 1) * PER_MODULE {
                text.push_str(&contract_text(package, contract, changed == Some(contract)));
            }
            write_if_changed(&self.0.join(format!("src/contracts/{name}.rs")), &text)?;
        }
        Ok(())
    }

    fn forget_output(&self) -> io::Result<()> {
        for name in ["out", "protos"] {
            match fs::remove_dir_all(self.0.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::create_dir_all(self.0.join("out"))
    }

    /// Runs the script as cargo would, and gives the time it took.
    fn run_script(&self) -> io::Result<Duration> {
        let output = Command::new(env::current_exe()?)
            .arg("script")
            .current_dir(&self.0)
            .env("CARGO_MANIFEST_DIR", &self.0)
            .env("CARGO_PKG_NAME", "measured")
            .env("OUT_DIR", self.0.join("out"))
            .env("CARGO_CFG_TARGET_OS", "linux")
            .env("CARGO_CFG_UNIX", "")
            .env_remove("CI")
            .stdin(Stdio::null())
            .output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8_lossy(&output.stdout);
        let complaint = printed
            .lines()
            .find(|line| line.contains("=error") || line.contains("::error"));
        let time = errors.lines().last().and_then(|line| line.parse().ok());
        match (output.status.success(), complaint, time) {
            (true, None, Some(time)) => Ok(Duration::from_nanos(time)),
            _ => Err(io::Error::other(format!(
                "the script failed: {}{errors}",
                complaint.unwrap_or_default()
            ))),
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left in the temporary directory harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn write_if_changed(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        Ok(())
    } else {
        fs::write(path, text)
    }
}

fn contract_text(package: usize, contract: usize, changed: bool) -> String {
    let mut text = String::new();
    let _ = write!(
        text,
        r#"
/// Thing number {contract}, of which there are many.
#[contract(package = "measured.p{package}", controller = "Thing{contract}")]
pub struct Thing{contract}Contract {{
    /// What people call it.
    #[field(unique, min_len = 1, max_len = 200)]
    pub label: String,
    #[field(default = false)]
    pub checked: bool,
    #[field(range = 0..=1000)]
    pub count: i64,
    pub tags: Vec<String>,
    pub weight: Option<f64>,
    #[field(id)]
    pub id: String,
{more}}}
"#,
        more = if changed { "    pub more: String,\n" } else { "" }
    );
    text
}
