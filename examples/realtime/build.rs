//! Makes the gateways and the clients of all programs. Each is a crate of its own, which begins at its `main.rs`.

fn main() {
    rpc_build::configure()
        .crate_root("src/bin/coedit/main.rs")
        .contracts("src/bin/coedit/contracts.rs")
        .crate_root("src/bin/dashboard/main.rs")
        .contracts("src/bin/dashboard/main.rs")
        .crate_root("src/bin/game/main.rs")
        .contracts("src/bin/game/contracts.rs")
        .crate_root("src/bin/progress/main.rs")
        .contracts("src/bin/progress/contracts.rs")
        .run();
}
