//! Who a client is: what it shows to be known, and what servers have said of it, over all its connections.
//!
//! Owns which credential the next connection shows and what can be seen from outside. Frames, and the order in which they
//! go, are the link's.

mod provider;
mod refresh;
mod requests;
mod standing;
mod told;

pub use provider::CredentialProvider;
pub(super) use provider::Provide;
pub(super) use refresh::keep_fresh;
pub(super) use standing::{Proof, Shown, Standing, Why};
pub use told::{ClientIdentity, ServerGreeting};
