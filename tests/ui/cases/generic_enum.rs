use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub enum Either<T> {
    #[default]
    Unset,
    One(T),
}

fn main() {}
