//! What is otherwise on a terminal, of which these tests hold the other end.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::server::{Example, Serving, command, framework};

const WATCH: [&str; 3] = ["stream", "Watch", r#"{"symbol": "ACME", "every": "0.01s"}"#];

/// One that is recorded.
const PRICE: &str = "{\"symbol\": \"ACME\", \"cents\": 5}\n";

/// A terminal: the end that shows what is written to it, and the end that a program writes to.
fn terminal() -> (File, File) {
    let shown = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&shown).unwrap();
    unlockpt(&shown).unwrap();
    let name = ptsname(&shown, Vec::new()).unwrap();
    let path = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
    let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
    let written = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open(path);
    (File::from(shown), written.unwrap())
}

/// All that comes until nobody writes any more, which some systems tell by an error.
fn all_of(mut shown: File) -> String {
    let mut text = Vec::new();
    let mut some = [0; 4_096];
    while let Ok(read @ 1..) = shown.read(&mut some) {
        text.extend_from_slice(&some[..read]);
    }
    String::from_utf8(text).unwrap()
}

/// What a command shows on a terminal that is both of its outputs.
fn on_a_terminal(server: &Serving, args: &[&str], environment: &[(&str, &str)]) -> String {
    let (shown, written) = terminal();
    let mut process = command()
        .args(args)
        .args(["--server", &server.url])
        .env("TERM", "xterm-256color")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(written.try_clone().unwrap())
        .stderr(written)
        .spawn()
        .unwrap();
    let text = all_of(shown);
    process.wait().unwrap();
    text
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let server = Serving::start(framework());
    let info = ["call", "Info"];
    for (args, text) in [
        (&info[..], "/rpc"),
        (&["list"], "SessionService"),
        (&["describe", "SessionService"], "Info"),
        (&["bench", "Info", "-n", "1", "--warm-up", "0"], "p99.9"),
        (&["call", "Stats"], "UNAUTHENTICATED"),
        (&["subscribe", "room:5"], "UNIMPLEMENTED"),
    ] {
        let shown = on_a_terminal(&server, args, &[]);
        assert!(
            shown.contains('\u{1b}') && shown.contains(text),
            "{args:?}: {shown:?}"
        );
        for unwanted in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let shown = on_a_terminal(&server, args, &[unwanted]);
            assert!(
                !shown.contains('\u{1b}') && shown.contains(text),
                "{unwanted:?}: {shown:?}"
            );
        }
    }
    let shown = on_a_terminal(&server, &[&info[..], &["--json"]].concat(), &[]);
    assert!(!shown.contains('\u{1b}') && shown.contains("/rpc"), "{shown:?}");
}

/// Reads until a line has this.
fn until_shown(shown: File, expected: &str) {
    let mut lines = BufReader::new(shown).lines();
    let found = lines.any(|line| line.unwrap().contains(expected));
    assert!(found, "{expected}");
}

#[test]
fn progress_is_told_to_a_terminal_beside_the_output_and_to_nothing_else() {
    let server = Example::ticker();
    let start = |args: &[&str], out: Stdio, err: Stdio| {
        let mut command = command();
        command
            .args(args)
            .args(["--server", &server.url])
            .stdin(Stdio::null());
        command.stdout(out).stderr(err).spawn().unwrap()
    };
    // It lasts longer than the one that tells how far it is.
    let mut silent = start(&WATCH, Stdio::null(), Stdio::piped());
    let (shown, written) = terminal();
    let mut told = start(&WATCH, Stdio::null(), written.into());
    until_shown(shown, " messages in ");
    let (shown, written) = terminal();
    let quote = [
        "bench",
        "Quote",
        r#"{"symbol": "ACME"}"#,
        "--for",
        "1h",
        "--warm-up",
        "0",
    ];
    let mut measuring = start(&quote, Stdio::null(), written.into());
    until_shown(shown, " calls per second, p99 ");
    // What is sent has no output before the end, wherever that goes.
    let (shown, written) = terminal();
    let mut orders = command();
    orders
        .args(["stream", "Record", "--server", &server.url])
        .stdin(Stdio::piped())
        .stdout(written.try_clone().unwrap())
        .stderr(written);
    let mut sending = orders.spawn().unwrap();
    drop(orders);
    let mut lines = sending.stdin.take().unwrap();
    let sender = std::thread::spawn(move || while lines.write_all(PRICE.as_bytes()).is_ok() {});
    until_shown(shown, " messages sent in ");
    for process in [&mut silent, &mut told, &mut measuring, &mut sending] {
        process.kill().unwrap();
        process.wait().unwrap();
    }
    sender.join().unwrap();
    let mut err = String::new();
    silent.stderr.unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(err, "");
}
