//! What calls pass on their way to a handler: rates, `auth`, guards, and guards that look at requests; and who takes calls
//! of methods that nobody knows. In memory, on a paused clock.

#![allow(unreachable_pub, missing_docs, clippy::unwrap_used, reason = "a test crate")]

mod fallback;
mod guards;
mod rates;
mod requests;
mod service;
