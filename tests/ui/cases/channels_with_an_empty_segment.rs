use rpc_runtime::contract;

#[contract(package = "chat", event, channels = "room:", detached)]
pub enum Said {
    #[default]
    Nothing,
    Text(String),
}

fn main() {}
