//! Any bytes: reading them never panics, and what was read survives the wire.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rpc_protocol::Frame;

fuzz_target!(|data: &[u8]| {
    let Ok(frame) = Frame::decode(Bytes::copy_from_slice(data)) else {
        return;
    };
    let bytes = frame.to_bytes();
    assert_eq!(
        Frame::decode(bytes.clone()).as_ref(),
        Ok(&frame),
        "a frame survives the wire"
    );
    assert_eq!(frame.to_bytes(), bytes, "a frame has one encoding");
    // Shown in logs.
    let _ = format!("{frame:?}");
});
