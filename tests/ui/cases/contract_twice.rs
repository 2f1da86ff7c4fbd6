use rpc_runtime::contract;

#[contract(package = "task", detached)]
#[contract(event)]
pub struct TaskAdded {
    #[field(min_len = 1)]
    pub label: String,
}

fn main() {
    let _ = TaskAdded { label: String::new() };
}
