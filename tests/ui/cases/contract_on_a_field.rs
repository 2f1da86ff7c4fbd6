use rpc_runtime::{Context, Status, contract};

#[contract(package = "task", detached)]
pub struct Task {
    #[contract(min_len = 1)]
    pub label: String,
}

#[contract(package = "task", detached)]
pub enum Priority {
    Low,
    #[contract(tag = 7)]
    High,
}

#[contract(package = "task", detached)]
pub trait Tasks {
    #[contract(auth)]
    async fn add(&self, cx: &Context, request: Task) -> Result<Task, Status>;
}

fn main() {}
