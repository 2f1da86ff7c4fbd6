//! Makes Connect's code from the contract of the TypeScript client's cases, without protoc: of the two methods that are measured.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

const MEASURED: [&str; 2] = ["Echo", "Numbers"];

fn main() -> Result<(), Box<dyn Error>> {
    let protos = ["../../tests/typescript/server/protos", "../../rpc-build/protos"];
    println!("cargo::rerun-if-changed={}", protos[0]);
    let mut schemas = protox::compile(["cases/cases.proto"], protos)?;
    for service in schemas.file.iter_mut().flat_map(|file| &mut file.service) {
        service.method.retain(|method| MEASURED.contains(&method.name()));
    }
    let file = PathBuf::from(env::var("OUT_DIR")?).join("schemas.bin");
    fs::write(&file, schemas.encode_to_vec())?;
    connectrpc_build::Config::new()
        .descriptor_set(file)
        .files(&["cases/cases.proto"])
        .generate_json(false)
        .include_file("connect.rs")
        .compile()?;
    Ok(())
}
