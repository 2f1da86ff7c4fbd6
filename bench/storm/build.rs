//! Reads the contract of the service that is called.

fn main() {
    rpc_build::contracts("src/contracts.rs").run()
}
