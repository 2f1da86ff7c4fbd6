//! Reads the contracts of the test service.

fn main() {
    rpc_build::contracts("src/contracts.rs").run()
}
