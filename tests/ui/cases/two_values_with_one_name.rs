use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub enum Priority {
    Low,
    High,
    #[field(rename = "HIGH")]
    Urgent,
}

fn main() {}
