//! What goes wrong, and what is said then.

use std::net::TcpListener;

use rpc_runtime::{Context, ServerTls, Status};

use crate::server::{Example, Outcome, Serving, framework, rpc};

#[track_caller]
fn failed(outcome: &Outcome, code: i32, parts: &[&str]) {
    assert_eq!(outcome.code, code, "{}{}", outcome.out, outcome.err);
    assert!(outcome.err.starts_with("error: "), "{}", outcome.err);
    for part in parts {
        assert!(outcome.err.contains(part), "{part}: {}", outcome.err);
    }
}

#[test]
fn without_a_server_it_says_where_nobody_listens_and_what_to_do() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("ws://127.0.0.1:{port}/rpc");
    for command in [
        &["list"][..],
        &["call", "Info"],
        &["stream", "Info"],
        &["describe", "x.Y"],
    ] {
        let outcome = rpc(&[command, &["-s", &url]].concat(), "");
        failed(&outcome, 14, &["cannot connect to", &url, "hint: "]);
    }
}

#[test]
fn a_url_that_is_none_is_told() {
    let outcome = rpc(&["list", "--server", "http//nowhere"], "");
    failed(&outcome, 14, &["cannot connect"]);
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
    failed(&server.rpc(&["call", "Nothing"]), 64, &["`rpc list`"]);
    failed(&server.rpc(&["describe", "ticker.Qoute"]), 64, &["did you mean"]);
    failed(
        &server.rpc(&["list", "tocker"]),
        64,
        &["no service or package `tocker`"],
    );
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
    let outcome = ticker.rpc(&["call", "Report", "{\"symbol\":\"ACME\",\"ticks\":100000}"]);
    failed(&outcome, 4, &[]);
    let outcome = ticker.rpc(&[
        "call",
        "Report",
        "{\"symbol\":\"ACME\",\"ticks\":100000}",
        "--deadline",
        "1ms",
    ]);
    failed(&outcome, 4, &[]);
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
fn who_may_not_look_is_told_what_else_there_is() {
    let refused = |_: &Context| Err(Status::permission_denied("this is for developers"));
    let server = Serving::start(framework().guard("reflection", refused));
    failed(
        &server.rpc(&["list"]),
        7,
        &["this is for developers", "--descriptor-set"],
    );
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

#[test]
fn tls_is_trusted_by_the_authority_that_was_given_and_nothing_else() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let certificate = write("cert.pem", made.cert.pem());
    let key = write("key.pem", made.signing_key.serialize_pem());
    let stranger = write("other.pem", other.cert.pem());
    let tls = ServerTls::from_pem_files(&certificate, &key);
    let server = Serving::start_at("wss", "localhost", framework().tls(tls));
    let answer = server
        .rpc(&["call", "Info", "--json", "--ca", &certificate])
        .json();
    assert_eq!(answer[0]["path"], "/rpc");
    failed(
        &server.rpc(&["call", "Info", "--ca", &stranger]),
        14,
        &["no TLS", "trusted"],
    );
    failed(
        &server.rpc(&["call", "Info", "--ca", "/nowhere.pem"]),
        66,
        &["/nowhere.pem"],
    );
    let plain = Serving::start(framework());
    let url = plain.url.replace("ws://", "wss://");
    failed(&rpc(&["call", "Info", "-s", &url], ""), 14, &["no TLS"]);
    let url = server.url.replace("wss://", "ws://");
    failed(&rpc(&["call", "Info", "-s", &url], ""), 14, &["cannot connect"]);
}
