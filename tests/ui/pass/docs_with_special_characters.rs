//! What stands in a doc comment is text, whatever it looks like.
#![deny(missing_docs)]

use rpc_runtime::{Contract, contract};

/// "Quoted", \back\slashes, {braces}, */ and /* and // and `#[contract]`, tabs	and 漢字.
///
/// A second paragraph.
#[contract(package = "docs", detached)]
pub struct Documented {
    #[doc = "written as an attribute with \"quotes\""]
    #[doc = concat!("made by ", "a macro")]
    pub label: String,
    /**
     * A block comment.
     */
    pub note: String,
}

/// A program.
fn main() {
    let docs = Documented::descriptor().docs;
    assert!(docs.starts_with("\"Quoted\", \\back\\slashes, {braces}, */ and /*"));
    assert!(docs.ends_with("\n\nA second paragraph."));
    assert!(Documented::descriptor().fields[0].docs.contains("\"quotes\""));
}
