//! Who a client is: what it shows, when, and what it makes of what servers say of it.

mod asked;
mod at_connect;
mod handshake;
mod provider;
mod refreshed;
mod seen;
mod served;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rpc_protocol::frame::{Authenticate, Identity};
use rpc_runtime::auth::Credential;

/// What an authentication shows.
fn shown(authenticate: &Authenticate) -> (&str, &str) {
    let secret = std::str::from_utf8(&authenticate.credential).expect("text");
    (&authenticate.scheme, secret)
}

/// Gives `token 1`, `token 2`, …; the count is of how many.
fn tokens() -> (
    Arc<AtomicUsize>,
    impl Fn() -> std::future::Ready<io::Result<Credential>> + Send + Sync + 'static,
) {
    let given = Arc::new(AtomicUsize::new(0));
    let counter = given.clone();
    let provider = move || {
        let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
        std::future::ready(Ok(Credential::bearer(format!("token {number}"))))
    };
    (given, provider)
}

/// A warning that the identity of `ann` ends in 20 s.
fn warning() -> Identity {
    Identity {
        user_id: "ann".to_owned(),
        expires_in_us: 20_000_000,
        expires_soon: true,
        ..Identity::default()
    }
}
