//! Channels that are heard.

use std::io::{BufRead, BufReader};

use rpc_runtime::hub::{Hub, Users};
use rpc_runtime::services;
use serde_json::{Value, json};

use crate::calling::set_of;
use crate::channels::{Subscriber, publish, with_hub};
use crate::server::{Example, Serving, framework};

#[test]
fn an_event_is_one_json_value_with_all_that_is_known_of_it() {
    let server = Serving::start(with_hub());
    let subscriber = Subscriber::start(&server.url, &["room:5", "--json", "-n", "1"], "room:5");
    let receipt = publish(&server, "room:5", &["hello"]).remove(0);
    let heard = subscriber.end().json().remove(0);
    for (name, expected) in [
        ("channel", json!("room:5")),
        ("type", json!("rpc.hub.v1.Notification")),
        ("offset", json!("1")),
        ("kind", json!("live")),
        ("epoch", receipt["epoch"].clone()),
        ("id", receipt["id"].clone()),
    ] {
        assert_eq!(heard[name], expected, "{name}: {heard}");
    }
    assert_eq!(heard["event"]["title"], "hello");
    assert_eq!(
        heard["event"]["level"], "NOTIFICATION_LEVEL_INFO",
        "defaults are shown: {heard}"
    );
    assert_eq!(heard["publisher"]["user"], "ali");
    assert!(heard["time"].as_str().unwrap().ends_with('Z'), "{heard}");
    assert_eq!(
        (&receipt["reached"], &receipt["duplicate"]),
        (&json!("1"), &json!(false))
    );
}

#[test]
fn several_channels_are_heard_at_once_and_shown_line_by_line() {
    let server = Serving::start(with_hub());
    let subscriber = Subscriber::start(&server.url, &["room:5", "wire:a", "--count", "2"], "wire:a");
    publish(&server, "wire:a", &["one"]);
    publish(&server, "room:5", &["two"]);
    let outcome = subscriber.end();
    assert!(outcome.err.contains("2 events"), "{}", outcome.err);
    let out = outcome.ok();
    let one = out.lines().find(|line| line.contains(" wire:a ")).unwrap();
    assert!(
        one.contains("rpc.hub.v1.Notification {") && one.contains("\"title\": \"one\""),
        "{one}"
    );
    assert!(out.contains(" room:5 rpc.hub.v1.Notification by ali {"), "{out}");
    assert!(!out.contains('\u{1b}'), "colours in a pipe: {out:?}");
}

#[test]
fn what_was_before_is_heard_first_and_each_event_once() {
    let server = Serving::start(with_hub());
    let receipts = publish(&server, "room:5", &["a", "b", "c"]);
    let titles = |args: &[&str]| -> Vec<Value> {
        let args = [&["subscribe", "room:5", "--json"], args].concat();
        let heard = server.rpc(&args).json();
        heard
            .iter()
            .map(|event| event["event"]["title"].clone())
            .collect()
    };
    assert_eq!(titles(&["--last", "2", "-n", "2"]), ["b", "c"]);
    let since = receipts[0]["id"].as_str().unwrap();
    assert_eq!(titles(&["--since", since, "-n", "2"]), ["b", "c"]);
    let subscriber = Subscriber::start(
        &server.url,
        &["room:5", "--last", "1", "-n", "2", "--json"],
        "room:5",
    );
    publish(&server, "room:5", &["d"]);
    let heard = subscriber.end().json();
    let kinds: Vec<_> = heard.iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["recovered", "live"]);
    assert_eq!(heard[1]["event"]["title"], "d");
}

#[test]
fn what_was_before_is_read_in_as_many_pages_as_it_takes() {
    let server = Serving::start(with_hub());
    // An answer has room for about 16 of them.
    let long = "x".repeat(60 << 10);
    let titles: Vec<_> = (0..40).map(|number| format!("{number}{long}")).collect();
    let texts: Vec<&str> = titles.iter().map(String::as_str).collect();
    publish(&server, "room:5", &texts);
    let heard = server
        .rpc(&[
            "subscribe",
            "room:5",
            "--last",
            "39",
            "-n",
            "39",
            "--for",
            "60s",
            "--json",
        ])
        .json();
    let heard: Vec<_> = heard
        .iter()
        .map(|event| event["event"]["title"].as_str().unwrap())
        .collect();
    assert_eq!(heard, titles[1..]);
}

#[test]
fn what_cannot_be_had_any_more_is_a_gap_in_its_place() {
    let server = Serving::start(with_hub());
    publish(&server, "room:5", &["a"]);
    let args = ["room:5", "--since", "00000000000000ab-7", "-n", "1"];
    let subscriber = Subscriber::start(&server.url, &[&args[..], &["--json"]].concat(), "room:5");
    publish(&server, "room:5", &["b"]);
    let outcome = subscriber.end();
    assert!(outcome.err.contains("1 event, 1 gap"), "{}", outcome.err);
    let heard = outcome.json();
    assert_eq!(heard[0]["channel"], "room:5");
    assert_eq!(heard[0]["gap"]["cause"], "not recovered");
    assert_eq!(heard[0]["gap"]["after"], "00000000000000ab-7");
    assert_eq!(heard[1]["event"]["title"], "b");
    let mut subscriber = Subscriber::start(&server.url, &args, "room:5");
    subscriber.until_said("room:5: events are missing");
    publish(&server, "room:5", &["c"]);
    subscriber.end().ok();
}

