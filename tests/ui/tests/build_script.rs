//! What the build script finds wrong, as a user sees it: each file of `build_script/` is a crate, `cargo check` is run on
//! it, and all that it says is pinned beside it.
//!
//! A file's sections are the crate's files, each below a line with its path. `//- committed src/contracts.rs` is what was
//! built and committed before; `//- env CI=true` sets a variable; `//- without build.rs` leaves the build script out.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use expect_test::expect_file;

#[test]
fn what_the_build_script_finds_is_told_at_the_contract() {
    let folder = workspace().join("tests/ui/build_script");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder of the cases")
        .map(|entry| entry.expect("a case").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    cases.sort();
    for path in &cases {
        let text = std::fs::read_to_string(path).expect("a case is readable");
        expect_file![path.with_extension("stderr")].assert_eq(&check(&Case::parse(&text)));
    }
    // Not `println!`, which is captured: the count is to be seen.
    let told = format!("{} build script cases\n", cases.len());
    std::io::stderr()
        .write_all(told.as_bytes())
        .expect("the count is written");
}

#[derive(Default)]
struct Case {
    committed: BTreeMap<String, String>,
    now: BTreeMap<String, String>,
    variables: Vec<(String, String)>,
    without: Vec<String>,
}

impl Case {
    fn parse(text: &str) -> Self {
        let mut case = Self::default();
        let mut ignored = String::new();
        let mut section = &mut ignored;
        for line in text.lines() {
            let Some(head) = line.strip_prefix("//- ") else {
                section.push_str(line);
                section.push('\n');
                continue;
            };
            match head.split_once(' ') {
                Some(("committed", path)) => section = case.committed.entry(path.to_owned()).or_default(),
                Some(("without", path)) => case.without.push(path.to_owned()),
                Some(("env", pair)) => {
                    let (name, value) = pair.split_once('=').expect("`//- env NAME=value`");
                    case.variables.push((name.to_owned(), value.to_owned()));
                }
                _ => section = case.now.entry(head.to_owned()).or_default(),
            }
        }
        case
    }
}

/// What `cargo check` says of the case, without what differs between machines.
fn check(case: &Case) -> String {
    let target = workspace().join("target/ui");
    let folder = target.join("tasks");
    let _ = std::fs::remove_dir_all(&folder);
    for (path, content) in standard() {
        if !case.without.iter().any(|left_out| left_out == path) {
            write(&folder, path, &content);
        }
    }
    let lock = std::fs::read_to_string(workspace().join("Cargo.lock")).expect("the workspace's lock file");
    write(&folder, "Cargo.lock", &lock);
    git(&folder, &["init", "--quiet"]);
    if !case.committed.is_empty() {
        for (path, content) in &case.committed {
            write(&folder, path, content);
        }
        let output = cargo_check(&folder, &[]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "what is committed builds:\n{told}");
        git(&folder, &["add", "--all"]);
        git(&folder, &["commit", "--quiet", "--message", "A version"]);
        // Cargo compares times, and some file systems keep them by the second only.
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
    for (path, content) in &case.now {
        write(&folder, path, content);
    }
    let output = cargo_check(&folder, &case.variables);
    assert!(!output.status.success(), "a case of this folder fails to build");
    normalized(&String::from_utf8_lossy(&output.stderr), &folder)
}

/// What every crate has unless the case says otherwise.
fn standard() -> [(&'static str, String); 4] {
    let root = workspace();
    let manifest = format!(
        "[package]\nname = \"tasks\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\nrpc-runtime = {{ path = {:?} }}\n\n[build-dependencies]\nrpc-build = {{ path = {:?} }}\n\n\
         [profile.dev]\ndebug = false\n",
        root.join("rpc-runtime"),
        root.join("rpc-build"),
    );
    let build = "fn main() {\n    rpc_build::contracts(\"src/contracts.rs\").run();\n}\n";
    [
        ("Cargo.toml", manifest),
        ("build.rs", build.to_owned()),
        ("src/lib.rs", "pub mod contracts;\n".to_owned()),
        (".gitignore", "/target\n".to_owned()),
    ]
}

fn cargo_check(folder: &Path, variables: &[(String, String)]) -> Output {
    let run = |offline: &[&str]| {
        Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--color", "never"])
            .args(offline)
            .current_dir(folder)
            .env_remove("CI")
            .env_remove("RUSTFLAGS")
            .env("CARGO_TARGET_DIR", workspace().join("target/ui/target"))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("cargo runs")
    };
    let output = run(&["--offline"]);
    if String::from_utf8_lossy(&output.stderr).contains("--offline") {
        return run(&[]);
    }
    output
}

fn git(folder: &Path, arguments: &[&str]) {
    let identity = [
        "-c",
        "user.name=Test",
        "-c",
        "user.email=test@example.org",
        "-c",
        "commit.gpgsign=false",
    ];
    let status = Command::new("git")
        .args(identity)
        .args(arguments)
        .current_dir(folder)
        .status();
    assert!(status.expect("git runs").success(), "git {arguments:?}");
}

fn write(folder: &Path, path: &str, content: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
    std::fs::write(path, content).expect("a file");
}

fn normalized(text: &str, folder: &Path) -> String {
    let text = text
        .replace(&folder.display().to_string(), "$DIR")
        .replace(&workspace().display().to_string(), "$WORKSPACE");
    text.trim_end().to_owned() + "\n"
}

fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .ancestors()
        .nth(2)
        .expect("this crate lies two folders below the workspace")
        .to_owned()
}
