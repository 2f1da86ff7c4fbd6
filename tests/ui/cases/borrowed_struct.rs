use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task<'a> {
    pub label: &'a str,
}

fn main() {}
