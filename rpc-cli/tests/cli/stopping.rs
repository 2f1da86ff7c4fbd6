//! `rpc subscribe` is told to stop: by Ctrl-C or by SIGTERM, whatever it waits for.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};

use rpc_runtime::{Context, Guard, Server, Status};

use crate::channels::{Subscriber, publish, with_hub};
use crate::server::{Serving, command};

fn tell(process: &Child, signal: &str) {
    let killed = Command::new("kill")
        .args([signal, &process.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
}

#[test]
fn it_ends_in_order_and_without_a_connection_as_well() {
    for signal in ["-INT", "-TERM"] {
        for is_away in [false, true] {
            let server = Serving::start(with_hub());
            let mut subscriber = Subscriber::start(&server.url, &["room:5"], "room:5");
            if is_away {
                server.stop();
                subscriber.until_said("the connection is lost");
            }
            tell(&subscriber.process, signal);
            let outcome = subscriber.end();
            assert!(outcome.err.contains("0 events"), "{}", outcome.err);
            assert_eq!(outcome.ok(), "");
        }
    }
}

/// Says that it was asked, and does not answer.
struct Hangs(Sender<()>);

impl Guard for Hangs {
    async fn check(&self, _: &Context) -> Result<(), Status> {
        self.0.send(()).unwrap();
        std::future::pending().await
    }
}

#[test]
fn it_ends_while_the_server_does_not_say_what_there_is() {
    for signal in ["-INT", "-TERM"] {
        let (ask, asked) = mpsc::channel();
        let server = Server::builder().reflection(true).guard("reflection", Hangs(ask));
        let server = Serving::start(server);
        let process = command()
            // Else it ends by that, and as a failure.
            .args(["subscribe", "room:5", "--deadline", "10s", "-s", &server.url])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        asked.recv().unwrap();
        tell(&process, signal);
        let output = process.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{signal}: {said}");
    }
}

/// Whoever reads the output may have stopped to do so, with all that it takes to hold the program up.
#[test]
fn it_ends_when_it_is_told_a_second_time_and_waits_for_its_reader() {
    let server = Serving::start(with_hub());
    // Each of them is shown by six, for which no pipe has room: once the first byte is there, it waits until the last is read.
    publish(&server, "room:5", &[&"\u{1}".repeat(60 << 10)]);
    let mut process = command()
        .args(["subscribe", "room:5", "--last", "1", "-s", &server.url])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::with_capacity(1, process.stdout.take().unwrap());
    assert!(!out.fill_buf().unwrap().is_empty());
    // Two that come at once are one.
    let status = loop {
        if let Some(status) = process.try_wait().unwrap() {
            break status;
        }
        tell(&process, "-INT");
    };
    assert_eq!(status.code(), Some(130));
}
