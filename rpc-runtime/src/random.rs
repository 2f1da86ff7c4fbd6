//! The operating system's randomness.

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
