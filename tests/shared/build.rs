//! Writes the schemas of this crate's contracts.

fn main() {
    rpc_build::contracts("src/lib.rs").run();
}
