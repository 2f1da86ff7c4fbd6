//! What becomes of the `.proto` when contracts change.

use super::support::{Crate, error_of};

fn task(fields: &str) -> String {
    format!("#[contract(package = \"task\")]\npub struct Task {{ {fields} }}\n")
}

/// A crate whose contract is committed.
fn committed(fields: &str) -> Crate {
    let made = Crate::new(&task(fields));
    made.git(&["init", "-q"]);
    assert_eq!(made.problems(), "");
    made.commit();
    made
}

const LABEL: &str = "pub label: String,";
const BOTH: &str = "pub label: String, pub done: bool,";

#[test]
fn a_compatible_change_brings_the_schema_up_to_date() {
    let made = committed(LABEL);
    made.write("src/contracts.rs", &task(BOTH));
    assert_eq!(made.problems(), "");
    assert!(made.read("protos/task/task.proto").contains("bool done = 2;"));
}

#[test]
fn a_breaking_change_is_an_error_at_the_field_and_writes_nothing() {
    let made = committed(BOTH);
    let before = made.read("protos/task/task.proto");
    made.write("src/contracts.rs", &task("pub label: String, pub done: String,"));
    let problems = made.problems();
    assert!(problems.contains(&error_of("task.Task.done")), "{problems}");
    assert!(
        problems.contains("edit `protos/task/task.proto` in the same commit"),
        "{problems}"
    );
    assert_eq!(problems.lines().count(), 1, "{problems}");
    assert_eq!(made.read("protos/task/task.proto"), before);
}

#[test]
fn a_field_that_is_gone_is_an_error_at_its_message() {
    let made = committed(BOTH);
    made.write("src/contracts.rs", &task(LABEL));
    let problems = made.problems();
    assert!(problems.contains(&error_of("task.Task")), "{problems}");
    made.write(
        "src/contracts.rs",
        "#[contract(package = \"task\", reserved(2, \"done\"))]\npub struct Task { pub label: String }\n",
    );
    assert_eq!(made.problems(), "");
    assert!(made.read("protos/task/task.proto").contains("reserved 2;"));
}

#[test]
fn a_message_that_is_gone_is_printed_because_no_item_is_left() {
    let made = committed(LABEL);
    let note = "#[contract(package = \"task\")]\npub struct Note { pub text: String }\n";
    made.write("src/contracts.rs", note);
    let problems = made.problems();
    assert!(problems.starts_with("cargo::error="), "{problems}");
    assert!(problems.contains("`task.Task`"), "{problems}");
    assert!(
        problems.contains("edit `protos/task/task.proto` in the same commit"),
        "{problems}"
    );
    made.write("src/contracts.rs", "");
    let problems = made.problems();
    assert!(
        problems.ends_with("; the package is in `protos/task/task.proto`\n"),
        "{problems}"
    );
    made.write(
        "src/contracts.rs",
        &note.replace("\"task\"", "\"task\", removed(\"Task\")"),
    );
    assert_eq!(made.problems(), "");
    assert!(made.read("protos/task/task.proto").contains("// removed: Task\n"));
}

#[test]
fn a_method_that_is_gone_is_declared_removed_where_its_message_stays() {
    let service = |keys: &str, methods: &str| {
        format!(
            "#[contract(package = \"t\")] pub struct Quote {{}}\n\
             #[contract(package = \"t\"{keys})] pub trait Ticker {{ {methods} }}\n"
        )
    };
    let quote = "async fn quote(&self, cx: &Context, request: Quote) -> Result<Quote, Status>;";
    let ping = "async fn ping(&self) -> Result<(), Status>;";
    let made = Crate::new(&service("", &format!("{quote} {ping}")));
    made.git(&["init", "-q"]);
    assert_eq!(made.problems(), "");
    made.commit();
    made.write("src/contracts.rs", &service("", ping));
    assert!(
        made.problems().contains(&error_of("t.TickerService")),
        "{}",
        made.problems()
    );
    made.write("src/contracts.rs", &service(", removed(\"Quote\")", ping));
    assert_eq!(made.problems(), "");
    assert!(
        made.read("protos/t/t.proto")
            .contains("// removed: TickerService/Quote\n")
    );
}

#[test]
fn what_a_controller_brings_is_reported_at_its_contract() {
    let crud = |keys: &str| {
        format!(
            "#[contract(package = \"task\", controller = \"Task\"{keys})]\n\
             pub struct TaskContract {{ #[field(id)] pub id: String }}\n"
        )
    };
    let made = Crate::new(&crud(""));
    made.git(&["init", "-q"]);
    assert_eq!(made.problems(), "");
    made.commit();
    made.write("src/contracts.rs", &crud(", operations(add, update, get_all)"));
    let problems = made.problems();
    assert!(problems.contains(&error_of("task.Task")), "{problems}");
    assert!(problems.contains("DeleteTask"), "{problems}");
}

