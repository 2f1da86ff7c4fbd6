//! Tools that the tests need beyond Rust: found if they are there, installed if they can be.

use crate::process::{cargo, root, run};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

/// cargo-fuzz, pinned so that every machine fuzzes the same way.
const CARGO_FUZZ: &str = "0.13.2";

/// Makes `cargo fuzz` available.
pub(crate) fn cargo_fuzz() -> Result<()> {
    if cargo(&["fuzz", "--version"]).succeeds() {
        return Ok(());
    }
    cargo(&["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ])
        .go()
        .context("fuzzing needs cargo-fuzz; install it with `cargo install cargo-fuzz --locked`")
}

/// The oldest Node that the pinned packages run on.
const NODE: (u32, u32) = (20, 19);

/// Makes Node packages of a folder available, exactly as its package-lock.json says.
pub(crate) fn npm(folder: &str, wants: &str) -> Result<PathBuf> {
    let folder = root().join(folder);
    let version = run("node", &["--version"]).output().unwrap_or_default();
    if node_version(&version).is_none_or(|version| version < NODE) || !run("npm", &["--version"]).succeeds() {
        let (major, minor) = NODE;
        bail!("{wants} need Node {major}.{minor} or later with npm; install it and run this again");
    }
    let installed = folder.join("node_modules/.package-lock.json");
    let wanted = folder.join("package-lock.json");
    let fresh = match (modified(&installed), modified(&wanted)) {
        (Some(installed), Some(wanted)) => installed >= wanted,
        _ => false,
    };
    if !fresh {
        run("npm", &["ci", "--no-audit", "--no-fund"])
            .at(&folder)
            .go()
            .context("npm could not install what package-lock.json names; is the npm registry reachable?")?;
    }
    Ok(folder)
}

/// The first two numbers of what `node --version` says.
fn node_version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Makes Chromium available; gives its program. The variable `CHROMIUM` names another.
pub(crate) fn chromium() -> Result<String> {
    if let Ok(program) = std::env::var("CHROMIUM") {
        return Ok(program);
    }
    let find = || {
        let names = [
            "chromium",
            "chromium-browser",
            "google-chrome",
            "google-chrome-stable",
        ];
        let found = names.map(|name| run("sh", &["-c", &format!("command -v {name}")]).output());
        found
            .into_iter()
            .find_map(|path| Some(path.ok()?.trim().to_owned()))
    };
    if let Some(program) = find() {
        return Ok(program);
    }
    debian("chromium", "the tests in a browser")?;
    find().context(
        "the tests in a browser need Chromium; install it (the package `chromium` of Debian), or name a Chrome or Chromium with the \
         variable CHROMIUM, and run this again",
    )
}

/// Installs a package of Debian's, where this is such a system and may be changed.
fn debian(package: &str, wants: &str) -> Result<()> {
    let is_root = run("id", &["-u"]).output().is_ok_and(|id| id.trim() == "0");
    if !is_root || !run("apt-get", &["--version"]).succeeds() {
        return Ok(());
    }
    println!("\n{package} is not here; installing Debian's package for {wants}.");
    let install =
        || run("apt-get", &["install", "-y", "-q", package]).env("DEBIAN_FRONTEND", "noninteractive");
    if install().go().is_err() {
        run("apt-get", &["update", "-q"]).go()?;
        install().go()?;
    }
    Ok(())
}

/// Makes slowhttptest available.
pub(crate) fn slowhttptest() -> Result<()> {
    // Whatever it is asked, it fails: its help does, too.
    let is_here = || run("sh", &["-c", "command -v slowhttptest"]).succeeds();
    if !is_here() {
        debian("slowhttptest", "the check with slow clients")?;
    }
    if !is_here() {
        bail!(
            "the check with slow clients needs the program slowhttptest; install it (the package `slowhttptest` of Debian, \
             Ubuntu and Homebrew) and run this again"
        );
    }
    Ok(())
}

/// Makes libfaketime available; gives what its program preloads, which the system's linker finds.
pub(crate) fn libfaketime() -> Result<String> {
    // The variant for programs with several threads.
    let preloaded = || run("faketime", &["-m", "-f", "+0", "printenv", "LD_PRELOAD"]).output();
    if let Ok(library) = preloaded() {
        return Ok(library.trim().to_owned());
    }
    debian("faketime", "the check with a moved clock")?;
    let library = preloaded().context(
        "the check with a moved clock needs libfaketime and its program `faketime`; install it (the package `faketime` of \
         Debian and Ubuntu, `libfaketime` elsewhere) and run this again",
    )?;
    Ok(library.trim().to_owned())
}

/// The suite's version, pinned so that every machine runs the same cases.
const AUTOBAHN: &str = "autobahntestsuite==0.8.2";

/// The last virtualenv that makes environments of Python 2.7 is older than this.
const VIRTUALENV: &str = "virtualenv<20.22";

/// Makes Autobahn's test suite available, in a virtual environment of its own under `target`; gives its program.
pub(crate) fn autobahn() -> Result<PathBuf> {
    let folder = root().join("target/autobahn");
    let (tools, environment) = (folder.join("tools"), folder.join("environment"));
    let suite = environment.join("bin/wstest");
    let interpreter = environment.join("bin/python");
    if suite.is_file()
        && run(
            &interpreter.to_string_lossy(),
            &["-c", "import autobahntestsuite"],
        )
        .succeeds()
    {
        return Ok(suite);
    }
    let Some(python) = python_2_7() else {
        bail!(
            "Autobahn's test suite runs on Python 2.7 alone, and there is none: neither as python2.7, python2 or python on the \
             PATH, nor among pyenv's versions. Install one, for instance with pyenv (`pyenv install 2.7.18`) or, where your \
             system still has it, as the package `python2.7`, and run this again"
        );
    };
    std::fs::remove_dir_all(&environment).ok();
    let (python, tools) = (python.to_string_lossy(), tools.to_string_lossy());
    run(
        &python,
        &[
            "-m",
            "pip",
            "install",
            "--quiet",
            "--upgrade",
            "--target",
            &tools,
            VIRTUALENV,
        ],
    )
    .go()
    .context(
        "pip could not install virtualenv; is the package index reachable? A Python without pip gets it with \
             `python2.7 -m ensurepip --user`",
    )?;
    run(
        &python,
        &["-m", "virtualenv", "--quiet", &environment.to_string_lossy()],
    )
    .env("PYTHONPATH", &tools)
    .go()?;
    run(&interpreter.to_string_lossy(), &["-m", "pip", "install", "--quiet", AUTOBAHN])
        .go()
        .context(
            "pip could not install Autobahn's test suite; is the package index reachable? Where there are no built packages \
             it needs a C compiler and the headers of Python, OpenSSL and libffi",
        )?;
    Ok(suite)
}

/// A Python 2.7: on the path, or among the versions of pyenv, whose stand-ins on the path may refuse to choose one.
fn python_2_7() -> Option<PathBuf> {
    let check = "import sys; sys.exit(sys.version_info[:2] != (2, 7))";
    let is_2_7 = |python: &PathBuf| run(&python.to_string_lossy(), &["-c", check]).succeeds();
    let on_path = ["python2.7", "python2", "python"].map(PathBuf::from);
    let pyenv = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    let versions = pyenv.and_then(|folder| std::fs::read_dir(folder.join("versions")).ok());
    let versions = versions.into_iter().flatten().flatten();
    let of_pyenv = versions.map(|version| version.path().join("bin/python2.7"));
    on_path.into_iter().chain(of_pyenv).find(is_2_7)
}

fn modified(path: &PathBuf) -> Option<std::time::SystemTime> {
    std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_node_is_told_from_one_that_will_do() {
        assert_eq!(node_version("v20.19.2\n"), Some((20, 19)));
        assert!(node_version("v18.20.4").is_some_and(|version| version < NODE));
        assert!(node_version("v26.0.0").is_some_and(|version| version >= NODE));
        assert_eq!(node_version(""), None);
    }
}
