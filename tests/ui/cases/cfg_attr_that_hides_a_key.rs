use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[cfg_attr(unix, field(tag = 7))]
    pub label: String,
}

fn main() {}