#[test]
fn the_event_of_a_controller_is_a_promise_like_what_else_it_brings() {
    let crud = |keys: &str| {
        format!(
            "#[contract(package = \"task\", controller = \"Task\"{keys})]\n\
             pub struct TaskContract {{ #[field(id)] pub id: String }}\n"
        )
    };
    let made = Crate::new(&crud(""));
    made.git(&["init", "-q"]);
    assert_eq!(made.problems(), "");
    made.commit();
    // It may come at any time, on another channel too; once it is promised, it stays or is declared gone.
    made.write("src/contracts.rs", &crud(", changes = \"work\""));
    assert_eq!(made.problems(), "");
    made.commit();
    made.write("src/contracts.rs", &crud(", changes = \"tasks\""));
    assert_eq!(made.problems(), "");
    made.write(
        "src/contracts.rs",
        &crud(", changes = \"tasks\", operations(add, get_all)"),
    );
    let problems = made.problems();
    assert!(
        problems.contains(&error_of("task.Task")) && !problems.contains("TaskChanged"),
        "{problems}"
    );
    // What another kind of id breaks in the event has no place of its own: it is told at the contract.
    made.write(
        "src/contracts.rs",
        &crud(", changes = \"tasks\"").replace("id: String", "id: u64"),
    );
    let problems = made.problems();
    assert!(problems.contains("`task.DeletedTask`"), "{problems}");
    let at = ["task.Task", "task.Task.id"].map(error_of);
    for line in problems.lines() {
        assert!(at.iter().any(|at| line.contains(at)), "{line}");
    }
    made.write("src/contracts.rs", &crud(""));
    let problems = made.problems();
    assert!(
        problems.contains("`task.TaskChanged`") && problems.contains("`task.DeletedTask`"),
        "{problems}"
    );
    made.write(
        "src/contracts.rs",
        &crud(", removed(\"TaskChanged\", \"DeletedTask\")"),
    );
    assert_eq!(made.problems(), "");
}

#[test]
fn an_event_may_become_one_and_cease_to_be_one() {
    let said = |keys: &str| {
        format!("#[contract(package = \"task\"{keys})]\npub struct Task {{ pub label: String }}\n")
    };
    let made = committed(LABEL);
    let schema = made.read("protos/task/task.proto");
    for keys in [
        ", event",
        ", event, channels = \"a:{b}\"",
        ", event, channels = \"b\"",
        "",
    ] {
        made.write("src/contracts.rs", &said(keys));
        assert_eq!(made.problems(), "", "{keys}");
        assert_eq!(made.read("protos/task/task.proto"), schema, "{keys}");
    }
}

#[test]
fn what_is_not_committed_changes_freely() {
    let made = committed(LABEL);
    for fields in [BOTH, "pub label: String, pub done: u64,", LABEL, BOTH] {
        made.write("src/contracts.rs", &task(fields));
        assert_eq!(made.problems(), "", "{fields}");
    }
}

#[test]
fn a_package_that_was_only_typed_leaves_no_schema() {
    let made = committed(LABEL);
    for package in ["t", "to", "tod"] {
        let more = format!(
            "{}\n#[contract(package = \"{package}\")] pub struct Todo {{}}\n",
            task(LABEL)
        );
        made.write("src/contracts.rs", &more);
        assert_eq!(made.problems(), "");
    }
    assert_eq!(made.read("protos/to/to.proto"), "<missing>");
    assert_ne!(made.read("protos/tod/tod.proto"), "<missing>");
}

#[test]
fn a_contract_moves_to_another_file_of_its_package() {
    let made = committed(LABEL);
    made.write(
        "src/contracts.rs",
        "#[contract(package = \"task\", proto_path = \"protos/task/all.proto\")]\npub struct Task { pub label: String }\n",
    );
    assert_eq!(made.problems(), "");
    assert_eq!(made.read("protos/task/task.proto"), "<missing>");
    assert!(made.read("protos/task/all.proto").contains("string label = 1;"));
}

#[test]
fn a_promise_is_broken_on_purpose_by_editing_the_schema_in_the_same_commit() {
    let made = committed(BOTH);
    made.write("src/contracts.rs", &task("pub label: String, pub done: String,"));
    assert_ne!(made.problems(), "");
    let edited = made
        .read("protos/task/task.proto")
        .replace("bool done", "string  done");
    made.write("protos/task/task.proto", &edited);
    assert_eq!(made.problems(), "");
    assert!(made.read("protos/task/task.proto").contains("  string done = 2;"));
}

