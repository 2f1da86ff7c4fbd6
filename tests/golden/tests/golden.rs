//! What is generated, to the letter. `UPDATE_EXPECT=1 cargo test -p golden` brings it up to date; read the difference.

use expect_test::expect_file;

#[test]
fn the_schema_and_the_module_of_the_task_contract_are_as_pinned() {
    expect_file!["../golden/task.rs"].assert_eq(include_str!(concat!(env!("OUT_DIR"), "/rpc/task.rs")));
    let schema = include_str!("../protos/task/task.proto");
    for name in ["AddTask", "UpdateTask", "DeleteTask", "GetAllTask"] {
        assert!(
            schema.contains(&format!("rpc {name}({name}Request) returns ({name}Response)")),
            "{name}"
        );
    }
}

#[test]
fn the_module_of_a_contract_with_changes_is_as_pinned() {
    expect_file!["../golden/note.rs"].assert_eq(include_str!(concat!(env!("OUT_DIR"), "/rpc/note.rs")));
}

#[test]
fn the_module_of_a_trait_is_as_pinned() {
    expect_file!["../golden/ticker.rs"].assert_eq(include_str!(concat!(env!("OUT_DIR"), "/rpc/ticker.rs")));
}

#[test]
fn the_client_of_a_hand_written_gateway_is_as_pinned() {
    expect_file!["../golden/clock.rs"].assert_eq(include_str!(concat!(env!("OUT_DIR"), "/rpc/clock.rs")));
}
