//! A server with channels, and a subscriber of them.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Stdio};
use std::time::Duration;

use rpc_runtime::hub::{Anyone, Hub, Namespace, Notification, Retention, Users};
use rpc_runtime::{ServerBuilder, services};
use serde_json::{Value, json};

use crate::server::{Outcome, Serving, command, framework};

/// Rooms for users, which keep events; channels for all, in which any event is; and news, which nobody publishes.
pub(crate) fn with_hub() -> ServerBuilder {
    let rooms = Namespace::<(String,)>::new("room:{id}")
        .subscribe(Anyone)
        .history(Anyone)
        .publish(Users)
        .tell_publisher()
        .tell_reached()
        .keep(Retention {
            bytes: 8 << 20,
            ..Retention::of(100, Duration::from_secs(3_600))
        })
        .events::<Notification>();
    let wires = Namespace::<(String,)>::new("wire:{id}")
        .subscribe(Anyone)
        .publish(Anyone);
    let news = Namespace::<()>::new("news")
        .subscribe(Anyone)
        .events::<Notification>();
    let hub = Hub::builder().namespace(rooms).namespace(wires).namespace(news);
    framework()
        .service(services::hub::gateway())
        .hub(hub.build().unwrap())
}

/// `rpc subscribe`, which hears its channels already.
pub(crate) struct Subscriber {
    pub(crate) process: Child,
    err: BufReader<ChildStderr>,
}

impl Subscriber {
    pub(crate) fn start(url: &str, args: &[&str], last: &str) -> Self {
        let mut process = command()
            .arg("subscribe")
            .args(args)
            .args(["--server", url])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let err = BufReader::new(process.stderr.take().unwrap());
        let mut this = Self { process, err };
        this.until_said(&format!("hears {last}"));
        this
    }

    pub(crate) fn until_said(&mut self, expected: &str) {
        let mut said = String::new();
        while !said.contains(expected) {
            assert_ne!(self.err.read_line(&mut said).unwrap(), 0, "{said}");
        }
    }

    pub(crate) fn end(mut self) -> Outcome {
        let mut err = String::new();
        self.err.read_to_string(&mut err).unwrap();
        let output = self.process.wait_with_output().unwrap();
        Outcome {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err,
        }
    }
}

pub(crate) fn publish(server: &Serving, channel: &str, titles: &[&str]) -> Vec<Value> {
    let lines: String = titles
        .iter()
        .map(|title| format!("{}\n", json!({ "title": title })))
        .collect();
    let args = [
        "publish",
        channel,
        "Notification",
        "-",
        "--token",
        "ali",
        "--json",
    ];
    server.rpc_with(&args, &lines).json()
}