#[test]
fn an_edit_that_is_not_what_the_contracts_give_excuses_nothing() {
    let made = committed(BOTH);
    made.write("src/contracts.rs", &task("pub label: String, pub done: String,"));
    let edited = made
        .read("protos/task/task.proto")
        .replace("bool done", "uint64 done");
    made.write("protos/task/task.proto", &edited);
    assert!(made.problems().contains(&error_of("task.Task.done")));
}

#[test]
fn deleting_the_schema_is_no_edit() {
    let made = committed(BOTH);
    made.write("src/contracts.rs", &task("pub label: String, pub done: String,"));
    std::fs::remove_file(made.path("protos/task/task.proto")).expect("the file is there");
    assert!(made.problems().contains(&error_of("task.Task.done")));
}

#[test]
fn with_ci_set_a_stale_schema_is_an_error_and_stays() {
    let mut made = committed(LABEL);
    made.environment.ci = true;
    assert_eq!(made.problems(), "");
    let before = made.read("protos/task/task.proto");
    made.write("src/contracts.rs", &task(BOTH));
    let problems = made.problems();
    assert!(
        problems.starts_with("cargo::error=`protos/task/task.proto` is not what"),
        "{problems}"
    );
    assert_eq!(made.read("protos/task/task.proto"), before);
}

#[test]
fn a_tree_that_cannot_be_written_is_warned_about_and_left() {
    let made = Crate::new(&task(LABEL));
    made.write("protos", "a file where the folder should be");
    let problems = made.problems();
    assert!(
        problems.starts_with("cargo::warning=`protos/task/task.proto`"),
        "{problems}"
    );
    assert!(made.module("task").starts_with("// @generated"));
}

#[test]
fn packaged_sources_are_never_written() {
    for left in ["Cargo.toml.orig", ".cargo-checksum.json"] {
        let made = Crate::new(&task(LABEL));
        made.write(left, "");
        assert_eq!(made.problems(), "");
        assert_eq!(made.read("protos/task/task.proto"), "<missing>");
    }
    let mut made = Crate::new(&task(LABEL));
    made.environment.cargo_home = Some(made.root().to_path_buf());
    made.environment.manifest_dir = made.root().join("registry/src/tasks-0.1.0");
    made.write("src/main.rs", "mod contracts;");
    made.write("src/contracts.rs", &task(LABEL));
    assert_eq!(made.problems(), "");
    assert_eq!(made.read("protos/task/task.proto"), "<missing>");
}

#[test]
fn without_git_the_file_on_disk_is_the_promise() {
    let made = Crate::new(&task(BOTH));
    assert_eq!(made.problems(), "");
    made.write("src/contracts.rs", &task("pub label: String, pub done: String,"));
    let problems = made.problems();
    assert!(problems.contains(&error_of("task.Task.done")), "{problems}");
    assert!(
        problems.contains("(compared with the file on disk, as this is no git repository; edit it there"),
        "{problems}"
    );
    made.write(
        "src/contracts.rs",
        &task("pub label: String, pub done: bool, pub more: u32,"),
    );
    assert_eq!(made.problems(), "");
}

#[test]
fn a_linked_worktree_has_a_promise_of_its_own() {
    let made = committed(BOTH);
    made.git(&["worktree", "add", "-q", "../linked", "-b", "other"]);
    let mut linked = committed(LABEL);
    linked.environment.manifest_dir = made.root().join("linked");
    linked.write("src/contracts.rs", &task(LABEL));
    assert!(linked.problems().contains(&error_of("task.Task")));
    let log = std::fs::canonicalize(made.path(".git/worktrees/linked/logs/HEAD")).expect("the reflog");
    let watched = linked.build();
    assert!(
        watched.contains(&format!("rerun-if-changed={}", log.display())),
        "{watched}"
    );
}

#[test]
fn git_is_watched_only_while_something_is_wrong() {
    let made = committed(BOTH);
    assert!(!made.build().contains(".git"));
    made.write("src/contracts.rs", &task("pub label: String, pub done: String,"));
    assert!(made.build().contains(".git/logs/HEAD"));
    // A commit that makes the change the promise ends the complaint.
    let edited = made
        .read("protos/task/task.proto")
        .replace("bool done", "string done");
    let path = made.path("protos/task/task.proto");
    let before = std::fs::read_to_string(&path).expect("the schema");
    made.write("protos/task/task.proto", &edited);
    made.commit();
    std::fs::write(&path, before).expect("the schema");
    assert_eq!(made.problems(), "");
}

