//! Writes the schema of the contracts, and compiles that schema once more with prost-build alone: the twins.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    rpc_build::contracts("src/contracts.rs").run();

    let twins = protox::compile(["kitchen/kitchen.proto"], ["protos"])?;
    prost_build::Config::new()
        .btree_map(["."])
        .skip_source_info()
        .compile_fds(twins)?;
    println!("cargo::rerun-if-changed=protos/kitchen/kitchen.proto");
    Ok(())
}
