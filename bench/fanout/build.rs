//! Reads the contracts of what is published, and of the stream that relays it.

fn main() {
    rpc_build::contracts("src/contracts.rs").run()
}
