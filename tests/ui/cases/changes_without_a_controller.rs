use rpc_runtime::contract;

#[contract(package = "task", changes = "tasks", detached)]
pub struct Task {
    #[field(id)]
    pub id: String,
}

fn main() {}
