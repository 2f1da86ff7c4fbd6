use rpc_runtime::contract;

#[contract(package = "shape", detached)]
pub enum Shape {
    #[default]
    Unset,
    Circle(f64),
    Polygon(Vec<f64>),
}

fn main() {}
