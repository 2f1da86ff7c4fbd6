//! Calls of all kinds.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use prost::Message;
use prost_reflect::DescriptorPool;
use rpc_runtime::{Context, Status};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::server::{Example, Outcome, Serving, command, framework, rpc};

/// A descriptor set of a symbol's schemas: asked for by the command itself.
pub(crate) fn set_file(server: &Serving, symbol: &str) -> NamedTempFile {
    let request = json!({ "symbols": [symbol] }).to_string();
    let files = server.rpc(&["stream", "GetFiles", &request, "--json"]).json();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&pool_of(&files).encode_to_vec()).unwrap();
    file
}

/// The schemas that `GetFiles` has answered with.
fn pool_of(files: &[Value]) -> DescriptorPool {
    let mut pool = DescriptorPool::new();
    for file in files {
        let bytes = data_encoding::BASE64
            .decode(file["descriptor"].as_str().unwrap().as_bytes())
            .unwrap();
        pool.decode_file_descriptor_proto(bytes.as_slice()).unwrap();
    }
    pool
}

#[test]
fn a_unary_call_takes_json_from_an_argument_a_file_and_the_standard_input() {
    let server = Example::ticker();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("request.json");
    let request = r#"{"symbol": "ACME"}"#;
    std::fs::write(&path, request).unwrap();
    let file = format!("@{}", path.display());
    let mut answers = Vec::new();
    for data in [request, &file, "-"] {
        answers.extend(
            server
                .rpc_with(&["call", "Quote", data, "--json"], request)
                .json(),
        );
    }
    assert_eq!(answers.len(), 3);
    for answer in answers {
        assert_eq!(
            (&answer["symbol"], &answer["tick"]),
            (&json!("ACME"), &json!("0"))
        );
    }
}

