use rpc_runtime::contract;

#[contract(package = "shape", detached)]
pub enum Shape {
    #[default]
    Unset = 0,
    Circle(f64) = 1,
}

fn main() {}
