//! What goes wrong, and what is said then.

use std::net::TcpListener;

use rpc_runtime::{Context, Guard, Status};

use crate::server::{Example, Nobody, Outcome, Serving, framework, rpc};

#[track_caller]
pub(crate) fn failed(outcome: &Outcome, code: i32, parts: &[&str]) {
    assert_eq!(outcome.code, code, "{}{}", outcome.out, outcome.err);
    assert!(outcome.err.starts_with("error: "), "{}", outcome.err);
    for part in parts {
        assert!(outcome.err.contains(part), "{part}: {}", outcome.err);
    }
}

/// What each command that connects makes of these options.
pub(crate) fn each(args: &[&str]) -> impl Iterator<Item = Outcome> {
    let commands = [
        &["list"][..],
        &["describe", "Info"],
        &["call", "Info"],
        &["stream", "Info"],
        &["subscribe", "room:5"],
        &["publish", "room:5", "rpc.hub.v1.Notification"],
        &["bench", "Info", "-n", "1", "--warm-up", "0"],
    ];
    commands.into_iter().map(move |command| {
        println!("{command:?} {args:?}");
        rpc(&[command, args].concat(), "")
    })
}

#[test]
fn without_a_server_it_says_where_nobody_listens_and_what_to_do() {
    let nobody = Nobody::new();
    let url = nobody.url();
    for outcome in each(&["-s", &url]) {
        let parts = ["cannot connect to", &url, "hint: is the server running there?"];
        failed(&outcome, 14, &parts);
    }
}

#[test]
fn a_url_that_leads_nowhere_is_told_with_what_a_url_is() {
    for outcome in each(&["--server", "http//nowhere"]) {
        failed(
            &outcome,
            14,
            &["cannot connect", "a URL such as ws://127.0.0.1:3000/rpc"],
        );
    }
    let server = Serving::start(framework());
    let url = server.url.replace("/rpc", "/elsewhere");
    let parts = ["404", "nothing is served on this path", "the path of an endpoint"];
    failed(&rpc(&["list", "--server", &url], ""), 14, &parts);
}

#[test]
fn a_method_that_there_is_not_is_told_with_the_one_that_was_meant() {
    let server = Example::ticker();
    failed(
        &server.rpc(&["call", "ticker.TickerService/Qoute"]),
        64,
        &[
            "no method `ticker.TickerService/Qoute`",
            "did you mean `ticker.TickerService/Quote`?",
        ],
    );
    failed(
        &server.rpc(&["stream", "ticker.TickerService/Wacth"]),
        64,
        &["did you mean `ticker.TickerService/Watch`?"],
    );
    failed(&server.rpc(&["call", "Nothing"]), 64, &["`rpc list`"]);
    failed(&server.rpc(&["describe", "ticker.Qoute"]), 64, &["did you mean"]);
    failed(
        &server.rpc(&["list", "tocker"]),
        64,
        &["no service or package `tocker`"],
    );
}

#[test]
fn a_type_that_lies_in_another_or_is_an_event_is_found_and_meant_as_well() {
    let server = Example::chat();
    let token = &server.token_of("ann");
    let describe = |name: &str| server.rpc(&["describe", name, "--token", token]);
    for (end, full_name) in [("Room", "chat.Room"), ("Typing", "chat.Typing")] {
        let said = describe(end).ok();
        assert!(said.contains(&format!("message {full_name} {{")), "{said}");
    }
    for (slip, meant) in [("chat.Rom", "chat.Room"), ("Typng", "chat.Typing")] {
        let hint = format!("did you mean `{meant}`?");
        failed(&describe(slip), 64, &[&format!("`{slip}`"), &hint]);
    }
    failed(&describe("Nothing"), 64, &["`rpc list`"]);
}

