//! Events that are published.

use serde_json::{Value, json};

use crate::channels::with_hub;
use crate::server::{Outcome, Serving, framework};

#[test]
fn events_are_published_from_an_argument_a_file_and_the_standard_input() {
    let server = Serving::start(with_hub());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.json");
    std::fs::write(&path, "{\n  \"title\": \"b\"\n}\n{\"title\": \"c\"}\n").unwrap();
    let file = format!("@{}", path.display());
    for data in ["{\"title\": \"a\"}", &file, "-"] {
        let args = [
            "publish",
            "room:5",
            "rpc.hub.v1.Notification",
            data,
            "--token",
            "ali",
        ];
        let out = server
            .rpc_with(&args, "{\"title\": \"d\"}\n\n{\"title\": \"e\"}\n")
            .ok();
        assert!(out.contains("offset ") && out.contains("reached 0"), "{out}");
    }
    let heard = server
        .rpc(&["subscribe", "room:5", "--last", "10", "-n", "5", "--json"])
        .json();
    let titles: Vec<_> = heard.iter().map(|event| &event["event"]["title"]).collect();
    assert_eq!(titles, ["a", "b", "c", "d", "e"]);
}

#[test]
fn an_event_with_a_key_is_published_once() {
    let server = Serving::start(with_hub());
    let say = |key: &str, lines: &str| {
        let args = ["publish", "room:5", "Notification", "-", "--key", key];
        server.rpc_with(&[&args[..], &["--token", "ali", "--json"]].concat(), lines)
    };
    let lines = "{\"title\": \"a\"}\n{\"title\": \"b\"}\n";
    let duplicates = |outcome: Outcome| -> Vec<Value> {
        outcome
            .json()
            .iter()
            .map(|one| one["duplicate"].clone())
            .collect()
    };
    assert_eq!(duplicates(say("import-{}", lines)), [false, false]);
    assert_eq!(duplicates(say("import-{}", lines)), [true, true]);
    let outcome = say("import", lines);
    assert_eq!(outcome.code, 64, "{}", outcome.err);
    assert!(outcome.err.contains("--key 'import-{}'"), "{}", outcome.err);
    assert_eq!(
        outcome.out.lines().count(),
        1,
        "the first is published, before there is another"
    );
    let args = [
        "publish",
        "room:5",
        "Notification",
        lines,
        "--key",
        "both",
        "--token",
        "ali",
    ];
    let outcome = server.rpc(&args);
    assert_eq!((outcome.code, &*outcome.out), (64, ""), "{}", outcome.err);
}

#[test]
fn what_is_wrong_with_an_event_is_told_and_nothing_is_published() {
    let server = Serving::start(with_hub());
    for (args, code, parts) in [
        (
            &["publish", "room:5", "Notificaton", "{}"][..],
            64,
            &[
                "no event `Notificaton`",
                "did you mean `rpc.hub.v1.Notification`?",
            ][..],
        ),
        (
            &[
                "publish",
                "room:5",
                "Notification",
                "{\"title\": \"a\"}\n{\"titel\": \"b\"}",
            ],
            65,
            &["<argument>:2:8: ", "rpc describe rpc.hub.v1.Notification"],
        ),
        (
            &["publish", "room:5", "Notification", "@/nowhere.json"],
            66,
            &["/nowhere.json"],
        ),
        (
            &["publish", "news", "Notification", "{}"],
            7,
            &["news: ", "PERMISSION_DENIED"],
        ),
        (&["subscribe", "room:5", "room:"], 3, &["room:"]),
        (&["subscribe", "nowhere"], 7, &["nowhere: ", "PERMISSION_DENIED"]),
        (&["subscribe"], 64, &["CHANNEL"]),
        (&["subscribe", "room:5", "--since", "17"], 64, &["an epoch"]),
        (
            &["subscribe", "room:5", "room:6", "--since", "ab-1"],
            64,
            &["--since is a position of one channel"],
        ),
    ] {
        let outcome = server.rpc(&[args, &["--token", "ali"]].concat());
        assert_eq!(outcome.code, code, "{args:?}: {}{}", outcome.out, outcome.err);
        for part in parts {
            assert!(outcome.err.contains(part), "{part}: {}", outcome.err);
        }
    }
    let anonymous = server.rpc(&["publish", "room:5", "Notification"]);
    assert_eq!(anonymous.code, 16, "{}", anonymous.err);
    let outcome = server.rpc(&[
        "call",
        "HubService/History",
        "{\"channel\": \"room:5\"}",
        "--json",
    ]);
    assert_eq!(outcome.json()[0]["events"], json!([]));
    let without = Serving::start(framework());
    assert_eq!(without.rpc(&["subscribe", "room:5"]).code, 12);
}
