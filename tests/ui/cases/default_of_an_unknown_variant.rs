use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub enum Priority {
    Low,
    High,
}

#[contract(package = "task", detached)]
pub struct Task {
    #[field(default = Priority::Urgent)]
    pub priority: Priority,
}

fn main() {}