#[test]
fn a_closed_enum_that_grows_is_warned_about() {
    let states =
        |more: &str| format!("#[contract(package = \"task\")]\npub enum State {{ Open, Done, {more} }}\n");
    let made = Crate::new(&states(""));
    made.git(&["init", "-q"]);
    assert_eq!(made.problems(), "");
    made.commit();
    made.write("src/contracts.rs", &states("Late"));
    let problems = made.problems();
    assert!(problems.starts_with("cargo::warning="), "{problems}");
    assert!(made.read("protos/task/task.proto").contains("STATE_LATE = 2;"));
}

/// A crate in `crate`, whose schemas are in `protos` beside it, where those of the crate `other` are.
fn sharing(fields: &str) -> Crate {
    let mut made = Crate::new(&task(fields));
    made.builder = made.builder.clone().proto_directory("../protos");
    made.git(&["init", "-q", ".."]);
    let mut other = Crate::new("");
    other.environment.manifest_dir = made.root().join("other");
    other.builder = made.builder.clone();
    other.write("src/main.rs", "mod contracts;");
    other.write(
        "src/contracts.rs",
        "#[contract(package = \"note\")] pub struct Note { pub text: String }",
    );
    assert_eq!(other.problems(), "");
    made
}

#[test]
fn schemas_of_another_crate_in_a_shared_folder_stay() {
    let mut made = sharing(LABEL);
    assert_ne!(made.read("../protos/note/note.proto"), "<missing>");
    assert_eq!(made.problems(), "");
    assert_ne!(made.read("../protos/note/note.proto"), "<missing>");
    made.git(&["add", "-A", ".."]);
    made.commit();
    made.environment.ci = true;
    made.write("src/contracts.rs", &format!("// A comment.\n{}", task(LABEL)));
    assert_eq!(made.problems(), "");
}

#[test]
fn a_schema_outside_of_the_crate_is_a_promise_too() {
    let made = sharing(BOTH);
    assert_eq!(made.problems(), "");
    made.git(&["add", "-A", ".."]);
    made.commit();
    made.write("src/contracts.rs", &task("pub label: String, pub done: String,"));
    let problems = made.problems();
    assert!(problems.contains(&error_of("task.Task.done")), "{problems}");
    assert!(made.read("../protos/task/task.proto").contains("bool done = 2;"));
}

#[test]
fn a_schema_in_another_repository_is_promised_as_it_lies_there() {
    let made = sharing(BOTH);
    assert_eq!(made.problems(), "");
    made.git(&["init", "-q", "../protos"]);
    made.write("src/contracts.rs", &task("pub label: String, pub done: String,"));
    assert!(made.problems().contains(&error_of("task.Task.done")));
}

/// A crate that keeps its descriptor set among its sources.
fn with_set() -> Crate {
    let mut made = Crate::new(&task(LABEL));
    made.builder = made.builder.clone().descriptor_set_path("set.binpb");
    made
}

#[test]
fn packaged_sources_get_no_descriptor_set() {
    let mut made = with_set();
    made.write("Cargo.toml.orig", "");
    assert_eq!(made.problems(), "");
    assert!(!made.path("set.binpb").exists());
    let inside = made.environment.out_dir.join("set.binpb");
    made.builder = made.builder.clone().descriptor_set_path(&inside);
    assert_eq!(made.problems(), "");
    assert!(inside.is_file());
}

#[test]
fn with_ci_set_a_stale_descriptor_set_is_an_error_and_stays() {
    let mut made = with_set();
    assert_eq!(made.problems(), "");
    made.environment.ci = true;
    assert_eq!(made.problems(), "");
    made.write("set.binpb", "stale");
    let problems = made.problems();
    assert!(
        problems.starts_with("cargo::error=`set.binpb` is not what"),
        "{problems}"
    );
    assert_eq!(made.read("set.binpb"), "stale");
}

#[test]
fn a_descriptor_set_that_cannot_be_written_is_warned_about() {
    let made = with_set();
    made.write("set.binpb/file", "a folder where the file should be");
    let problems = made.problems();
    assert!(problems.starts_with("cargo::warning=`set.binpb`"), "{problems}");
}

#[test]
fn a_broken_promise_reaches_no_descriptor_set() {
    let mut made = committed(BOTH);
    made.builder = made.builder.clone().descriptor_set_path("set.binpb");
    made.write("src/contracts.rs", &task("pub label: String, pub done: String,"));
    assert_ne!(made.problems(), "");
    assert!(!made.path("set.binpb").exists());
    made.write("src/contracts.rs", &task(BOTH));
    assert_eq!(made.problems(), "");
    assert!(made.path("set.binpb").is_file());
}
