use std::io;
use std::time::Duration;

use super::*;
use crate::validate::Violations;

#[test]
fn a_status_is_as_small_as_a_pointer() {
    assert_eq!(size_of::<Status>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Status>>(), size_of::<usize>());
}

#[test]
fn details_are_found_by_their_type() {
    let info = ErrorInfo {
        reason: "TAKEN".into(),
        ..ErrorInfo::default()
    };
    let status = Status::already_exists("taken")
        .with_detail(&info)
        .with_detail(&Violations::default());
    assert_eq!(status.details::<ErrorInfo>().collect::<Vec<_>>(), [info]);
    assert_eq!(status.details::<Violations>().count(), 1);
    assert_eq!(status.details::<BadRequest>().count(), 0);
    let urls: Vec<_> = status.raw_details().map(|(url, _)| url.to_owned()).collect();
    assert_eq!(
        urls,
        [
            "type.googleapis.com/google.rpc.ErrorInfo",
            "type.googleapis.com/buf.validate.Violations"
        ]
    );
}

#[test]
fn recoverable_follows_the_code_and_the_retry_info() {
    let recoverable: Vec<_> = Code::ALL
        .into_iter()
        .filter(|code| Status::new(*code, "").recoverable())
        .collect();
    assert_eq!(recoverable, [Code::Unavailable]);
    let limited = Status::resource_exhausted("slow down").retry_after(Duration::from_millis(250));
    assert!(limited.recoverable());
    assert_eq!(limited.retry_delay(), Some(Duration::from_millis(250)));
}

#[test]
fn no_part_of_an_internal_error_reaches_the_peer() {
    let status = Status::internal_from(io::Error::other("password=hunter2"));
    assert_eq!(
        status.cause().map(ToString::to_string).as_deref(),
        Some("password=hunter2")
    );
    assert!(status.source().is_some());
    let wire = status.to_wire();
    assert_eq!(
        (wire.code, wire.message.as_str(), wire.details.len()),
        (13, "internal error", 0)
    );
    assert_eq!(status.to_string(), "INTERNAL: internal error");
    assert!(Status::from_wire(wire).cause().is_none());
}

#[test]
fn only_what_was_an_error_of_another_kind_is_hidden_from_the_peer() {
    let error = || io::Error::other("disk 3 is gone");
    assert!(Status::internal_from(error()).is_hidden());
    assert!(Status::from(BoxError::from(error())).is_hidden());
    assert!(Status::internal_from(error()).clone().is_hidden());
    assert!(!Status::not_found("7").with_cause(error()).is_hidden());
    assert!(!Status::internal("the disk").with_cause(error()).is_hidden());
}

#[test]
fn a_boxed_status_stays_what_it_was() {
    let boxed: BoxError = Status::not_found("7").into();
    assert_eq!(Status::from(boxed).code(), Code::NotFound);
    let result: Result<(), BoxError> = Err(Status::aborted("again").into());
    assert_eq!(result.or_internal().expect_err("an error").code(), Code::Aborted);
}

#[test]
fn a_status_survives_the_wire() {
    let status = Status::unavailable("later").retry_after(Duration::from_secs(2));
    let back = Status::from_wire(status.to_wire());
    assert_eq!((back.code(), back.message()), (Code::Unavailable, "later"));
    assert_eq!(back.retry_delay(), Some(Duration::from_secs(2)));
    assert_eq!(
        Status::from_wire(WireStatus {
            code: 99,
            ..WireStatus::default()
        })
        .code(),
        Code::Unknown
    );
}
