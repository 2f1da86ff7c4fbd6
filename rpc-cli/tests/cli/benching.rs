//! Calls that are measured.

use std::io::Read;
use std::process::Stdio;

use rpc_runtime::{Limits, ServerLimits};
use serde_json::{Value, json};

use crate::calling::set_file;
use crate::server::{Example, Serving, command, framework, rpc};

const QUOTE: &str = r#"{"symbol": "ACME"}"#;

#[test]
fn so_many_calls_are_measured_as_were_asked_for_and_shown_for_programs() {
    let server = Example::ticker();
    let args = [
        "bench",
        "Quote",
        QUOTE,
        "--connections",
        "2",
        "-c",
        "3",
        "-n",
        "200",
        "--warm-up",
        "50ms",
        "--json",
    ];
    let report = server.rpc(&args).json().remove(0);
    for (name, expected) in [
        ("method", json!("ticker.TickerService/Quote")),
        ("connections", json!(2)),
        ("concurrency", json!(3)),
        ("loop", json!("closed")),
        ("warmUpSeconds", json!(0.05)),
        ("calls", json!(200)),
        ("statuses", json!({"OK": 200})),
        ("unanswered", json!(0)),
        ("notMade", json!(0)),
        ("interrupted", json!(false)),
    ] {
        assert_eq!(report[name], expected, "{name}: {report}");
    }
    let latency = |name: &str| report["latencyMicros"][name].as_f64().unwrap();
    let order = ["min", "p50", "p90", "p99", "p99.9", "max"].map(latency);
    assert!(order[0] > 0.0 && order.is_sorted(), "{report}");
    assert!((order[0]..=order[5]).contains(&latency("mean")), "{report}");
    let (seconds, rate) = (
        report["seconds"].as_f64().unwrap(),
        report["ratePerSecond"].as_f64().unwrap(),
    );
    assert!((seconds * rate - 200.0).abs() < 0.001, "{report}");
    let busy = report["clientBusy"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&busy), "{report}");
}

