//! What is deprecated warns where it is used, not where the macro reads it.
#![deny(warnings)]

use rpc_runtime::{Contract, ContractEnum, Status, contract};

#[contract(package = "old", detached)]
pub struct Task {
    pub label: String,
    #[deprecated]
    pub title: String,
    #[deprecated(note = "use `label`")]
    pub name: Option<String>,
}

#[contract(package = "old", detached)]
pub enum Level {
    Low,
    #[deprecated]
    High,
}

#[contract(package = "old", detached)]
pub enum Member {
    #[default]
    Unset,
    #[deprecated]
    Text(String),
    Number(i32),
}

#[contract(package = "old", detached)]
pub trait Tasks {
    #[deprecated]
    async fn find(&self, request: Task) -> Result<Task, Status>;
}

fn main() {
    assert!(Task::descriptor().fields[1].deprecated);
    assert!(Level::descriptor().values[1].deprecated);
    assert!(Member::descriptor().fields[0].deprecated);
}
