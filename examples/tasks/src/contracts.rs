//! What goes over the wire. Everything else in this program follows from it: the messages, the service, its client, and
//! the table that the tasks are stored in.

pub mod auth;

use rpc_runtime::contract;

/// A thing to be done.
#[contract(package = "task", controller = "Task", guard = "owner")]
pub struct TasksContract {
    /// What is to be done.
    // Among the tasks of its owner.
    #[field(unique, min_len = 1, max_len = 200)]
    pub label: String,
    /// Whether it is done.
    #[field(default = false)]
    pub checked: bool,
    /// Whether it was put away without being deleted.
    #[field(default = false)]
    pub removed: bool,
    /// Assigned by the server.
    #[field(id)]
    pub id: String,
}
