use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(proto = "sint64")]
    pub count: u32,
}

fn main() {}
