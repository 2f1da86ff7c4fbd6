//! Reads the framework's own contracts, keeps their schemas in the `protos/` of the repository, and generates what goes with
//! them.

fn main() {
    rpc_build::configure()
        .contracts("src/services/session/contract.rs")
        .contracts("src/services/admin/contract.rs")
        .contracts("src/services/reflection/contract.rs")
        .contracts("src/services/hub/contract.rs")
        .contracts("src/services/hub/events.rs")
        .proto_directory("../protos")
        .run();
}
