use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(id)]
    pub id: String,
    #[field(id)]
    pub number: u64,
}

fn main() {}
