use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(unique)]
    pub labels: Vec<String>,
}

fn main() {}
