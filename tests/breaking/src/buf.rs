//! The pinned buf, from npm: `package.json` and `package-lock.json` in this folder say which.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, str};

use crate::{Case, Side, Verdict, folder};

/// Why buf could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum BufError {
    /// npm or buf could not be started, or a file not be written.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// npm or buf failed.
    #[error("{what} failed: {output}")]
    Failed {
        /// What was tried.
        what: String,
        /// What it printed.
        output: String,
    },
}

/// An installed buf.
#[derive(Debug)]
pub struct Buf {
    binary: PathBuf,
    version: String,
}

impl Buf {
    /// Installs exactly what the lock file names, with `npm ci`, unless it is there. The binary comes in a package per
    /// platform, so that no install script has to run.
    ///
    /// # Errors
    ///
    /// When npm is missing or fails, for example without a network.
    pub fn install() -> Result<Self, BufError> {
        let folder = folder();
        let binary = folder.join("node_modules/.bin/buf");
        let locked = locked_version(&folder)?;
        if version_of(&binary).as_deref() != Some(locked.as_str()) {
            run(
                "npm ci",
                Command::new("npm")
                    .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                    .current_dir(&folder),
                &[0],
            )?;
        }
        let version = version_of(&binary).unwrap_or_default();
        if version != locked {
            let output = format!("package.json names {locked}, installed is {version:?}");
            return Err(BufError::Failed {
                what: "npm ci".to_owned(),
                output,
            });
        }
        Ok(Buf { binary, version })
    }

    /// The version, such as `1.75.0`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Runs `buf lint` over the repository, by the `buf.yaml` at its root; and once more with the golden contracts in the place
    /// of the examples', because a file may be in a workspace once and both have a `task/task.proto`.
    ///
    /// # Errors
    ///
    /// With buf's findings, one per line, when there are any; the first twenty.
    pub fn lint(&self) -> Result<(), BufError> {
        let root = folder().join("../..");
        let config = std::fs::read_to_string(root.join("buf.yaml")).map_err(|source| BufError::Io {
            what: "reading buf.yaml",
            source,
        })?;
        let golden = config
            .replace("  - path: examples/ticker/protos\n", "")
            .replace("path: examples/tasks/protos", "path: tests/golden/protos");
        assert!(
            config.contains("examples/tasks/") && !golden.contains("examples/"),
            "buf.yaml names the examples' schemas"
        );
        for config in [config, golden] {
            let mut lint = Command::new(&self.binary);
            lint.args(["lint", "--config", &config]).current_dir(&root);
            run("buf lint", &mut lint, &[0])?;
        }
        Ok(())
    }

    /// The rules that buf says the change breaks.
    ///
    /// # Errors
    ///
    /// When buf fails for another reason than a break: a side that does not compile, a bad buf.yaml.
    pub fn judge(&self, case: &Case) -> Result<Verdict, BufError> {
        let io = |source| BufError::Io {
            what: "writing a case for buf",
            source,
        };
        let scratch = tempfile::tempdir().map_err(io)?;
        let before = write_side(scratch.path(), "before", &case.before).map_err(io)?;
        let after = write_side(scratch.path(), "after", &case.after).map_err(io)?;
        let output = run(
            &format!("buf breaking on {}", case.name),
            Command::new(&self.binary)
                .arg("breaking")
                .arg(after)
                .arg("--against")
                .arg(before)
                .args(["--error-format", "json", "--exclude-imports"])
                .arg("--config")
                .arg(folder().join("buf.yaml")),
            // buf exits with 100 when it found a break.
            &[0, 100],
        )?;
        let rules: Option<Verdict> = output.lines().map(rule_of).collect();
        rules.ok_or_else(|| BufError::Failed {
            what: format!("buf breaking on {}", case.name),
            output,
        })
    }
}

/// The rule in one line of buf's JSON. Rules are capitals and underscores: nothing is escaped in them.
fn rule_of(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("\"type\":\"")?;
    let (rule, _) = rest.split_once('"')?;
    // buf reports what does not compile in the same form.
    (rule != "COMPILE").then(|| rule.to_owned())
}

fn write_side(scratch: &Path, name: &str, side: &Side) -> io::Result<PathBuf> {
    let root = scratch.join(name);
    for (path, text) in &side.files {
        write_file(&root.join(path), text)?;
        if text.contains("buf/validate/validate.proto") {
            let vendored = folder().join("../../rpc-build/protos/buf/validate/validate.proto");
            write_file(
                &root.join("buf/validate/validate.proto"),
                &fs::read_to_string(vendored)?,
            )?;
        }
    }
    Ok(root)
}

fn write_file(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text)
}

fn locked_version(folder: &Path) -> Result<String, BufError> {
    let package = fs::read_to_string(folder.join("package.json")).map_err(|source| BufError::Io {
        what: "reading package.json",
        source,
    })?;
    let version = package
        .split_once("\"@bufbuild/buf\": \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(version, _)| version.to_owned());
    version.ok_or(BufError::Failed {
        what: "reading package.json".to_owned(),
        output: package,
    })
}

fn version_of(binary: &Path) -> Option<String> {
    let output = Command::new(binary).arg("--version").output().ok()?;
    let version = str::from_utf8(&output.stdout).ok()?.trim();
    output.status.success().then(|| version.to_owned())
}

/// Runs to the end and gives what was printed on the standard output.
fn run(what: &str, command: &mut Command, accepted: &[i32]) -> Result<String, BufError> {
    let output = command.output().map_err(|source| BufError::Io {
        what: "starting npm or buf",
        source,
    })?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.code().is_some_and(|code| accepted.contains(&code)) {
        return Ok(printed);
    }
    let output = format!("{printed}{}", String::from_utf8_lossy(&output.stderr));
    Err(BufError::Failed {
        what: what.to_owned(),
        output,
    })
}
