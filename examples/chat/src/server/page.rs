//! The page, for people with a browser. It is built beforehand (`page/`), and part of the program.

use rpc_page::Page;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "page/dist"]
struct Files;

/// What is answered beside the calls, on the same port.
pub(super) fn page() -> Page {
    Page::of::<Files>()
}