#[test]
fn a_lost_connection_comes_back_and_is_told() {
    let server = Serving::start(with_hub());
    let url = server.url.clone();
    let mut subscriber = Subscriber::start(&url, &["wire:a", "--json", "-n", "1"], "wire:a");
    let listener = server.stop();
    subscriber.until_said("the connection is lost");
    let server = Serving::start_again(listener, with_hub());
    subscriber.until_said("connected again");
    // The gap says that it is heard again.
    let mut out = BufReader::new(subscriber.process.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let gap: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(gap["gap"]["cause"], "no history");
    publish(&server, "wire:a", &["again"]);
    line.clear();
    out.read_line(&mut line).unwrap();
    let heard: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(heard["event"]["title"], "again");
    subscriber.end().ok();
}

#[test]
fn events_of_unknown_types_are_shown_as_they_are_and_counted() {
    let server = Serving::start(with_hub());
    let subscriber = Subscriber::start(&server.url, &["wire:a", "--json", "-n", "3"], "wire:a");
    let unknown = json!({"channel": "wire:a", "event": {"type": "far.Away", "body": "AQI="}}).to_string();
    for _ in 0..2 {
        server.rpc(&["call", "HubService/Publish", &unknown]).ok();
    }
    publish(&server, "wire:a", &["known"]);
    let outcome = subscriber.end();
    assert_eq!(
        outcome.err.matches("`far.Away` is not known").count(),
        1,
        "{}",
        outcome.err
    );
    assert!(outcome.err.contains("2 of the type far.Away"), "{}", outcome.err);
    let heard = outcome.json();
    assert_eq!(
        (&heard[0]["type"], &heard[0]["body"]),
        (&json!("far.Away"), &json!("AQI="))
    );
    assert_eq!(heard[2]["event"]["title"], "known");
}

#[test]
fn a_server_without_reflection_is_heard_as_well_and_a_descriptor_set_names_its_events() {
    let reflecting = Serving::start(with_hub());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.binpb");
    std::fs::write(&path, set_of(&reflecting, "rpc.hub.v1.HubService")).unwrap();
    let set = ["--descriptor-set", path.to_str().unwrap()];
    let silent = Serving::start(with_hub().reflection(false));
    let event = r#"{"title": "hello"}"#;
    let refused = silent.rpc(&["publish", "wire:a", "Notification", event]);
    assert_eq!(refused.code, 12, "{}", refused.err);
    let raw = Subscriber::start(&silent.url, &["wire:a", "--json", "-n", "1"], "wire:a");
    let args = [&["wire:a", "--json", "-n", "1"], &set[..]].concat();
    let read = Subscriber::start(&silent.url, &args, "wire:a");
    silent
        .rpc(&[&["publish", "wire:a", "Notification", event], &set[..]].concat())
        .ok();
    assert_eq!(raw.end().json()[0]["body"], "CgVoZWxsbw==");
    assert_eq!(read.end().json()[0]["event"]["title"], "hello");
}

#[test]
fn what_is_sent_to_the_user_is_heard_where_it_is_asked_for() {
    let hub = Hub::builder().send_to_users(Users).build().unwrap();
    let server = Serving::start(framework().service(services::hub::gateway()).hub(hub));
    let args = ["--direct", "--token", "ali", "--json", "-n", "1"];
    let subscriber = Subscriber::start(&server.url, &args, "what is sent");
    let event = json!({"type": "rpc.hub.v1.Notification", "body": "CgVoZWxsbw=="});
    let request = json!({"users": ["ali"], "event": event}).to_string();
    server
        .rpc(&["call", "HubService/SendToUsers", &request, "--token", "bob"])
        .ok();
    let heard = subscriber.end().json();
    assert_eq!(heard[0]["event"]["title"], "hello");
    assert_eq!(heard[0]["channel"], "");
}

#[test]
fn a_time_is_over_without_a_connection_as_well() {
    // It is over before the connection is lost where this machine has much else to do, and is given longer then.
    let ends_behind_the_loss = |seconds: u64| {
        let server = Serving::start(with_hub());
        let time = format!("{seconds}s");
        let subscriber = Subscriber::start(&server.url, &["room:5", "--for", &time], "room:5");
        server.stop();
        let outcome = subscriber.end();
        let was_lost = outcome.err.contains("the connection is lost");
        outcome.ok();
        was_lost
    };
    let times = [1, 4, 16, 64, 256];
    assert!(times.into_iter().any(ends_behind_the_loss), "it was never lost");
}

#[test]
fn a_time_without_enough_events_is_told_by_the_exit_code() {
    let server = Serving::start(with_hub());
    let outcome = server.rpc(&["subscribe", "room:5", "--for", "10ms", "-n", "1"]);
    assert_eq!(outcome.code, 4, "{}", outcome.err);
    assert!(outcome.err.contains("1 fewer than --count"), "{}", outcome.err);
    server.rpc(&["subscribe", "room:5", "--for", "10ms"]).ok();
}

#[test]
fn people_of_the_chat_example_are_heard() {
    let server = Example::chat();
    let token = &server.token_of("ann");
    let args = [
        "room:kitchen",
        "typing:kitchen",
        "--token",
        token,
        "--json",
        "-n",
        "3",
    ];
    let subscriber = Subscriber::start(&server.url, &args, "typing:kitchen");
    // Her client comes into the room as soon as it hears it.
    server
        .rpc(&["publish", "typing:kitchen", "chat.Typing", "--token", token])
        .ok();
    let said = r#"{"room": "kitchen", "text": "tea?", "key": "0123456789abcdef"}"#;
    server.rpc(&["call", "Say", said, "--token", token]).ok();
    let heard = subscriber.end().json();
    let mut types: Vec<_> = heard
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    types.sort_unstable();
    assert_eq!(types, ["chat.Said", "chat.Typing", "rpc.hub.v1.Joined"]);
    let said = heard.iter().find(|event| event["type"] == "chat.Said").unwrap();
    assert_eq!(
        (&said["event"]["text"], &said["publisher"]["user"]),
        (&json!("tea?"), &json!("ann"))
    );
}
