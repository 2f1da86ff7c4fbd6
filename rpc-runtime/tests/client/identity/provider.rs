//! What becomes of a client whose provider has no credential.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpc_runtime::{CallError, CredentialProvider, RefusedKind, auth::Credential, status::BoxError};
use tokio::time::Instant;

use super::shown;
use crate::{
    by_hand::by_hand,
    service::{call, note},
};

fn no_credential(error: CallError) -> String {
    match error {
        CallError::Refused(refused) => {
            assert_eq!(refused.kind(), RefusedKind::NoCredential);
            refused.to_string()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_is_asked_again_and_calls_are_told_why() {
    let (builder, ends) = by_hand();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let client = builder.credentials(move || {
        let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            match first {
                true => Err(io::Error::other("nobody is at home")),
                false => Ok(Credential::bearer("late")),
            }
        }
    });
    let client = client.lazy().unwrap();
    let patient = tokio::spawn(call(&client, "Read", &note(1)).into_future());
    let error = call(&client, "Write", &note(1)).await.unwrap_err();
    assert!(!error.may_have_run());
    assert!(no_credential(error).contains("nobody is at home"));
    assert!(ends.is_empty().await, "nothing was connected for nothing");
    let mut end = ends.next().await;
    assert_eq!(shown(&end.authenticate().await), ("bearer", "late"));
    let (stream_id, _) = end.request().await;
    end.answer(stream_id, &note(1)).await;
    patient.await.unwrap().unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

struct Silent;

impl CredentialProvider for Silent {
    async fn credential(&self) -> Result<Credential, BoxError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_answers_is_given_up_after_the_connect_timeout() {
    let (builder, ends) = by_hand();
    let began = Instant::now();
    let client = builder
        .credentials(Silent)
        .connect_timeout(Duration::from_secs(3));
    no_credential(client.connect().await.unwrap_err());
    assert_eq!(began.elapsed().as_secs(), 3);
    assert!(ends.is_empty().await);
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_asked_instead_of_what_was_given() {
    let (builder, ends) = by_hand();
    let client = builder
        .credential(Credential::bearer("given"))
        .credentials(async || Ok::<_, io::Error>(Credential::bearer("asked for")))
        .lazy()
        .unwrap();
    client.ready().await.unwrap();
    let mut end = ends.next().await;
    assert_eq!(shown(&end.authenticate().await), ("bearer", "asked for"));
}
