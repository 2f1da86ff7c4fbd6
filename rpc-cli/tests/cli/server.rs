//! Servers to be called, and how they are.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;

use rpc_runtime::auth::{Attempt, AuthError, Authenticator, Identity};
use rpc_runtime::{Context, Server, ServerBuilder, Status, services};
use serde_json::Value;
use tokio::net::TcpSocket;
use tokio::sync::oneshot;

/// What a command has printed, and how it has ended.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
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

/// The command, which knows nothing of where the tests run.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rpc"));
    for variable in [
        "RPC_SERVER",
        "RPC_TOKEN",
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "CI",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Runs `rpc` with this standard input.
pub(crate) fn rpc(args: &[&str], input: &str) -> Outcome {
    let mut process = command()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read it may be over already.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    process.wait_with_output().unwrap().into()
}

/// An address on which nobody listens, and nobody else will as long as this is there.
pub(crate) struct Nobody(TcpSocket);

impl Nobody {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self(socket)
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/rpc", self.0.local_addr().unwrap())
    }
}

/// A server in this process. It stops when this is dropped.
pub(crate) struct Serving {
    pub(crate) url: String,
    listener: TcpListener,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Serving {
    pub(crate) fn start(builder: ServerBuilder) -> Self {
        Self::start_at("ws", "127.0.0.1", builder)
    }

    /// With the scheme and the name that clients use.
    pub(crate) fn start_at(scheme: &str, host: &str, builder: ServerBuilder) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self::start_on(listener, scheme, host, builder)
    }

    /// Where one was that has stopped.
    pub(crate) fn start_again(listener: TcpListener, builder: ServerBuilder) -> Self {
        Self::start_on(listener, "ws", "127.0.0.1", builder)
    }

    fn start_on(listener: TcpListener, scheme: &str, host: &str, builder: ServerBuilder) -> Self {
        let server = builder.build().unwrap();
        let (stop, stopped) = oneshot::channel();
        let of_server = listener.try_clone().unwrap();
        of_server.set_nonblocking(true).unwrap();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(of_server).unwrap();
                let stopped = async {
                    let _ = stopped.await;
                };
                server.serve_with_listener(listener, stopped).await;
            });
        });
        Self {
            url: format!("{scheme}://{host}:{}/rpc", listener.local_addr().unwrap().port()),
            listener,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Stops it, and waits until it has. What it listened on is left, where another can be started: whoever connects waits for that.
    /// Without it nobody is there.
    pub(crate) fn stop(mut self) -> TcpListener {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
        self.listener
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
        Self::start("ticker", &[])
    }

    /// Rooms to talk in, with users who are known by tokens.
    pub(crate) fn chat() -> Self {
        Self::start("chat", &["--memory"])
    }

    /// A list of tasks in a database, which a contract with a controller makes.
    pub(crate) fn tasks() -> Self {
        Self::start("tasks", &["--memory"])
    }

    /// Makes a user known to the chat, and gives what it is known by.
    pub(crate) fn token_of(&self, name: &str) -> String {
        let auth = self.url.replace("/rpc", "/auth");
        let request = format!(r#"{{"name": "{name}", "password": "open sesame"}}"#);
        let login = rpc(&["call", "Register", &request, "--json", "-s", &auth], "").json();
        login[0]["token"].as_str().unwrap().to_owned()
    }

    fn start(name: &str, args: &[&str]) -> Self {
        let mut process = Command::new(program(name))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let where_it_is = |line: std::io::Result<String>| {
            let line = line.unwrap();
            let from = line.find("ws://")?;
            let url = line[from..].split_whitespace().next()?;
            Some(url.trim_end_matches(['.', ',']).to_owned())
        };
        let url = said.find_map(where_it_is).unwrap();
        // Whatever it says later has to find a reader.
        thread::spawn(move || said.for_each(drop));
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

/// An example's program.
fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    BUILT.get_or_init(build_examples)[name].clone()
}

/// Asks cargo for the examples once, which knows best what they are made of, and says where they are.
///
/// Where `cargo test --workspace` has built everything, nothing is left to be built: it is asked for a part of the same, in the same
/// profile. `--workspace` gives them the features that all packages together ask for; `--examples`, of which cargo knows none here, also
/// those that only tests do. And cargo leaves debug information out of a library that build scripts alone link: of the programs
/// `breaking-corpus` links rpc-build itself, so that it is the one that is there.
fn build_examples() -> HashMap<String, PathBuf> {
    let here = Path::new(env!("CARGO_BIN_EXE_rpc"));
    let profile = here.parent().and_then(Path::file_name).unwrap();
    let profile = match profile.to_str().unwrap() {
        "debug" => "dev",
        named => named,
    };
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo says of this package to its tests. Build scripts that look at it, such as ring's, would run again, and all behind them.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    let built = cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--workspace", "--examples", "--profile", profile])
        .args(["--bin", "chat", "--bin", "tasks", "--bin", "ticker"])
        .args(["--bin", "breaking-corpus"])
        .args(["--quiet", "--message-format", "json"])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(built.status.success(), "the examples do not build");
    let said = String::from_utf8(built.stdout).unwrap();
    let artifacts = said.lines().filter_map(|line| {
        let artifact: Value = serde_json::from_str(line).ok()?;
        let program = artifact["executable"].as_str()?.into();
        Some((artifact["target"]["name"].as_str()?.to_owned(), program))
    });
    artifacts.collect()
}
