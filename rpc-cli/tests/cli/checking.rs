//! What a change of schemas breaks.

use std::path::Path;

use rpc_runtime::services;

use crate::calling::set_file;
use crate::server::{Outcome, Serving, framework, rpc};

const BEFORE: &str = "syntax = \"proto3\";
package task;

message Task {
  string label = 1;
  bool checked = 2;
}

message Note {}

service TaskService {
  rpc AddTask(Task) returns (Task);
}
";

fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("task")).unwrap();
    std::fs::write(folder.path().join("task/task.proto"), text).unwrap();
    folder
}

fn check(before: &Path, after: &Path, json: bool) -> Outcome {
    let mut args = vec!["check", before.to_str().unwrap(), after.to_str().unwrap()];
    args.extend(json.then_some("--json"));
    rpc(&args, "")
}

#[test]
fn additions_break_nobody() {
    let before = folder(BEFORE);
    let after = folder(&BEFORE.replace("bool checked = 2;", "bool checked = 2;\n  int64 due = 3;"));
    assert_eq!(check(before.path(), after.path(), false).ok(), "");
    assert_eq!(check(before.path(), before.path(), false).ok(), "");
}

/// Of contracts a build warns, where the enum refuses numbers that it does not know; a schema does not say whether it does.
#[test]
fn a_value_more_in_an_enum_is_an_addition_like_others() {
    let states = |more: &str| {
        folder(&format!(
            "{BEFORE}\nenum State {{\n  STATE_OPEN = 0;\n  STATE_DONE = 1;\n{more}}}\n"
        ))
    };
    let (before, after) = (states(""), states("  STATE_LATE = 2;\n"));
    for json in [false, true] {
        assert_eq!(check(before.path(), after.path(), json).ok(), "");
    }
    assert_eq!(check(after.path(), before.path(), false).code, 1);
}

#[test]
fn a_change_that_breaks_clients_is_told_with_what_to_write_instead() {
    let before = folder(BEFORE);
    let after = folder(&BEFORE.replace("bool checked = 2;", "int64 due = 2;"));
    let outcome = check(before.path(), after.path(), false);
    assert_eq!(outcome.code, 1, "{}", outcome.err);
    assert!(outcome.out.contains("breaking task.Task"), "{}", outcome.out);
    assert!(outcome.err.contains("one change breaks"), "{}", outcome.err);
    let outcome = check(before.path(), after.path(), true);
    assert_eq!(outcome.code, 1);
    let told: serde_json::Value = serde_json::from_str(outcome.out.lines().next().unwrap()).unwrap();
    assert_eq!(told["breaking"], true);
    assert!(!told["rules"].as_array().unwrap().is_empty() && !told["help"].as_str().unwrap().is_empty());
}

#[test]
fn what_is_declared_gone_may_go() {
    let before = folder(BEFORE);
    let without = BEFORE.replace("message Note {}\n", "");
    assert_eq!(check(before.path(), folder(&without).path(), false).code, 1);
    let declared = folder(&without.replace("package task;\n", "package task;\n\n// removed: Note\n"));
    check(before.path(), declared.path(), false).ok();
}

#[test]
fn a_descriptor_set_is_compared_as_a_folder_is() {
    let server = Serving::start(
        framework()
            .service(services::hub::gateway())
            .hub(rpc_runtime::hub::Hub::default()),
    );
    let one = set_file(&server, "rpc.session.v1.SessionService");
    let other = set_file(&server, "rpc.admin.v1.AdminService");
    let (one, other) = (one.path(), other.path());
    check(one, one, false).ok();
    // The second imports the first.
    check(one, other, false).ok();
    let outcome = check(other, one, false);
    assert_eq!(outcome.code, 1, "{}{}", outcome.out, outcome.err);
    assert!(outcome.out.contains("rpc.admin.v1"), "{}", outcome.out);
}

#[cfg(unix)]
#[test]
fn what_is_linked_is_compared_as_well_and_a_circle_is_told() {
    use std::os::unix::fs::symlink;

    let linked = |text: &str| {
        let (real, folder) = (folder(text), tempfile::tempdir().unwrap());
        symlink(real.path().join("task"), folder.path().join("task")).unwrap();
        (real, folder)
    };
    let before = linked(BEFORE);
    let after = linked(&BEFORE.replace("bool checked = 2;", "int64 due = 2;"));
    assert_eq!(check(before.1.path(), after.1.path(), false).code, 1);
    check(before.1.path(), before.0.path(), false).ok();
    symlink(before.0.path(), before.0.path().join("task/above")).unwrap();
    let outcome = check(before.0.path(), after.0.path(), false);
    assert_eq!(outcome.code, 65, "{}", outcome.err);
    let parts = ["task/above: ", "leads back to a folder above it"];
    assert!(
        parts.iter().all(|part| outcome.err.contains(part)),
        "{}",
        outcome.err
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    let good = folder(BEFORE);
    let missing = good.path().join("missing");
    assert_eq!(check(good.path(), &missing, false).code, 66);
    let broken = folder("syntax = \"proto3\"; package task; message Task { strin label = 1; }");
    let outcome = check(good.path(), broken.path(), false);
    assert_eq!(outcome.code, 65, "{}", outcome.err);
    assert!(
        outcome.err.contains("task.proto") || outcome.err.contains("strin"),
        "{}",
        outcome.err
    );
    let empty = tempfile::tempdir().unwrap();
    let outcome = check(good.path(), empty.path(), false);
    assert_eq!(outcome.code, 65);
    assert!(outcome.err.contains("no .proto file"), "{}", outcome.err);
}