#[test]
fn figures_for_people_say_what_was_done_and_what_a_closed_loop_hides() {
    let server = Example::ticker();
    let outcome = server.rpc(&["bench", "Quote", QUOTE, "-n", "50", "--warm-up", "0"]);
    assert_eq!(outcome.err, "", "progress is for terminals");
    let out = outcome.ok();
    for part in [
        "ticker.TickerService/Quote\n",
        "16 in flight on 1 connection, ",
        " calls per second\n",
        "OK 50\n",
        "p99.9",
        "Closed loop: ",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(!out.contains("warm-up"), "there was none: {out}");
    assert!(!out.contains('\u{1b}'), "colours in a pipe: {out:?}");
}

#[test]
fn a_time_ends_it_and_a_rate_is_kept() {
    let server = Example::ticker();
    let args = [
        "bench",
        "Quote",
        QUOTE,
        "--rate",
        "200",
        "--for",
        "2s",
        "--warm-up",
        "0",
        "--json",
    ];
    let report = server.rpc(&args).json().remove(0);
    assert_eq!(
        (&report["loop"], &report["ratePerSecondAsked"]),
        (&json!("open"), &json!(200))
    );
    let (made, not_made) = (
        report["calls"].as_u64().unwrap(),
        report["notMade"].as_u64().unwrap(),
    );
    assert!(made > 0, "{report}");
    // So many are due in two seconds, whatever this machine has made of them; and some more where it has ended them late.
    let due = made + not_made;
    let most = report["seconds"].as_f64().unwrap() * 200.0 + 1.0;
    assert!(due >= 400 && due as f64 <= most, "{report}");
    let args = [
        "bench",
        "Quote",
        QUOTE,
        "--rate",
        "1000",
        "-n",
        "20",
        "--warm-up",
        "0",
    ];
    let report = server.rpc(&[&args[..], &["--json"]].concat()).json().remove(0);
    assert_eq!(report["statuses"], json!({"OK": 20}));
    // The last of them is due then.
    assert!(report["seconds"].as_f64().unwrap() >= 0.019, "{report}");
    let out = server.rpc(&args).ok();
    assert!(out.contains("1,000 per second, at most 16 in flight"), "{out}");
    assert!(!out.contains("Closed loop"), "{out}");
}

#[test]
fn the_request_comes_from_a_file_or_the_standard_input_and_the_schema_from_a_descriptor_set() {
    let reflecting = Serving::start(framework());
    let set = set_file(&reflecting, "rpc.session.v1.SessionService");
    let folder = tempfile::tempdir().unwrap();
    let request = folder.path().join("request.json");
    std::fs::write(&request, "{}").unwrap();
    let silent = Serving::start(framework().reflection(false));
    for data in ["-".to_owned(), format!("@{}", request.display())] {
        let set = ["--descriptor-set", set.path().to_str().unwrap()];
        let args = [
            "bench",
            "Info",
            &data,
            "-n",
            "5",
            "--warm-up",
            "0",
            "--json",
            "--token",
            "ali",
        ];
        let report = silent
            .rpc_with(&[&args[..], &set[..]].concat(), "{}")
            .json()
            .remove(0);
        assert_eq!(report["statuses"], json!({"OK": 5}));
    }
}

#[test]
fn calls_that_fail_are_counted_by_status_and_the_most_frequent_one_is_the_exit_code() {
    let server = Example::ticker();
    let args = [
        "bench",
        "Quote",
        r#"{"symbol": "NOPE"}"#,
        "-n",
        "20",
        "--warm-up",
        "0",
        "--json",
    ];
    let outcome = server.rpc(&args);
    assert_eq!(outcome.code, 5, "{}", outcome.err);
    assert!(
        outcome.err.contains("error: 20 of 20 calls failed: NOT_FOUND"),
        "{}",
        outcome.err
    );
    let report: Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(report["statuses"], json!({"OK": 0, "NOT_FOUND": 20}));
    assert_eq!(report["latencyMicros"], json!({}));
    // Its method's own deadline.
    let late = r#"{"symbol":"ACME","ticks":100000}"#;
    let outcome = server.rpc(&["bench", "Report", late, "-n", "2", "--warm-up", "0"]);
    assert_eq!(outcome.code, 4, "{}", outcome.err);
    assert!(
        outcome.out.contains("OK 0, DEADLINE_EXCEEDED 2\n"),
        "{}",
        outcome.out
    );
}

#[test]
fn what_cannot_be_measured_is_told_before_anything_is_called() {
    let server = Example::ticker();
    for (args, code, part) in [
        (&["bench", "Watch"][..], 64, "server streaming"),
        (&["bench", "Shout", "\"hello\""], 64, "one way"),
        (&["bench", "Qoute"], 64, "did you mean"),
        (&["bench", "Quote", "{\"symbol\": 5}"], 65, "<argument>:1:12: "),
        (&["bench", "Quote", "@/nowhere.json"], 66, "/nowhere.json"),
        (&["bench", "Quote", QUOTE, "--connections", "0"], 64, "1..=10000"),
        (&["bench", "Quote", QUOTE, "--for", "0s"], 64, "no time at all"),
    ] {
        let outcome = server.rpc(args);
        assert_eq!(outcome.code, code, "{args:?}: {}", outcome.err);
        assert!(outcome.err.contains(part), "{part}: {}", outcome.err);
        assert_eq!(outcome.out, "");
    }
    let denied = Serving::start(framework());
    let args = ["bench", "Stats", "-n", "3", "--warm-up", "0", "--token", "ali"];
    let outcome = denied.rpc(&args);
    assert_eq!(outcome.code, 7, "{}", outcome.err);
    assert!(outcome.err.contains("this is for root"), "{}", outcome.err);
    let url = denied.url.clone();
    denied.stop();
    let outcome = rpc(&["bench", "Stats", "-s", &url], "");
    assert_eq!(outcome.code, 14, "{}", outcome.err);
}

#[test]
fn connections_that_the_server_does_not_take_are_told() {
    let limits = ServerLimits {
        connections: 2,
        ..ServerLimits::default()
    };
    let server = Serving::start(framework().server_limits(limits));
    let outcome = server.rpc(&["bench", "Info", "--connections", "4", "-n", "1"]);
    assert_eq!(outcome.code, 14, "{}", outcome.err);
    assert!(outcome.err.contains("503"), "{}", outcome.err);
    assert!(outcome.err.contains("hint: try again later"), "{}", outcome.err);
}

/// A program that says on its standard error that calls fail, which is how one knows that it makes them.
fn endless(url: &str) -> std::process::Child {
    let mut process = command()
        .args([
            "bench",
            "Stats",
            "--for",
            "1h",
            "--warm-up",
            "0",
            "--json",
            "--server",
            url,
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = [0_u8; 20];
    process.stderr.as_mut().unwrap().read_exact(&mut said).unwrap();
    assert_eq!(&said[..], b"a call has failed, w");
    process
}

#[cfg(unix)]
#[test]
fn ctrl_c_prints_what_was_measured_so_far() {
    let server = Serving::start(framework());
    let process = endless(&server.url);
    let pid = process.id().to_string();
    let killed = std::process::Command::new("kill").args(["-INT", &pid]).status();
    assert!(killed.unwrap().success());
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(16));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["interrupted"], true);
    let (all, unanswered) = (
        report["calls"].as_u64().unwrap(),
        report["unanswered"].as_u64().unwrap(),
    );
    assert!(unanswered <= 16, "{report}");
    assert_eq!(
        report["statuses"]["UNAUTHENTICATED"].as_u64().unwrap() + unanswered,
        all
    );
}

#[test]
fn a_server_that_goes_ends_it_with_what_was_measured() {
    let server = Serving::start(framework());
    let process = endless(&server.url);
    server.stop();
    let output = process.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["interrupted"], false);
    assert!(
        report["statuses"]["UNAVAILABLE"].as_u64().unwrap() > 0,
        "{report}"
    );
    assert_eq!(report["unanswered"], 0);
}

#[test]
fn more_calls_than_a_connection_takes_are_told_and_more_than_a_program_can_have_are_refused() {
    let limits = Limits {
        streams: 4,
        ..Limits::default()
    };
    let server = Serving::start(framework().limits(limits));
    let bench =
        |args: &[&str]| server.rpc(&[&["bench", "Info", "-n", "20", "--warm-up", "0"], args].concat());
    for (args, told) in [(&["-c", "4"][..], false), (&["-c", "5"], true)] {
        let outcome = bench(args);
        assert_eq!(
            outcome.err.contains("takes 4 calls at a time"),
            told,
            "{}",
            outcome.err
        );
        outcome.ok();
    }
    let outcome = bench(&["--connections", "1000", "-c", "101"]);
    assert_eq!(outcome.code, 64, "{}", outcome.err);
    assert!(outcome.err.contains("more than 100000"), "{}", outcome.err);
}
