use std::collections::HashMap;

use rpc_runtime::prost::Message;
use rpc_runtime::{Contract, ContractEnum, contract};

#[contract(package = "task", detached)]
pub struct Task {
    pub label: String,
    #[field(default = Priority::High)]
    pub priority: Priority,
    pub place: Option<Place>,
    #[field(uniqe)]
    pub note: String,
}

#[contract(package = "task", detached)]
pub enum Priority {
    Low = 1,
    High = 2,
}

#[contract(package = "task", detached)]
pub enum Place {
    At(String),
    Nowhere,
}

#[contract(package = "task", detached)]
pub struct Page<T> {
    pub items: Vec<T>,
}

#[contract(package = "task", detached)]
pub struct TaskList {
    pub tasks: Vec<Task>,
    pub by_priority: HashMap<String, Priority>,
}

pub fn first(list: &TaskList) -> Option<Vec<u8>> {
    let page = Page { items: vec![1] };
    let _ = page.clone() == page;
    let _ = Priority::default().number();
    let _ = Task::descriptor();
    let _ = Task { label: "Buy milk".into(), ..Task::default() };
    list.tasks.first().cloned().map(|task| task.encode_to_vec())
}

fn main() {}
