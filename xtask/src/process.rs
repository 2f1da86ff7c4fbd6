//! Runs commands at the project's root, and says which one failed.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The project's root, whichever folder the task was called from.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// One command.
#[derive(Debug)]
pub(crate) struct Run {
    command: Command,
    shown: String,
}

/// A command at the root.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    let mut shown = program.to_owned();
    for argument in arguments {
        shown.push(' ');
        shown.push_str(argument);
    }
    Run { command, shown }
}

/// The cargo that runs this task.
pub(crate) fn cargo(arguments: &[&str]) -> Run {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut run = run(&program, arguments);
    run.shown = format!("cargo {}", arguments.join(" "));
    run
}

impl Run {
    /// Runs it elsewhere.
    pub(crate) fn at(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, key: &str, value: &str) -> Self {
        self.command.env(key, value);
        self
    }

    /// The command itself, for what runs beside the task.
    pub(crate) fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    /// Shows the command; its output goes into a file. Fails if it does.
    pub(crate) fn logged(mut self, log: &Path) -> Result<()> {
        let file = File::create(log)?;
        self.command.stderr(file.try_clone()?).stdout(file);
        let shown = format!("its output is in {}", log.display());
        self.go().context(shown)
    }

    /// Shows the command and its output; fails if it does.
    pub(crate) fn go(mut self) -> Result<()> {
        println!("\n$ {}", self.shown);
        let status = self
            .command
            .stdin(Stdio::null())
            .status()
            .with_context(|| format!("cannot start `{}`", self.shown))?;
        if !status.success() {
            bail!("`{}` failed ({status})", self.shown);
        }
        Ok(())
    }

    /// Whether it runs and succeeds, without showing anything.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// What it prints.
    pub(crate) fn output(mut self) -> Result<String> {
        let output = self
            .command
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start `{}`", self.shown))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            // A test says on the one what is wrong, and cargo on the other that it is.
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` failed: {}\n{}", self.shown, said.trim(), errors.trim());
        }
        Ok(said)
    }
}
