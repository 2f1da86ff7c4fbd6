use rpc_runtime::{Status, contract};

#[contract(package = "Task", detached)]
pub struct Task {
    #[field(tag = 0)]
    pub label: &'static str,
    #[field(uniqe, min_len = 1)]
    pub size: usize,
    #[field(default = 3)]
    pub checked: bool,
}

#[contract(package = "task", detached)]
pub enum Priority {
    Low = 1,
    High = 1,
}

#[contract(package = "task", detached)]
pub trait Tasks {
    fn add(&self, task: Task) -> Result<Task, Status>;
    async fn remove(task: Task) -> Task;
}

fn main() {}
