//! Why the bytes of a WebSocket message are not a frame.

/// Why the bytes of a WebSocket message are not a frame. The peer's fault, and the end of its connection: a sender
/// that got one frame wrong cannot be trusted to mean what its next one says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The message ends inside a field.
    #[error("the frame ends inside a field")]
    Truncated,
    /// A varint takes more than ten bytes or 64 bits.
    #[error("a number of the frame is longer than 64 bits")]
    VarintTooLong,
    /// A key has the field number 0, a number over 2²⁹ − 1 or a wire type that does not exist.
    #[error("the frame holds an invalid field key")]
    InvalidKey,
    /// A known field comes with another wire type than its own.
    #[error("a field of the frame has the wrong wire type")]
    WireType,
    /// A text is not UTF-8.
    #[error("a text of the frame is not UTF-8")]
    InvalidUtf8,
    /// A group ends that did not begin.
    #[error("the frame ends a group that did not begin")]
    UnexpectedEndOfGroup,
    /// Unknown groups nest more than 100 deep.
    #[error("the frame nests too deep")]
    TooDeep,
    /// A list has more than 1,024 elements.
    #[error("a list of the frame is too long")]
    TooManyElements,
}
