//! What is said at the start: where the server is, and what to try.

use std::net::SocketAddr;

use super::endpoints::{EXPLORER, PATH};
use crate::cli::{ServeArgs, program};
use crate::storage::Location;

/// The text for the standard output.
pub(super) fn welcome(address: SocketAddr, location: &Location, args: &ServeArgs) -> String {
    let mut here = address;
    if here.ip().is_unspecified() {
        here.set_ip(match here {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let (scheme, page) = match args.tls_cert {
        Some(_) => ("wss", "https"),
        None => ("ws", "http"),
    };
    let url = format!("{scheme}://{here}{PATH}");
    let mut server = String::new();
    if url != "ws://127.0.0.1:3000/rpc" {
        server = format!(" --server {url}");
    }
    let program = program();
    let first = if args.require_login {
        format!("\x20 {program} register <name>{server}\n")
    } else {
        String::new()
    };
    let explorer = match cfg!(debug_assertions) {
        true => format!("\nTo look into the server: {page}://{here}{EXPLORER}/\n"),
        false => String::new(),
    };
    format!(
        "Serving tasks on {page}://{here}, kept in {location}. Ctrl-C stops.\n\
         \n\
         Open it in a browser, or call {url} from another terminal:\n\
         {first}\
         \x20 {program} add \"Buy milk\"{server}\n\
         \x20 {program} list{server}\n\
         \x20 {program} watch{server}\n\
         \x20 {program} check <id>{server}\n\
         \x20 {program} remove <id>{server}\n\
         {explorer}"
    )
}
