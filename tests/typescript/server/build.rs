//! Reads the contracts of the cases.

fn main() {
    rpc_build::contracts("src/contracts.rs").run()
}
