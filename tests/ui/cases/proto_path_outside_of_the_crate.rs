use rpc_runtime::contract;

#[contract(package = "task", proto_path = "../task.proto", detached)]
pub struct Task {
    pub label: String,
}

fn main() {}
