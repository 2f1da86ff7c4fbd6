use rpc_runtime::contract;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    pub x: i32,
}

#[contract(package = "task", detached)]
pub struct Task {
    pub places: Vec<Place>,
}

fn main() {}
