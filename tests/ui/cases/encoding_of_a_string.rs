use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(proto = "fixed32")]
    pub label: String,
}

fn main() {}
