//! What there is.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rpc_runtime::{Context, Server, Status, services};
use serde_json::Value;

use crate::calling::set_file;
use crate::server::{Example, Outcome, Serving, framework, rpc};

#[test]
fn services_are_listed_with_their_methods_kinds_and_what_they_ask_for() {
    let server = Serving::start(framework());
    let listed = server.rpc(&["list"]).ok();
    for part in [
        "rpc.admin.v1.AdminService\n",
        "  ListSessions",
        "[guard admin]",
        "rpc.session.v1.SessionService\n",
        "  Info",
        "server streaming",
    ] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    assert!(!listed.contains('\u{1b}'), "colours in a pipe: {listed:?}");
    let one = server.rpc(&["list", "rpc.session.v1"]).ok();
    assert!(
        one.starts_with("rpc.session.v1.SessionService\n") && !one.contains("Admin"),
        "{one}"
    );
}

#[test]
fn a_list_for_programs_is_one_json_value_per_service() {
    let server = Serving::start(framework());
    let listed = server.rpc(&["list", "--json"]).json();
    let names: Vec<_> = listed
        .iter()
        .map(|service| service["service"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "rpc.admin.v1.AdminService",
            "rpc.reflection.v1.ReflectionService",
            "rpc.session.v1.SessionService"
        ]
    );
    let method = &listed[0]["methods"][0];
    assert_eq!(method["method"], "rpc.admin.v1.AdminService/ListSessions");
    assert_eq!(method["kind"], "unary");
    assert_eq!(method["guards"][0], "admin");
    assert_eq!(method["idempotent"], true);
}

#[test]
fn namespaces_are_listed_with_their_events() {
    use rpc_runtime::hub::{Anyone, Hub, Namespace, Notification};
    let namespace = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Anyone)
        .events::<Notification>();
    let hub = Hub::builder().namespace(namespace).build().unwrap();
    let server = Serving::start(framework().service(services::hub::gateway()).hub(hub));
    let listed = server.rpc(&["list"]).ok();
    assert!(
        listed.contains("channels room:{id}\n  rpc.hub.v1.Notification"),
        "{listed}"
    );
    let json = server.rpc(&["list", "--json"]).json();
    assert_eq!(json.last().unwrap()["channels"], "room:{id}");
}

#[test]
fn messages_are_described_with_docs_types_and_rules() {
    let server = Example::ticker();
    let described = server.rpc(&["describe", "ticker.WatchRequest"]).ok();
    for part in [
        "// Asks for a price and how it goes on.\nmessage ticker.WatchRequest {",
        "  // What is traded.\n  string symbol = 1  matching ^[A-Z]{1,8}$\n",
        "  optional google.protobuf.Duration every = 2",
    ] {
        assert!(described.contains(part), "{part}: {described}");
    }
    let json = server.rpc(&["describe", "ticker.WatchRequest", "--json"]).json();
    assert_eq!(json[0]["fields"][0]["rules"]["string"]["pattern"], "^[A-Z]{1,8}$");
    assert_eq!(json[0]["fields"][0]["docs"], "What is traded.");
}

#[test]
fn services_and_methods_are_described() {
    let server = Example::ticker();
    let service = server.rpc(&["describe", "ticker.TickerService"]).ok();
    assert!(
        service.contains("rpc Trade(stream ticker.Order) returns (stream ticker.Fill)"),
        "{service}"
    );
    let method = server.rpc(&["describe", "Report"]).ok();
    for part in [
        "deadline 1s",
        "idempotent",
        "kind     unary",
        "// Reads the archive",
    ] {
        assert!(method.contains(part), "{part}: {method}");
    }
    let json: Value = server.rpc(&["describe", "Report", "--json"]).json().remove(0);
    assert_eq!(json["deadlineSeconds"], 1.0);
}

