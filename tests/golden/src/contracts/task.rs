//! The contract that the project began with.

use rpc_runtime::contract;

/// A thing to be done.
#[contract(package = "task", controller = "Task")]
pub struct TasksContract {
    /// What is to be done.
    #[field(unique, min_len = 1, max_len = 200)]
    pub label: String,
    /// Whether it is done.
    #[field(default = false)]
    pub checked: bool,
    /// Whether it is in the bin.
    #[field(default = false)]
    pub removed: bool,
    /// Assigned by the service.
    #[field(id)]
    pub id: String,
}
