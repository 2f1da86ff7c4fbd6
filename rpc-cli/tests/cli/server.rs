//! Servers to be called, and how they are.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use rpc_runtime::auth::{Attempt, AuthError, Authenticator, Identity};
use rpc_runtime::{Context, Server, ServerBuilder, Status, services};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What a command has printed, and how it has ended.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Outcome {
    /// The standard output of a command that went well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// The lines of the standard output of a command that went well, as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Vec<Value> {
        let out = self.ok();
        out.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Runs `rpc` with this standard input.
pub(crate) fn rpc(args: &[&str], input: &str) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rpc"));
    for variable in ["RPC_SERVER", "RPC_TOKEN"] {
        command.env_remove(variable);
    }
    let mut process = command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read it may be over already.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    let output = process.wait_with_output().unwrap();
    Outcome {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A server in this process. It stops when this is dropped.
pub(crate) struct Serving {
    pub(crate) url: String,
    _stop: oneshot::Sender<()>,
}

impl Serving {
    pub(crate) fn start(builder: ServerBuilder) -> Self {
        Self::start_at("ws", "127.0.0.1", builder)
    }

    /// With the scheme and the name that clients use.
    pub(crate) fn start_at(scheme: &str, host: &str, builder: ServerBuilder) -> Self {
        let server = builder.build().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (told, port) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap().port()).unwrap();
                let stopped = async {
                    let _ = stopped.await;
                };
                server.serve_with_listener(listener, stopped).await;
            });
        });
        let port = port.recv().unwrap();
        Self {
            url: format!("{scheme}://{host}:{port}/rpc"),
            _stop: stop,
        }
    }

    pub(crate) fn rpc(&self, args: &[&str]) -> Outcome {
        self.rpc_with(args, "")
    }

    pub(crate) fn rpc_with(&self, args: &[&str], input: &str) -> Outcome {
        rpc(&[args, &["--server", &self.url]].concat(), input)
    }
}

/// Takes a token for the user's id.
struct Named;

impl Authenticator for Named {
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        let name = attempt.credential().text();
        name.map(Identity::new)
            .ok_or_else(|| AuthError::invalid("no name"))
    }
}

/// The framework's own services, with reflection for everybody and administration for `root`.
pub(crate) fn framework() -> ServerBuilder {
    Server::builder()
        .authenticator(Named)
        .service(services::session::gateway())
        .service(services::admin::gateway())
        .guard("admin", |cx: &Context| match cx.user() {
            Some("root") => Ok(()),
            Some(_) => Err(Status::permission_denied("this is for root")),
            None => Err(Status::unauthenticated("log in first")),
        })
        .reflection(true)
        .guard("reflection", |_: &Context| Ok(()))
}

/// The program of an example that runs as a server. Dropping it kills it.
pub(crate) struct Example {
    process: Child,
    pub(crate) url: String,
}

impl Example {
    /// Prices, streamed in every way.
    pub(crate) fn ticker() -> Self {
        let mut process = Command::new(program("ticker"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        said.read_line(&mut first).unwrap();
        // Whatever it says later has to find a reader.
        thread::spawn(move || said.lines().for_each(drop));
        let from = first.find("ws://").unwrap();
        let url = first[from..].split_whitespace().next().unwrap();
        let url = url.trim_end_matches(['.', ',']).to_owned();
        Self { process, url }
    }

    pub(crate) fn rpc(&self, args: &[&str]) -> Outcome {
        self.rpc_with(args, "")
    }

    pub(crate) fn rpc_with(&self, args: &[&str], input: &str) -> Outcome {
        rpc(&[args, &["--server", &self.url]].concat(), input)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An example's program, which a build of the whole workspace has left beside this one; it is built where it is not there.
fn program(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_BIN_EXE_rpc"));
    let path = here
        .with_file_name(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    if !path.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--package", name])
            .status();
        assert!(built.unwrap().success(), "{name} does not build");
    }
    path
}
