//! Generates this project's gateway and client, and tonic's, for the services that are measured.
//!
//! tonic's services are described by hand, so that no `.proto` compiler is built for it; the code is what `tonic-prost-build`
//! gives for the same services.

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
    tonic_build::manual::Builder::new().compile(&[service, flow()]);
    println!("cargo::rerun-if-changed=build.rs");
}

/// The streams.
fn flow() -> tonic_build::manual::Service {
    let method = |name: &str, route: &str, input: &str, output: &str| {
        tonic_build::manual::Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("crate::streams::items::{input}"))
            .output_type(format!("crate::streams::items::{output}"))
            .codec_path("tonic_prost::ProstCodec")
    };
    tonic_build::manual::Service::builder()
        .name("FlowService")
        .package("flow")
        .method(method("down", "Down", "Start", "Item").server_streaming().build())
        .method(method("up", "Up", "Item", "Summary").client_streaming().build())
        .method(
            method("echo", "Echo", "Item", "Item")
                .client_streaming()
                .server_streaming()
                .build(),
        )
        .method(method("ping", "Ping", "Item", "Item").build())
        .build()
}
