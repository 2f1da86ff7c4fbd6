use rpc_runtime::contract;

#[contract(package = "chat", channels = "room:{id}", detached)]
pub struct Said {
    pub text: String,
}

fn main() {}
