use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(format = "phone")]
    pub contact: String,
}

fn main() {}
