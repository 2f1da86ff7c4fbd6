//! A server whose clock is moved by a day while clients are connected (`tests/clock`), under libfaketime.

use crate::process::{cargo, root};
use crate::tools;
use anyhow::Result;

/// Runs it; fails when a client is closed that should stay, and when the clock does not move.
pub(crate) fn clock() -> Result<()> {
    let library = tools::libfaketime()?;
    cargo(&["build", "-p", "moved-clock"]).go()?;
    let folder = root().join("target/clock");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(format!("moved-{}", std::process::id()));
    std::fs::write(&file, "+0\n")?;
    // What is built already is run as it is: cargo compiles nothing under the library.
    let outcome = cargo(&["run", "--quiet", "-p", "moved-clock"])
        .env("LD_PRELOAD", &library)
        .env("FAKETIME_TIMESTAMP_FILE", &file.to_string_lossy())
        // The program moves its clock while it runs, so that the file is read for every look at the clock.
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("NO_FAKE_STAT", "1")
        .go();
    std::fs::remove_file(&file).ok();
    outcome
}
