use rpc_runtime::contract;

pub struct Wrapper<T>(T);

#[contract(package = "task", detached)]
pub struct Task {
    pub label: Wrapper<String>,
}

fn main() {}
