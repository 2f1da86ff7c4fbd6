use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(rename = "the-label")]
    pub label: String,
}

fn main() {}
