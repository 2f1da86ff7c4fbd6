//! Makes the gateways, the service traits and the clients of the contracts.

fn main() {
    rpc_build::contracts("src/contracts.rs").run();
}
