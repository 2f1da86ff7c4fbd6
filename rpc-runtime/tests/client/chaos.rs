//! Calls of all kinds from many threads, on connections that are cut all the time: whatever becomes of each, all of them
//! end, and nothing is left behind.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use rpc_runtime::{Client, Code, Outgoing, Reconnect, Status, Streaming};

use crate::service::{Note, call, method, note, serve, until};

/// One call of the kind that the number says; whether it went well.
async fn one(client: &Client, number: u64) -> bool {
    match number % 6 {
        0 => call(client, "Echo", &note(number))
            .await
            .is_ok_and(|answer| answer == note(number)),
        1 => {
            let notes = client.server_streaming::<Note>(method("Count"), &note(50));
            let Ok(notes) = notes.await else { return false };
            notes
                .filter(|note| std::future::ready(note.is_ok()))
                .count()
                .await
                == 50
        }
        2 => {
            let requests = stream::iter((0..50).map(note));
            let sum = client.client_streaming::<Note, Note>(method("Sum"), requests);
            sum.await.is_ok_and(|sum| sum.number == 1_225)
        }
        3 => {
            let requests = stream::iter((0..50).map(note));
            let notes = client.bidirectional::<Note, Note>(method("Mirror"), requests);
            let Ok(mut notes) = notes.await else { return false };
            // Left in the middle.
            matches!(notes.message().await, Ok(Some(_)))
        }
        4 => {
            let doubled = client.session(method("Double"), ask);
            doubled.await.is_ok_and(|doubled| doubled == Some(note(8)))
        }
        _ => {
            // Given up at some point.
            let read = call(client, "Read", &note(number)).timeout(Duration::from_millis(number % 7));
            // By whichever side is first.
            read.await
                .is_err_and(|error| error.code() == Some(Code::DeadlineExceeded))
        }
    }
}

async fn ask(output: Outgoing<Note>, mut input: Streaming<Note>) -> Result<Option<Note>, Status> {
    output.send(note(4)).await?;
    input.message().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_call_ends_and_nothing_is_left_behind_however_often_the_connection_is_cut() {
    let (server, traces) = serve();
    let reconnect = Reconnect {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(4),
        ..Reconnect::default()
    };
    let client = server.builder().reconnect(reconnect).lazy().unwrap();
    let (over, well) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let callers: Vec<_> = (0..24_u64)
        .map(|caller| {
            let (client, over, well) = (client.clone(), over.clone(), well.clone());
            tokio::spawn(async move {
                let mut number = caller;
                while !over.load(Ordering::SeqCst) {
                    if one(&client, number).await {
                        well.fetch_add(1, Ordering::SeqCst);
                    }
                    number += 1;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        server.disconnect_all().await;
    }
    over.store(true, Ordering::SeqCst);
    for caller in callers {
        tokio::time::timeout(Duration::from_secs(30), caller)
            .await
            .expect("every call ends")
            .unwrap();
    }
    assert!(well.load(Ordering::SeqCst) > 0);
    // In peace, everything goes well again.
    client.ready().await.unwrap();
    for number in 0..60 {
        assert!(one(&client, number).await, "call {number}");
    }
    until("no handler is left", || traces.started() == traces.dropped()).await;
}
