use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(id)]
    pub id: f64,
}

fn main() {}
