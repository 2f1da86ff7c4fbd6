//! The contracts of the design, and what becomes of them.

use super::support::Crate;
use expect_test::expect_file;

const CONTRACTS: &str = r##"
use rpc_runtime::{Context, Status, Streaming, contract};

/// A thing to be done.
#[contract(package = "task", controller = "Task")]
pub struct TasksContract {
    /// What is to be done.
    #[field(unique, min_len = 1, max_len = 200)]
    pub label: String,
    #[field(default = false)]
    pub checked: bool,
    #[field(default = false)]
    pub removed: bool,
    #[field(id)]
    pub id: String,
}
"##;

#[test]
fn the_task_contract_gives_its_schema_and_module() {
    let task = Crate::new(CONTRACTS);
    assert_eq!(task.problems(), "");
    expect_file!["golden/task.proto"].assert_eq(&task.read("protos/task/task.proto"));
    expect_file!["golden/task.rs"].assert_eq(&task.module("task"));
}
