//! What becomes of the `.proto` when contracts change.

use super::support::{Crate, error_of};

pub(super) fn task(fields: &str) -> String {
    format!("#[contract(package = \"task\")]\npub struct Task {{ {fields} }}\n")
}

/// A crate whose contract is committed.
pub(super) fn committed(fields: &str) -> Crate {
    let made = Crate::new(&task(fields));
    made.git(&["init", "-q"]);
    assert_eq!(made.problems(), "");
    made.commit();
    made
}

pub(super) const LABEL: &str = "pub label: String,";
pub(super) const BOTH: &str = "pub label: String, pub done: bool,";

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

/// A contract with a controller, and what else its keys say.
fn crud(keys: &str) -> String {
    format!(
        "#[contract(package = \"task\", controller = \"Task\"{keys})]\n\
         pub struct TaskContract {{ #[field(id)] pub id: String }}\n"
    )
}

#[test]
fn what_a_controller_brings_is_reported_at_its_contract() {
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
