//! Keeps `protos/`, and makes the service's trait, its gateway and its client, of what `src/contracts.rs` says.

fn main() {
    rpc_build::contracts("src/contracts.rs").run();
}