#[test]
fn what_is_described_is_found_by_as_much_of_its_end_as_is_clear() {
    let server = Serving::start(framework());
    for (symbol, text) in [
        ("SessionService", "service rpc.session.v1.SessionService {"),
        ("InfoResponse", "message rpc.session.v1.InfoResponse {"),
        (
            "rpc.session.v1.SessionService.Info",
            "of       rpc.session.v1.SessionService",
        ),
    ] {
        let described = server.rpc(&["describe", symbol]).ok();
        assert!(described.contains(text), "{symbol}: {described}");
    }
    let outcome = server.rpc(&["describe", "SesionService"]);
    assert_eq!(outcome.code, 64, "{}", outcome.err);
    assert!(
        outcome
            .err
            .contains("did you mean `rpc.session.v1.SessionService`?"),
        "{}",
        outcome.err
    );
    let ticker = Example::ticker();
    let outcome = ticker.rpc(&["describe", "Quote"]);
    assert_eq!(outcome.code, 64, "{}", outcome.out);
    let both = "may be ticker.TickerService/Quote or ticker.Quote";
    assert!(outcome.err.contains(both), "{}", outcome.err);
}

#[test]
fn a_server_that_goes_away_is_not_taken_for_one_that_lacks_what_is_to_be_described() {
    // It is asked for its services, for the type, for its namespaces, and for the types of each service.
    for answered in 2..=3 {
        let left = AtomicUsize::new(answered);
        let guard = move |_: &Context| match left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)) {
            Ok(_) => Ok(()),
            Err(_) => Err(Status::unavailable("it goes away")),
        };
        let server = Server::builder().service(services::session::gateway());
        let server = Serving::start(server.reflection(true).guard("reflection", guard));
        let outcome = server.rpc(&["describe", "Nowhere"]);
        assert_eq!(outcome.code, 14, "{answered}: {}", outcome.err);
        assert!(outcome.err.contains("it goes away"), "{}", outcome.err);
    }
}

#[test]
fn enums_are_described() {
    let server = Serving::start(framework());
    let described = server.rpc(&["describe", "rpc.session.v1.State"]).ok();
    assert!(
        described.starts_with("// ") && described.ends_with("\n}\n"),
        "{described}"
    );
    let part = "  // A user is known.\n  STATE_AUTHENTICATED = 3\n";
    assert!(described.contains(part), "{described}");
}

#[test]
fn a_descriptor_set_tells_the_same_without_a_server() {
    let set = set_file(&Serving::start(framework()), "rpc.session.v1.SessionService");
    let file = set.path().to_str().unwrap();
    let listed = rpc(&["list", "--descriptor-set", file], "").ok();
    assert!(
        listed.contains("rpc.session.v1.SessionService\n  Info"),
        "{listed}"
    );
    let described = rpc(
        &[
            "describe",
            "rpc.session.v1.InfoResponse",
            "--descriptor-set",
            file,
        ],
        "",
    )
    .ok();
    assert!(described.contains("string client_id = 1"), "{described}");
}

#[test]
fn every_shell_gets_its_completion() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = rpc(&["completion", shell], "").ok();
        assert!(script.contains("descriptor-set"), "{shell}");
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_commands_options_and_values_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("rpc.bash");
    std::fs::write(&script, rpc(&["completion", "bash"], "").ok()).unwrap();
    let completed = |words: &[&str]| {
        let ask = r#"source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _rpc rpc "${@: -1}" "${@: -2:1}"; echo "${COMPREPLY[@]}""#;
        let asked = std::process::Command::new("bash")
            .args(["-c", ask, "bash", script.to_str().unwrap()])
            .args(words)
            .output();
        Outcome::from(asked.unwrap()).ok()
    };
    assert_eq!(completed(&["rpc", "ca"]), "call\n");
    assert_eq!(completed(&["rpc", "call", "--descr"]), "--descriptor-set\n");
    assert_eq!(completed(&["rpc", "completion", "po"]), "powershell\n");
}

#[test]
fn help_has_examples_and_the_exit_codes() {
    let help = rpc(&["--help"], "").ok();
    for part in [
        "Examples",
        "rpc stream",
        "Exit codes",
        "UNAVAILABLE",
        "Completion",
    ] {
        assert!(help.contains(part), "{part}");
    }
}
