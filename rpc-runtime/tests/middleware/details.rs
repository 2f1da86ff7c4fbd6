//! What travels with a status, from a handler to a client.

use std::time::Duration;

use rpc_runtime::{
    Code, Context, Status,
    status::{DebugInfo, Help, HelpLink, PreconditionFailure, PreconditionViolation, RetryInfo},
    validate::Violations,
};

use crate::service::{Item, call, client, item, pair};

#[tokio::test]
async fn a_contract_message_is_a_detail_and_so_is_a_retry_delay() {
    let (_server, client, _) = client(|client| client);
    let error = call(&client, "Missing", &item("7")).await.unwrap_err();
    let status = error.status().unwrap();
    assert_eq!(status.details::<Item>().collect::<Vec<_>>(), [item("7")]);
    assert_eq!(status.retry_delay(), Some(Duration::from_secs(3)));
    assert_eq!(status.details::<RetryInfo>().count(), 1);
    assert!(status.recoverable());
    let urls: Vec<_> = status.raw_details().map(|(url, _)| url).collect();
    assert_eq!(
        urls,
        [
            "type.googleapis.com/kinds.Item",
            "type.googleapis.com/google.rpc.RetryInfo"
        ]
    );
}

#[tokio::test]
async fn broken_rules_are_told_as_violations() {
    let (_server, client, _) = client(|client| client);
    let error = call(&client, "Echo", &item(&"x".repeat(21))).await.unwrap_err();
    let status = error.status().unwrap();
    assert_eq!(status.code(), Code::InvalidArgument);
    let violations: Vec<_> = status
        .details::<Violations>()
        .flat_map(|all| all.violations)
        .collect();
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].rule_id.as_deref(), Some("string.max_len"));
}

#[tokio::test]
async fn details_of_google_rpc_reach_the_client_typed() {
    let precondition = PreconditionFailure {
        violations: vec![PreconditionViolation {
            r#type: "TOS".into(),
            subject: "example.com".into(),
            description: "accept the terms".into(),
        }],
    };
    let help = Help {
        links: vec![HelpLink {
            description: "the terms".into(),
            url: "https://example.com/terms".into(),
        }],
    };
    let status = Status::failed_precondition("not yet")
        .with_detail(&precondition)
        .with_detail(&help);
    let (client, _) = pair(|server| server.interceptor(move |_: &mut Context| Err(status.clone())));
    let error = call(&client, "Echo", &item("")).await.unwrap_err();
    let status = error.status().unwrap();
    assert_eq!(
        status.details::<PreconditionFailure>().collect::<Vec<_>>(),
        [precondition]
    );
    assert_eq!(status.details::<Help>().collect::<Vec<_>>(), [help]);
    assert_eq!(status.details::<DebugInfo>().count(), 0);
}
