use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(tag = 3)]
    pub label: String,
    #[field(tag = 3)]
    pub checked: bool,
}

fn main() {}
