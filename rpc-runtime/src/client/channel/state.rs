//! What can be seen of a client from outside.

use tokio::time::Instant;

/// What a client's connection is doing.
///
/// ```text
///            first call              made
///   Idle ──────────────▶ Connecting ──────▶ Connected
///                          ▲    │               │
///                 time over│    │ failed        │ lost, or the server goes away
///                          │    ▼               │
///                        Waiting ◀──────────────┘
///
///   any of them ── closed here, refused for good, attempts used up, last handle dropped ──▶ Closed
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// Nothing was called yet, and so nothing is connected.
    Idle,
    /// A connection is being made.
    Connecting,
    /// Calls go out.
    Connected,
    /// There is no connection; the next attempt begins at `until`.
    Waiting {
        /// When the next attempt begins.
        until: Instant,
    },
    /// The client is closed for good.
    Closed,
}