#[test]
fn wrong_json_is_told_with_its_place_and_nothing_is_called() {
    let server = Example::ticker();
    let outcome = server.rpc(&["call", "Quote", "{\n  \"symbol\": 5\n}"]);
    failed(
        &outcome,
        65,
        &["<argument>:2:13: ", "rpc describe ticker.QuoteRequest"],
    );
    let outcome = server.rpc(&["call", "Quote", "{\"colour\": 5}"]);
    failed(&outcome, 65, &["<argument>:1:", "colour"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.json");
    std::fs::write(&path, "{\n\"symbol\": \"ACME\"").unwrap();
    let outcome = server.rpc(&["call", "Quote", &format!("@{}", path.display())]);
    failed(&outcome, 65, &["bad.json:2:16: "]);
}

#[test]
fn a_line_of_a_stream_that_is_wrong_is_told_with_its_number_and_ends_the_call() {
    let server = Example::ticker();
    let lines = "{\"symbol\":\"ACME\",\"shares\":1}\n\n{\"symbol\":\"ACME\",\"shares\":\"x\"}\n{\"symbol\":\"ACME\"}\n";
    let outcome = server.rpc_with(&["stream", "Trade", "-"], lines);
    failed(&outcome, 65, &["<stdin>:3:"]);
    let outcome = server.rpc_with(
        &["stream", "Record", "-"],
        "{\"symbol\":\"ACME\",\"cents\":1}\nno\n",
    );
    failed(&outcome, 65, &["<stdin>:2:"]);
    assert_eq!(outcome.out, "", "half of it is not summed up");
}

#[test]
fn a_call_that_the_server_refuses_ends_with_the_number_of_its_status() {
    let ticker = Example::ticker();
    let outcome = ticker.rpc(&["call", "Quote", "{\"symbol\": \"acme\"}"]);
    failed(&outcome, 3, &["INVALID_ARGUMENT", "symbol", "string.pattern"]);
    failed(
        &ticker.rpc(&["call", "Quote", "{\"symbol\": \"NOPE\"}"]),
        5,
        &["NOT_FOUND"],
    );
    // Within the deadline that the method itself has.
    let outcome = ticker.rpc(&["call", "Report", "{\"symbol\":\"ACME\",\"ticks\":100000}"]);
    failed(&outcome, 4, &["longer than", "--deadline"]);
}

#[test]
fn a_deadline_ends_a_call_that_would_not_end() {
    struct Never;

    impl Guard for Never {
        async fn check(&self, _: &Context) -> Result<(), Status> {
            std::future::pending().await
        }
    }

    let server = Serving::start(framework().guard("admin", Never));
    for command in ["call", "stream"] {
        let outcome = server.rpc(&[command, "Stats", "--deadline", "50ms"]);
        failed(&outcome, 4, &["longer than", "--deadline"]);
    }
}

#[test]
fn a_server_that_says_nothing_is_waited_for_as_long_as_was_said() {
    // In whose queue connections wait for ever.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/rpc", silent.local_addr().unwrap());
    let outcome = rpc(&["list", "-s", &url, "--connect-timeout", "50ms"], "");
    failed(&outcome, 14, &["cannot connect to", "50ms", "--connect-timeout"]);
}

#[test]
fn who_may_not_call_is_told_so() {
    let server = Serving::start(framework());
    failed(
        &server.rpc(&["call", "Stats"]),
        16,
        &["UNAUTHENTICATED", "--token"],
    );
    failed(
        &server.rpc(&["call", "Stats", "--token", "ali"]),
        7,
        &["PERMISSION_DENIED", "this is for root"],
    );
    server.rpc(&["call", "Stats", "--token", "root"]).ok();
}

#[test]
fn who_may_not_subscribe_is_told_so_once() {
    let server = Example::chat();
    let outcome = server.rpc(&["subscribe", "room:kitchen"]);
    failed(&outcome, 16, &["room:kitchen: UNAUTHENTICATED", "--token"]);
    for word in ["UNAUTHENTICATED", "--token shows"] {
        assert_eq!(outcome.err.matches(word).count(), 1, "{}", outcome.err);
    }
}

#[test]
fn who_may_not_look_is_told_what_else_there_is() {
    let refused = |_: &Context| Err(Status::permission_denied("this is for developers"));
    let server = Serving::start(framework().guard("reflection", refused));
    for args in [
        &["list"][..],
        &["describe", "rpc.reflection.v1.ReflectionService"],
    ] {
        failed(
            &server.rpc(args),
            7,
            &["this is for developers", "--descriptor-set"],
        );
    }
}

#[test]
fn a_method_that_streams_is_not_called_but_streamed() {
    let server = Example::ticker();
    failed(
        &server.rpc(&["call", "Watch"]),
        64,
        &["server streaming", "rpc stream ticker.TickerService/Watch"],
    );
}

#[test]
fn files_that_are_not_there_or_no_descriptors_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.binpb");
    let file = path.to_str().unwrap();
    failed(
        &rpc(&["list", "--descriptor-set", file], ""),
        66,
        &["set.binpb cannot be read"],
    );
    std::fs::write(&path, "no descriptors").unwrap();
    failed(
        &rpc(&["list", "--descriptor-set", file], ""),
        65,
        &["no descriptor set"],
    );
    let server = Example::ticker();
    failed(
        &server.rpc(&["call", "Quote", "@/nowhere.json"]),
        66,
        &["/nowhere.json"],
    );
}

#[test]
fn options_that_are_wrong_are_a_mistake_of_the_command_line() {
    for args in [
        &["call"][..],
        &["call", "Info", "--deadline", "5d"],
        &["list", "--colour"],
        &["shout"],
    ] {
        assert_eq!(rpc(args, "").code, 64, "{args:?}");
    }
    let server = Serving::start(framework());
    failed(
        &server.rpc(&["call", "Info", "-H", "no value"]),
        64,
        &["`key: value`"],
    );
}
