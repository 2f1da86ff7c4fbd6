//! Writes the schema of the contracts, and compiles that schema once more with prost-build alone: the twins.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    rpc_build::contracts("src/contracts.rs").run();

    let twins = protox::compile(["kitchen/kitchen.proto"], ["protos"])?;
    prost_build::Config::new()
        .btree_map(["."])
        .skip_source_info()
        .compile_fds(twins)?;

    // The messages that scalars travel in where a message is asked for. prost's own types for them are the scalars.
    let wrappers = protox::compile(
        ["google/protobuf/wrappers.proto", "google/protobuf/empty.proto"],
        ["protos"],
    )?;
    prost_build::Config::new()
        .compile_well_known_types()
        .skip_source_info()
        .compile_fds(wrappers)?;
    println!("cargo::rerun-if-changed=protos/kitchen/kitchen.proto");
    Ok(())
}
