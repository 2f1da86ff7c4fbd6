//! Reads the contracts of two roots, and the gateway that was written by hand.

fn main() {
    rpc_build::configure()
        .contracts("src/contracts/mod.rs")
        .contracts("src/clock.rs")
        .run();
}
