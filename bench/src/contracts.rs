//! The contract that this project's server and client are generated from. On the wire its messages are those of
//! [`messages`](crate::messages), so that the floor's client can be driven against it.

use rpc_runtime::contract;

/// A thing to be done.
#[contract(package = "task", controller = "Task", operations(add))]
pub struct TasksContract {
    pub label: String,
    #[field(default = false)]
    pub checked: bool,
    #[field(default = false)]
    pub removed: bool,
    #[field(id)]
    pub id: String,
}
