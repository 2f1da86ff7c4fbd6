//! What errors of layers mean to the peer.

use tower::{load_shed::error::Overloaded, timeout::error::Elapsed};

use crate::{Status, status::BoxError};

/// The status of an error that came out of a layer.
///
/// A status passes as it is. What tower's own layers say of time and load gets the code that fits; everything else is
/// internal, and its text stays in the log.
pub(crate) fn status_of(error: BoxError) -> Status {
    if error.is::<Elapsed>() {
        Status::deadline_exceeded("the call took longer than it may")
    } else if error.is::<Overloaded>() {
        // Nothing has run, and a little later there may be room: what UNAVAILABLE says.
        Status::unavailable("too many calls at the same time")
    } else {
        Status::from(error)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::Code;

    #[test]
    fn errors_of_tower_have_codes_and_others_are_hidden() {
        let not_found = status_of(Status::not_found("no task 7").into());
        assert_eq!(
            (not_found.code(), not_found.message()),
            (Code::NotFound, "no task 7")
        );
        assert_eq!(status_of(Elapsed::new().into()).code(), Code::DeadlineExceeded);
        let overloaded = status_of(Overloaded::new().into());
        assert_eq!(overloaded.code(), Code::Unavailable);
        assert!(overloaded.recoverable());
        let other = status_of(io::Error::other("password=hunter2").into());
        assert_eq!(
            (other.code(), other.message()),
            (Code::Internal, "internal error")
        );
        assert!(other.is_hidden());
        assert!(other.cause().is_some());
    }
}
