use rpc_runtime::contract;
use rpc_runtime::hub::{Event, Events};

#[contract(package = "chat", detached)]
pub struct Said {
    pub text: String,
}

fn publish(_event: &impl Event) {}

fn listen<E: Events>() {}

fn main() {
    publish(&Said::default());
    listen::<Said>();
    listen::<String>();
}
