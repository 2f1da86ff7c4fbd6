use rpc_runtime::contract;

#[contract(package = "chat", event, channels = "client:{id}", detached)]
pub struct Said {
    pub text: String,
}

fn main() {}
