//! The reference codec, which prost-build makes of `frame.proto`, is committed; here it is held to the `.proto`.
//!
//! Committed and not made by a build script: the library's own build stays free of prost and protox.

use std::path::Path;

/// `UPDATE_EXPECT=1 cargo test -p rpc-protocol --test generated_code` writes it anew.
#[test]
fn the_committed_reference_codec_is_what_prost_build_makes_of_the_proto() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let descriptors = protox::compile(["rpc/v1/frame.proto"], [root.join("../protos")])
        .expect("frame.proto compiles without protoc");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR"));
    prost_build::Config::new()
        .out_dir(out)
        .compile_fds(descriptors)
        .expect("prost-build takes frame.proto");
    let made = std::fs::read_to_string(out.join("rpc.v1.rs")).expect("prost-build writes one file");

    let committed = root.join("tests/generated/rpc.v1.rs");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&committed, &made).expect("the source tree can be written");
    }
    let committed = std::fs::read_to_string(committed).unwrap_or_default();
    assert!(
        committed == made,
        "tests/generated/rpc.v1.rs is stale; run with UPDATE_EXPECT=1"
    );
}
