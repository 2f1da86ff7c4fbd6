use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub prices: std::collections::HashMap<f64, String>,
}

fn main() {}
