use std::io;
use std::time::Duration;

use prost::Message;

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

#[test]
fn the_details_of_google_rpc_have_their_published_names_and_numbers() {
    fn shape<M: Contract>() -> String {
        let fields: Vec<_> = M::descriptor()
            .fields
            .iter()
            .map(|field| format!("{}={}", field.name, field.number))
            .collect();
        format!("{} {}", M::FULL_NAME, fields.join(" "))
    }
    let shapes = [
        shape::<RetryInfo>(),
        shape::<DebugInfo>(),
        shape::<QuotaFailure>(),
        shape::<QuotaViolation>(),
        shape::<ErrorInfo>(),
        shape::<PreconditionFailure>(),
        shape::<PreconditionViolation>(),
        shape::<BadRequest>(),
        shape::<FieldViolation>(),
        shape::<RequestInfo>(),
        shape::<ResourceInfo>(),
        shape::<Help>(),
        shape::<HelpLink>(),
        shape::<LocalizedMessage>(),
    ];
    assert_eq!(
        shapes,
        [
            "google.rpc.RetryInfo retry_delay=1",
            "google.rpc.DebugInfo stack_entries=1 detail=2",
            "google.rpc.QuotaFailure violations=1",
            "google.rpc.QuotaFailure.Violation subject=1 description=2 api_service=3 quota_metric=4 quota_id=5 \
             quota_dimensions=6 quota_value=7 future_quota_value=8",
            "google.rpc.ErrorInfo reason=1 domain=2 metadata=3",
            "google.rpc.PreconditionFailure violations=1",
            "google.rpc.PreconditionFailure.Violation type=1 subject=2 description=3",
            "google.rpc.BadRequest field_violations=1",
            "google.rpc.BadRequest.FieldViolation field=1 description=2 reason=3 localized_message=4",
            "google.rpc.RequestInfo request_id=1 serving_data=2",
            "google.rpc.ResourceInfo resource_type=1 resource_name=2 owner=3 description=4",
            "google.rpc.Help links=1",
            "google.rpc.Help.Link description=1 url=2",
            "google.rpc.LocalizedMessage locale=1 message=2",
        ]
    );
}

#[test]
fn details_of_google_rpc_are_written_under_the_numbers_of_their_descriptors() {
    // A string per field is written with the field's number as its key: 8 * number + 2.
    let violation = PreconditionViolation {
        r#type: "a".into(),
        subject: "b".into(),
        description: "c".into(),
    };
    assert_eq!(violation.encode_to_vec(), b"\x0a\x01a\x12\x01b\x1a\x01c");
    let quota = QuotaViolation {
        quota_dimensions: [("k".to_owned(), "v".to_owned())].into(),
        quota_value: 1,
        future_quota_value: Some(0),
        ..QuotaViolation::default()
    };
    assert_eq!(
        quota.encode_to_vec(),
        b"\x32\x06\x0a\x01k\x12\x01v\x38\x01\x40\x00"
    );
    let field = FieldViolation {
        localized_message: Some(LocalizedMessage::default()),
        ..FieldViolation::default()
    };
    assert_eq!(field.encode_to_vec(), b"\x22\x00");
}
