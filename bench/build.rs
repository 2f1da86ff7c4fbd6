//! Generates this project's gateway and client, and tonic's, for the one service that is measured.
//!
//! tonic's service is described by hand, so that no `.proto` compiler is built for it; the code is what `tonic-prost-build`
//! gives for the same service.

fn main() {
    rpc_build::contracts("src/contracts.rs").run();
    let add = tonic_build::manual::Method::builder()
        .name("add_task")
        .route_name("AddTask")
        .input_type("crate::messages::AddTaskRequest")
        .output_type("crate::messages::AddTaskResponse")
        .codec_path("tonic_prost::ProstCodec")
        .build();
    let service = tonic_build::manual::Service::builder()
        .name("TaskService")
        .package("task")
        .method(add)
        .build();
    tonic_build::manual::Builder::new().compile(&[service]);
    println!("cargo::rerun-if-changed=build.rs");
}
