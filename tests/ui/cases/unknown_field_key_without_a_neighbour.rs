use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(searchable)]
    pub label: String,
}

fn main() {}
