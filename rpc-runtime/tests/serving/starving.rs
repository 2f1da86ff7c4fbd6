//! A server whose process has no descriptors left goes on with the clients that it has, and takes others when it has some
//! again. It is a process of its own, because the limit is a process's.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use rpc_runtime::{Client, Server, ServerLimits};

use crate::{
    handshake::listen_as,
    probe::{ProbeGateway, call, order},
    raw::Log,
};

/// The test, which both processes run.
const TEST: &str =
    "starving::without_descriptors_a_server_serves_on_without_spinning_and_accepts_again_once_it_has_some";

/// Set for the process that is the server.
const IS_SERVER: &str = "RPC_TEST_STARVING_SERVER";

/// The server: says where it listens; takes all descriptors and lets them go again when it is told to.
async fn starve() {
    let (log, _guard) = Log::capture();
    let limits = ServerLimits {
        handshakes: 8,
        ..ServerLimits::default()
    };
    let builder = Server::builder()
        .service(ProbeGateway::default())
        .server_limits(limits);
    let (_server, addr, _stop) = listen_as(builder).await;
    say(&addr.to_string());
    let mut taken = Vec::new();
    loop {
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map(|_| line)
        });
        match line.await.unwrap().unwrap().trim() {
            "starve" => {
                let error = loop {
                    match File::open("/dev/null") {
                        Ok(file) => taken.push(file),
                        Err(error) => break error,
                    }
                };
                say(&format!("errno {}", error.raw_os_error().unwrap()));
            }
            "feed" => {
                taken.clear();
                let told = log.lines();
                let told = told
                    .iter()
                    .filter(|line| line.contains("connections cannot be accepted"));
                say(&format!("told {}", told.count()));
            }
            _ => return,
        }
    }
}

fn say(what: &str) {
    println!("server: {what}");
    std::io::stdout().flush().unwrap();
}

/// The other process.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start() -> Self {
        let program = std::env::current_exe().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""])
            .arg(program)
            .args(["--exact", TEST, "--nocapture"])
            .env(IS_SERVER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self {
            child,
            input,
            output: BufReader::new(output),
        }
    }

    /// What it says next; what the test's own frame prints is passed over.
    fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.output.read_line(&mut line).unwrap(),
                0,
                "the server has ended"
            );
            if let Some((_, said)) = line.split_once("server: ") {
                return said.trim().to_owned();
            }
        }
    }

    fn tell(&mut self, what: &str) -> String {
        writeln!(self.input, "{what}").unwrap();
        self.hear()
    }

    /// Processor time so far, in ticks, of which a second has 100.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // Behind the name, which may hold anything, come the fields from the third.
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let fields: Vec<_> = fields.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn without_descriptors_a_server_serves_on_without_spinning_and_accepts_again_once_it_has_some() {
    const EMFILE: &str = "errno 24";
    if std::env::var_os(IS_SERVER).is_some() {
        return starve().await;
    }
    let mut server = Process::start();
    let addr = server.hear();
    let client = Client::connect(&format!("ws://{addr}/rpc")).await.unwrap();
    assert_eq!(server.tell("starve"), EMFILE);
    // The system accepts it; the server cannot.
    let mut waiting = TcpStream::connect(&addr).unwrap();
    waiting
        .write_all(b"GET /elsewhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    let (began, ticks) = (Instant::now(), server.ticks());
    while began.elapsed() < Duration::from_secs(3) {
        assert_eq!(
            call(&client, "Echo", &order("milk")).await.unwrap(),
            order("milk")
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let share = (server.ticks() - ticks) as f64 / began.elapsed().as_secs_f64();
    println!("processor time while starved: {share:.1} %");
    // A server that tries again and again takes a whole processor; this one, with its 30 calls, some percent.
    assert!(share < 50.0, "{share:.1} % of a processor");
    assert_eq!(server.tell("feed"), "told 1", "once, and not for every attempt");
    let answer = tokio::task::spawn_blocking(move || {
        let mut answer = String::new();
        BufReader::new(waiting).read_line(&mut answer).map(|_| answer)
    });
    assert!(answer.await.unwrap().unwrap().starts_with("HTTP/1.1 404"));
    Client::connect(&format!("ws://{addr}/rpc")).await.unwrap();
}
