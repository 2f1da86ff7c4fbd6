//! How an error that is no status becomes one, without telling the peer what broke.

use std::error::Error;

use super::Status;

/// An error of any type, as tower and others pass it on.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What a peer is told of an error inside.
const INTERNAL: &str = "internal error";

impl Status {
    /// INTERNAL with a fixed text; `error` is kept for the log and never sent. A handler's peer is told the id under
    /// which it was logged.
    #[must_use]
    pub fn internal_from(error: impl Into<BoxError>) -> Self {
        let mut status = Status::internal(INTERNAL).with_cause(error);
        status.inner.hidden = true;
        status
    }
}

/// A status that was boxed comes out again; any other error becomes INTERNAL with a fixed text.
impl From<BoxError> for Status {
    fn from(error: BoxError) -> Self {
        match error.downcast::<Status>() {
            Ok(status) => *status,
            Err(error) => Status::internal_from(error),
        }
    }
}

/// Makes `?` work on errors that are no [`Status`].
///
/// ```
/// use rpc_runtime::{ResultExt, Status};
///
/// fn parse(text: &str) -> Result<i32, Status> {
///     let number = text.parse::<i32>().or_internal()?;
///     Ok(number)
/// }
///
/// let status = parse("x").unwrap_err();
/// assert_eq!(status.message(), "internal error");
/// assert_eq!(status.cause().unwrap().to_string(), "invalid digit found in string");
/// ```
pub trait ResultExt<T> {
    /// Turns an error into INTERNAL: its text goes to the log, and a fixed text to the peer. A [`Status`] in a box stays
    /// what it is.
    ///
    /// # Errors
    ///
    /// When this is an error.
    fn or_internal(self) -> Result<T, Status>;
}

impl<T, E: Into<BoxError>> ResultExt<T> for Result<T, E> {
    fn or_internal(self) -> Result<T, Status> {
        self.map_err(|error| Status::from(error.into()))
    }
}
