//! A PostgreSQL of our own for the tests that need one: a fresh cluster in a temporary folder, on a free port of the
//! loopback address, stopped by its own process when the tests are done.

use crate::process::run;
use anyhow::{Context, Result, bail};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// A running server.
#[derive(Debug)]
pub(crate) struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    /// `postgres://…`
    pub(crate) url: String,
}

impl Postgres {
    /// Starts one; installs PostgreSQL where that is possible.
    pub(crate) fn start() -> Result<Self> {
        let programs = programs()?;
        let folder = std::env::temp_dir().join(format!("rpc-postgres-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        if is_root() {
            // PostgreSQL refuses to run as root; its package brings a user of its own.
            run("chown", &["postgres", &text(&folder)]).go()?;
        }
        let data = text(&folder.join("data"));
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Self {
            programs,
            folder,
            url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
        };
        server.run(
            "initdb",
            &["-D", &data, "-U", "postgres", "--auth=trust", "--no-sync"],
        )?;
        let options = format!("-p {port} -h 127.0.0.1 -k {} -F", text(&server.folder));
        let log = text(&server.folder.join("log"));
        server
            .run(
                "pg_ctl",
                &["-D", &data, "-o", &options, "-l", &log, "-w", "start"],
            )
            .with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;
        Ok(server)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let program = text(&self.programs.join(program));
        let mut all = vec![program.as_str()];
        all.extend(arguments);
        match is_root() {
            true => {
                let mut runuser = vec!["-u", "postgres", "--"];
                runuser.extend(all);
                run("runuser", &runuser).at(&self.folder).output()
            }
            false => run(all[0], &all[1..]).at(&self.folder).output(),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = text(&self.folder.join("data"));
        if let Err(error) = self.run("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]) {
            eprintln!("xtask: {error:#}");
        }
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// The folder with `initdb` and `pg_ctl`.
fn programs() -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    if is_root() && run("apt-get", &["--version"]).succeeds() {
        println!("\nPostgreSQL is not here; installing Debian's package for the storage tests.");
        let install = || {
            run("apt-get", &["install", "-y", "-q", "postgresql"]).env("DEBIAN_FRONTEND", "noninteractive")
        };
        if install().go().is_err() {
            run("apt-get", &["update", "-q"]).go()?;
            install().go()?;
        }
    }
    match find() {
        Some(found) => Ok(found),
        None => bail!(
            "the storage tests need PostgreSQL's server programs; install the package `postgresql` and run this again"
        ),
    }
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // Debian keeps them beside the version, out of the path.
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders
        .into_iter()
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

fn is_root() -> bool {
    run("id", &["-u"]).output().is_ok_and(|id| id.trim() == "0")
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
