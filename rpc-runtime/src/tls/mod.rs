//! What both ends of a TLS connection have: a certificate with its private key, from PEM. Who is trusted, and what is spoken, is each
//! end's own.

mod error;
mod pair;

pub use error::TlsError;
pub(crate) use pair::{Pair, PairText, Pem};
