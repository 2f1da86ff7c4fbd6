//! Makes the messages, the service trait, the gateway and the client of the contracts.

fn main() {
    rpc_build::contracts("src/contracts.rs").run();
}