#[test]
fn what_a_controller_serves_is_called_as_any_other() {
    let server = Example::tasks();
    let call = |method: &str, request: &str| server.rpc(&["call", method, request, "--json"]);
    let added = call("task.TaskService/AddTask", r#"{"item": {"label": "Buy milk"}}"#).json();
    let id = &added[0]["id"];
    assert_eq!(added[0]["item"]["label"], "Buy milk");
    let update = json!({ "id": id, "item": { "label": "Buy milk", "checked": true } }).to_string();
    assert_eq!(call("UpdateTask", &update).json()[0]["item"]["checked"], true);
    assert_eq!(
        call("GetAllTask", "{}").json()[0]["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let delete = json!({ "id": id }).to_string();
    assert_eq!(call("DeleteTask", &delete).json()[0]["success"], true);
    let gone = call("DeleteTask", &delete);
    assert_eq!(gone.code, 5, "{}", gone.err);
}

#[test]
fn a_method_is_found_by_its_full_name_and_by_as_much_of_its_end_as_is_clear() {
    let server = Serving::start(framework());
    for name in [
        "rpc.session.v1.SessionService/Info",
        "rpc.session.v1.SessionService.Info",
        "SessionService/Info",
        "Info",
    ] {
        let answer = server.rpc(&["call", name, "--json"]).json();
        assert_eq!(answer[0]["path"], "/rpc", "{name}");
    }
}

#[test]
fn an_answer_for_people_is_indented_and_has_no_colours_in_a_pipe() {
    let server = Serving::start(framework());
    let answer = server.rpc(&["call", "Info"]).ok();
    assert!(
        answer.starts_with("{\n  \"") && answer.ends_with("\n}\n"),
        "{answer}"
    );
    assert!(!answer.contains('\u{1b}'), "{answer:?}");
    serde_json::from_str::<Value>(&answer).unwrap();
}

#[test]
fn a_token_makes_the_caller_known() {
    let server = Serving::start(framework());
    let anonymous = server.rpc(&["call", "Info", "--json"]).json();
    assert_eq!(anonymous[0].get("userId"), None);
    let ali = server.rpc(&["call", "Info", "--json", "--token", "ali"]).json();
    assert_eq!(ali[0]["userId"], "ali");
}

#[test]
fn the_server_and_the_token_of_all_commands_come_from_the_environment() {
    let server = Serving::start(framework());
    let called = command()
        .args(["call", "Info", "--json"])
        .envs([("RPC_SERVER", server.url.as_str()), ("RPC_TOKEN", "ali")])
        .output()
        .unwrap();
    assert_eq!(Outcome::from(called).json()[0]["userId"], "ali");
}

#[test]
fn metadata_arrive_as_texts_and_as_bytes_by_their_keys() {
    let by_metadata = |cx: &Context| {
        let metadata = cx.metadata();
        match (metadata.get("tenant"), metadata.get_bin("trace-bin")) {
            (Some("acme"), Some([1, 2])) => Ok(()),
            other => Err(Status::permission_denied(format!("{other:?}"))),
        }
    };
    let server = Serving::start(framework().guard("admin", by_metadata));
    let metadata = ["-H", "Tenant: acme", "-H", "trace-bin: AQI="];
    for command in ["call", "stream"] {
        server.rpc(&[&[command, "Stats"], &metadata[..]].concat()).ok();
        assert_eq!(
            server.rpc(&[&[command, "Stats"], &metadata[..2]].concat()).code,
            7
        );
    }
}

#[test]
fn metadata_of_the_answer_is_printed_beside_it_when_asked_for() {
    let server = Example::ticker();
    let called = server.rpc(&["call", "Quote", r#"{"symbol":"ACME"}"#, "-v", "-H", "trader: ada"]);
    assert_eq!(called.err, "metadata market: open\nmetadata seat: kept for ada\n");
    called.ok();
}

#[test]
fn details_of_an_error_are_printed_when_asked_for() {
    let server = Example::ticker();
    let wrong = r#"{"symbol": "acme"}"#;
    for call in [["call", "Quote", wrong], ["stream", "Watch", wrong]] {
        let refused = server.rpc(&[&call[..], &["-v"]].concat());
        let detail = refused.err.lines().next().unwrap();
        let detail = detail.strip_prefix("detail buf.validate.Violations: ").unwrap();
        let detail: Value = serde_json::from_str(detail).unwrap();
        assert_eq!(detail["violations"][0]["ruleId"], "string.pattern");
        assert_eq!(refused.code, 3);
        let quiet = server.rpc(&call);
        assert!(quiet.err.starts_with("error: "), "{}", quiet.err);
    }
}

#[test]
fn a_server_stream_is_one_json_value_per_line_until_its_end() {
    let server = Serving::start(framework());
    let request = r#"{"symbols": ["rpc.session.v1.SessionService"]}"#;
    let files = server.rpc(&["stream", "GetFiles", request, "--json"]).json();
    let names: Vec<_> = files.iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert!(
        names.len() > 1 && names.last().unwrap().ends_with("session.proto"),
        "{names:?}"
    );
}

#[test]
fn a_client_stream_is_sent_line_by_line_and_answered_once() {
    let server = Example::ticker();
    let lines =
        "{\"symbol\":\"ACME\",\"tick\":1,\"cents\":5}\n\n{\"symbol\":\"ACME\",\"tick\":2,\"cents\":9}\n";
    let summary = server
        .rpc_with(&["stream", "Record", "-", "--json"], lines)
        .json();
    assert_eq!(
        summary,
        [json!({"count": "2", "lowestCents": "5", "highestCents": "9"})]
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quotes.jsonl");
    std::fs::write(&path, lines).unwrap();
    let file = format!("@{}", path.display());
    assert_eq!(server.rpc(&["stream", "Record", &file, "--json"]).json(), summary);
    let nothing = server.rpc_with(&["stream", "Record"], "").ok();
    assert!(nothing.contains("\"count\": \"0\""), "{nothing}");
}

#[test]
fn a_bidirectional_stream_answers_each_line() {
    let server = Example::ticker();
    let lines = "{\"symbol\":\"ACME\",\"shares\":10}\n{\"symbol\":\"ACME\",\"shares\":-4}\n";
    let fills = server.rpc_with(&["stream", "Trade", "-", "--json"], lines).json();
    let holding: Vec<_> = fills
        .iter()
        .map(|fill| fill["holding"].as_str().unwrap())
        .collect();
    assert_eq!(holding, ["10", "6"]);
}

#[test]
fn a_one_way_call_is_sent_and_prints_nothing() {
    let server = Example::ticker();
    assert_eq!(server.rpc(&["call", "Shout", r#""hello""#]).ok(), "");
}

#[test]
fn a_descriptor_set_calls_a_server_that_serves_no_reflection() {
    let reflecting = Serving::start(framework());
    let set = set_file(&reflecting, "rpc.session.v1.SessionService");
    let file = set.path().to_str().unwrap();
    let silent = Serving::start(framework().reflection(false));
    let refused = silent.rpc(&["call", "Info"]);
    assert_eq!(refused.code, 12, "{}", refused.err);
    assert!(refused.err.contains("--descriptor-set"), "{}", refused.err);
    let answer = silent
        .rpc(&["call", "Info", "--json", "--descriptor-set", file])
        .json();
    assert_eq!(answer[0]["path"], "/rpc");
    let answer = silent
        .rpc(&["stream", "Info", "--json", "--descriptor-set", file])
        .json();
    assert_eq!(answer[0]["path"], "/rpc");
}

#[test]
fn the_schemas_of_a_user_crate_and_of_the_framework_go_together() {
    let server = Example::ticker();
    let files = server.rpc(&["stream", "GetFiles", "{}", "--json"]).json();
    let pool = pool_of(&files);
    for symbol in ["ticker.TickerService", "rpc.reflection.v1.ReflectionService"] {
        assert!(pool.get_service_by_name(symbol).is_some(), "{symbol}");
    }
    let duration = files
        .iter()
        .filter(|file| file["name"] == "google/protobuf/duration.proto");
    assert_eq!(duration.count(), 1, "what both import is there once");
    prost_reflect::prost_types::FileDescriptorSet::decode(pool.encode_to_vec().as_slice()).unwrap();
}

/// A stream without an end, of which somebody reads two lines and no more.
fn head(server: &Example, args: &[&str]) -> (Vec<String>, Option<i32>) {
    let mut process = command()
        .args(args)
        .args(["--server", &server.url])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(process.stdout.take().unwrap());
    let lines = out.lines().take(2).map(Result::unwrap).collect();
    (lines, process.wait().unwrap().code())
}

#[test]
fn a_stream_that_nobody_reads_any_more_ends_without_an_error() {
    let server = Example::ticker();
    let request = r#"{"symbol": "ACME", "every": "0.01s"}"#;
    let (lines, code) = head(&server, &["stream", "Watch", request, "--json"]);
    assert_eq!(code, Some(0));
    let ticks: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((&ticks[0]["tick"], &ticks[1]["tick"]), (&json!("0"), &json!("1")));
}

#[test]
fn a_stream_whose_server_goes_ends_with_what_came_and_the_status() {
    let server = Example::ticker();
    let request = r#"{"symbol": "ACME", "every": "0.01s"}"#;
    let mut process = command()
        .args(["stream", "Watch", request, "--json", "--server", &server.url])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    out.read_line(&mut first).unwrap();
    drop(server);
    let rest: Vec<_> = out.lines().map(Result::unwrap).collect();
    for line in std::iter::once(&first).chain(&rest) {
        serde_json::from_str::<Value>(line).unwrap();
    }
    let output = process.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(14), "{err}");
    assert!(err.starts_with("error: "), "{err}");
}

#[test]
fn commands_of_the_readme_work() {
    let readme = include_str!("../../../README.md");
    let server = Example::ticker();
    let quote = r#"{"symbol": "ACME"}"#;
    let watch = r#"{"symbol": "ACME", "every": "0.5s"}"#;
    let order = r#"{"symbol": "ACME", "shares": 10}"#;
    for line in [
        "rpc list  ".to_owned(),
        "rpc describe ticker.WatchRequest  ".to_owned(),
        format!("rpc call Quote '{quote}'"),
        format!("rpc stream Watch '{watch}'"),
        format!("echo '{order}' | rpc stream Trade -"),
        "rpc check protos-of-main protos".to_owned(),
        "`rpc subscribe room:kitchen room:garden`".to_owned(),
        "`rpc publish typing:kitchen\nchat.Typing`".to_owned(),
        format!("`rpc bench Quote '{quote}' --connections 8 --concurrency 32`"),
    ] {
        assert!(readme.contains(&line), "{line}");
    }
    server.rpc(&["list"]).ok();
    server.rpc(&["describe", "ticker.WatchRequest"]).ok();
    server.rpc(&["call", "Quote", quote]).ok();
    assert_eq!(head(&server, &["stream", "Watch", watch]).1, Some(0));
    server
        .rpc_with(&["stream", "Trade", "-"], &format!("{order}\n"))
        .ok();
    let protos = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/ticker/protos");
    rpc(&["check", protos, protos], "").ok();
    let bench = [
        "bench",
        "Quote",
        quote,
        "--connections",
        "8",
        "--concurrency",
        "32",
    ];
    let few = ["-n", "300", "--warm-up", "0"];
    server.rpc(&[&bench[..], &few].concat()).ok();
    let chat = Example::chat();
    let token = chat.token_of("ann");
    let token = ["--token", &token];
    let published = ["publish", "typing:kitchen", "chat.Typing"];
    chat.rpc(&[&published[..], &token].concat()).ok();
    let heard = ["subscribe", "room:kitchen", "room:garden", "-n", "1", "--json"];
    // That she has come herself is an event of the room.
    assert_eq!(
        chat.rpc(&[&heard[..], &token].concat()).json()[0]["event"]["userId"],
        "ann"
    );
}

#[test]
fn commands_of_the_help_work() {
    let server = Example::ticker();
    let quote = server
        .rpc(&["call", "ticker.TickerService/Quote", "{\"symbol\": \"ACME\"}"])
        .ok();
    assert!(quote.contains("\"symbol\": \"ACME\""), "{quote}");
    assert_eq!(rpc(&["--version"], "").ok().split(' ').next(), Some("rpc"));
}
