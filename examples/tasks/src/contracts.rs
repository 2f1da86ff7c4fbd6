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

/// The tasks of a list, as they were at one moment: what a client that subscribes to a list is given first.
#[contract(package = "task", event, channels = "tasks:{list}")]
pub struct TaskList {
    /// In the order in which they were added.
    pub tasks: Vec<TasksContract>,
}

/// What a call has changed in a list. Everyone who may see the list may hear it.
#[contract(package = "task", event, channels = "tasks:{list}")]
pub enum TaskChanged {
    /// A change that this program does not know yet.
    #[default]
    Unset,
    /// There is one more.
    Added(TasksContract),
    /// One is now so.
    Updated(TasksContract),
    /// One is gone.
    Deleted(DeletedTask),
}

/// A task that is gone.
#[contract(package = "task")]
pub struct DeletedTask {
    /// Which it was.
    pub id: String,
}
