//! Makes the gateway and the client of the contracts.

fn main() {
    rpc_build::contracts("src/contracts.rs").run();
}
