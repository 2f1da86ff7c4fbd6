use rpc_runtime::contract;

#[contract(package = "chat", event, channels = "room:*", detached)]
pub struct Said {
    pub text: String,
}

fn main() {}
