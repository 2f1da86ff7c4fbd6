//! Where schemas and descriptor sets lie: what they are compared with there, what is written, and what is left alone.

use super::drift::{BOTH, LABEL, committed, task};
use super::support::{Crate, error_of};

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
