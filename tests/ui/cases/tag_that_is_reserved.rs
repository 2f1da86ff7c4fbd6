use rpc_runtime::contract;

#[contract(package = "task", reserved(2), detached)]
pub struct Task {
    #[field(tag = 2)]
    pub label: String,
}

fn main() {}
