//! What those call that stay while all others come back.

use rpc_runtime::{Status, bytes::Bytes, contract};

/// A message as short as most are.
#[contract(package = "steady")]
#[derive(Clone)]
pub struct Beat {
    /// Which of its caller's calls it is.
    #[field(proto = "fixed64")]
    pub number: u64,
    /// Fills it.
    pub payload: Bytes,
}

/// A call that costs its handler nothing.
#[contract(package = "steady")]
pub trait Steady {
    /// Gives it back.
    async fn beat(&self, beat: Beat) -> Result<Beat, Status>;
}
