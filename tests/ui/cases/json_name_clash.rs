use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub due_date: i64,
    #[field(rename = "due__date")]
    pub until: i64,
}

fn main() {}
