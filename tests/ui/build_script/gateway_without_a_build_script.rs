//- without build.rs
//- src/lib.rs
pub mod contracts;

rpc_runtime::include_gateway!("task");
//- src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "task", controller = "Task")]
pub struct Task {
    #[field(id)]
    pub id: String,
}
