use rpc_runtime::contract;

#[contract(package = "task", detached)]
#[derive(Default)]
pub enum Priority {
    Low,
    #[default]
    High,
}

fn main() {}
