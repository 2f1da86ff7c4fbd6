//- src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "task")]
pub struct Task {
    pub label: String,
}

pub mod old {
    use rpc_runtime::contract;

    #[contract(package = "task", message = "Task")]
    pub struct OldTask {
        pub title: String,
    }
}
