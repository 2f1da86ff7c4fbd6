//! JSON Web Tokens: those that are accepted, those that are forged, and keys that change.

#![allow(unreachable_pub, missing_docs, clippy::unwrap_used, reason = "a test crate")]

mod claims;
mod issuer;
mod keys;
mod malformed;
mod peer;
mod rotation;
mod serving;
mod signatures;
