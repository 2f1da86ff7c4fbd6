use rpc_runtime::contract;

#[contract(package = "shape", detached)]
pub enum Shape {
    Circle(f64),
    Square(f64),
}

fn main() {}
