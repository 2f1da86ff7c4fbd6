//! Servers, people in rooms, and what they see.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use expect_test::Expect;

/// Something that should be on a screen by then does not come any more. No verdict: nothing waits for it where all goes well.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that is running. Dropping it kills its process.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    /// Where it says that the page is.
    pub(crate) page: String,
    pub(crate) home: Arc<tempfile::TempDir>,
}

impl Server {
    /// Serves on a free port, with a database of its own.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()), "127.0.0.1:0", args)
    }

    pub(crate) fn start_in(home: Arc<tempfile::TempDir>, address: &str, args: &[&str]) -> Self {
        let mut process = program()
            .args(["serve", "--listen", address, "--database"])
            .arg(home.path().join("chat.db"))
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        said.read_line(&mut first).unwrap();
        let page = said
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix("In a browser: ")?.to_owned()))
            .unwrap();
        let url = first.split([' ', ',']).find(|word| word.starts_with("ws://"));
        Server {
            url: url
                .unwrap_or_else(|| panic!("no address in {first:?}"))
                .to_owned(),
            page,
            process,
            home,
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.home.path().join("chat.db")
    }

    pub(crate) fn address(&self) -> String {
        let rest = self.url.strip_prefix("ws://").unwrap();
        rest.strip_suffix("/rpc").unwrap().to_owned()
    }

    /// Stops it in order, and starts it again where it was.
    pub(crate) fn restart(mut self, args: &[&str]) -> Self {
        let pid = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        assert!(self.process.wait().unwrap().success());
        Self::start_in(self.home.clone(), &self.address(), args)
    }

    /// A command that joins as a user.
    pub(crate) fn join(&self, user: &str, args: &[&str]) -> Command {
        join(&self.url, self.home.path(), user, args)
    }

    /// Somebody who comes in, and is registered first.
    pub(crate) fn comes(&self, user: &str, room: &str) -> Person {
        Person::of(self.join(user, &["--room", room, "--register"]))
    }

    /// Makes a user an administrator.
    pub(crate) fn promote(&self, user: &str) {
        let mut promote = program();
        promote.args(["promote", user, "--database"]).arg(self.database());
        Outcome::of(promote.output().unwrap()).check(expect_test::expect![[r"
            ann is an administrator
            exit 0
        "]]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A command that joins a server as a user, whose password is in a file.
pub(crate) fn join(url: &str, home: &Path, user: &str, args: &[&str]) -> Command {
    let file = home.join("password");
    std::fs::write(&file, "open sesame\n").unwrap();
    let mut command = program();
    command
        .args(["join", "--user", user, "--server", url, "--password-file"])
        .arg(file)
        .args(args);
    command
}

/// Somebody in front of the client. Dropping it ends the process.
pub(crate) struct Person {
    process: Child,
    typed: Option<ChildStdin>,
    seen: Receiver<String>,
}

impl Person {
    /// Begins a client.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (tell, seen) = channel();
        thread::spawn(move || {
            output
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| tell.send(line))
        });
        Person {
            typed: process.stdin.take(),
            process,
            seen,
        }
    }

    /// Types a line.
    pub(crate) fn types(&mut self, line: &str) {
        let typed = self.typed.as_mut().unwrap();
        typed.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The next line on the screen.
    pub(crate) fn sees(&self) -> String {
        self.seen.recv_timeout(PATIENCE).unwrap()
    }

    /// The next lines on the screen are these.
    pub(crate) fn sees_lines(&self, lines: &[&str]) {
        for line in lines {
            assert_eq!(self.sees(), *line);
        }
    }

    /// Leaves by the end of the input; nothing more is on the screen.
    pub(crate) fn leaves(mut self) {
        drop(self.typed.take());
        self.ends_with("exit 0\n");
    }

    /// The client ends by itself, and prints nothing but this.
    pub(crate) fn ends_with(mut self, expected: &str) {
        let status = self.process.wait().unwrap();
        let mut text: String = self.seen.iter().map(|line| line + "\n").collect();
        let errors = self.process.stderr.take().unwrap();
        text.extend(BufReader::new(errors).lines().map(|line| line.unwrap() + "\n"));
        assert_eq!(format!("{text}exit {}\n", status.code().unwrap()), expected);
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What lies between a client and a server, so that it can be cut.
pub(crate) struct Cable {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    is_cut: bool,
    open: Vec<TcpStream>,
}

impl Cable {
    pub(crate) fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/rpc", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let (carried, far) = (state.clone(), server.address());
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let mut state = carried.lock().unwrap();
                if let (false, Ok(far)) = (state.is_cut, TcpStream::connect(&far)) {
                    for (mut from, mut to) in [both(&near, &far), both(&far, &near)] {
                        state.open.push(from.try_clone().unwrap());
                        thread::spawn(move || {
                            let _ = std::io::copy(&mut from, &mut to);
                            let _ = to.shutdown(Shutdown::Write);
                        });
                    }
                }
            }
        });
        Cable { url, state }
    }

    /// Breaks what is connected, and lets nothing through.
    pub(crate) fn cut(&self) {
        let mut state = self.state.lock().unwrap();
        state.is_cut = true;
        for stream in state.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets what comes through again.
    pub(crate) fn mend(&self) {
        self.state.lock().unwrap().is_cut = false;
    }
}

fn both(one: &TcpStream, other: &TcpStream) -> (TcpStream, TcpStream) {
    (one.try_clone().unwrap(), other.try_clone().unwrap())
}

/// What a process printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome(pub(crate) String);

impl Outcome {
    pub(crate) fn of(output: Output) -> Self {
        Outcome(format!(
            "{}{}exit {}\n",
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
            output.status.code().unwrap()
        ))
    }

    /// Of a command that is given this standard input.
    pub(crate) fn with_input(mut command: Command, input: &str) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that has failed already does not read it.
        let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
        Outcome::of(process.wait_with_output().unwrap())
    }

    pub(crate) fn check(&self, expected: Expect) {
        // Help has lines of nothing but spaces, which editors and formatters move.
        let lines: Vec<&str> = self.0.lines().map(str::trim_end).collect();
        expected.assert_eq(&(lines.join("\n") + "\n"));
    }
}

/// The binary, without what the surroundings might set.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
    for variable in [
        "RUST_LOG",
        "CHAT_SERVER",
        "CHAT_LISTEN",
        "CHAT_DATABASE",
        "CHAT_PASSWORD_FILE",
        "CARGO",
    ] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

pub(crate) fn run(args: &[&str]) -> Outcome {
    Outcome::of(program().args(args).output().unwrap())
}
