use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(default = "no")]
    pub checked: bool,
}

fn main() {}
