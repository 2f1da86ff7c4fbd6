//! The operating system's randomness.

use std::time::Duration;

/// Fills an array.
///
/// # Panics
///
/// Where the operating system has none to give, which happens before it has started, if at all.
#[allow(
    clippy::expect_used,
    reason = "nothing that a server or a client does is safe without"
)]
pub(crate) fn bytes<const COUNT: usize>() -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// A duration between two, both included, each as likely as the others.
pub(crate) fn between(least: Duration, most: Duration) -> Duration {
    let span = most.saturating_sub(least).as_nanos();
    // 64 bits of randomness over at most some hours: nobody sees that the last values are a little less likely.
    let random = u128::from(u64::from_le_bytes(bytes()));
    let part = (span.saturating_add(1) * random) >> 64;
    least + Duration::from_nanos(u64::try_from(part.min(span)).unwrap_or(u64::MAX))
}
