use rpc_runtime::contract;

#[contract(package = "shape", detached)]
pub enum Shape {
    #[default]
    Unset,
    #[field(id)]
    Name(String),
}

fn main() {}
