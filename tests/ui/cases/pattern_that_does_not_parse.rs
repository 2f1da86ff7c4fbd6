use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(pattern = "^[a-z+$")]
    pub label: String,
}

fn main() {}
