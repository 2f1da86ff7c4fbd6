use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use prost::Message;

use super::*;
use crate::{
    Code,
    streaming::{Ending, Feedback},
};

#[derive(Default)]
struct Told {
    consumed: Mutex<Vec<usize>>,
    abandoned: AtomicUsize,
    faults: AtomicUsize,
}

impl Feedback for Told {
    fn consumed(&self, stream_id: u64, bytes: usize) {
        assert_eq!(stream_id, 7);
        self.consumed.lock().unwrap().push(bytes);
    }

    fn abandoned(&self, _: u64) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
    }

    fn fault(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
    }
}

/// A stream of strings with an inbox that tells after every 100 counted bytes.
fn stream() -> (Arc<Told>, Arc<Inbox>, Streaming<String>) {
    let told = Arc::new(Told::default());
    let inbox = Inbox::new(7, told.clone(), 100);
    let streaming = Streaming::from_wire(inbox.clone(), Decoder::of_requests(1 << 20, 4096));
    (told, inbox, streaming)
}

fn body(text: &str) -> Bytes {
    text.to_owned().encode_to_vec().into()
}

#[tokio::test]
async fn a_stream_in_process_gives_what_was_sent_and_ends_with_its_last_sender() {
    let (outgoing, mut streaming) = Streaming::channel(2);
    let other = outgoing.clone();
    outgoing.send(1).await.unwrap();
    drop(outgoing);
    other.send(2).await.unwrap();
    drop(other);
    assert_eq!(streaming.message().await.unwrap(), Some(1));
    assert_eq!(streaming.message().await.unwrap(), Some(2));
    assert_eq!(streaming.message().await.unwrap(), None);
}

#[tokio::test]
async fn a_failed_stream_gives_its_status_last_and_one_that_is_not_read_fails_its_sender() {
    let (outgoing, mut streaming) = Streaming::<i32>::channel(0);
    outgoing.clone().fail(Status::not_found("gone")).await.unwrap();
    assert_eq!(streaming.message().await.unwrap_err().code(), Code::NotFound);
    assert_eq!(streaming.message().await.unwrap(), None);
    drop(streaming);
    assert!(outgoing.is_closed());
    outgoing.closed().await;
    assert_eq!(outgoing.send(1).await.unwrap_err().code(), Code::Cancelled);
}

#[tokio::test]
async fn messages_are_read_in_order_and_what_was_read_is_told_in_steps() {
    let (told, inbox, mut streaming) = stream();
    for text in ["a", "b", "c", "d", "e"] {
        inbox.push(body(text), 40);
    }
    for text in ["a", "b", "c", "d"] {
        assert_eq!(streaming.message().await.unwrap().as_deref(), Some(text));
    }
    assert_eq!(*told.consumed.lock().unwrap(), [120]);
    inbox.finish(Ending::done());
    inbox.push(body("late"), 40);
    assert_eq!(streaming.message().await.unwrap().as_deref(), Some("e"));
    assert_eq!(streaming.message().await.unwrap(), None);
    drop(streaming);
    assert_eq!(
        told.abandoned.load(Ordering::Relaxed),
        0,
        "it was read to its end"
    );
}

#[tokio::test]
async fn a_reader_is_woken_by_a_message_and_by_the_end() {
    let (_, inbox, mut streaming) = stream();
    let reader = tokio::spawn(async move {
        let first = streaming.message().await.unwrap();
        (
            first,
            streaming.message().await.unwrap_err(),
            streaming.message().await.unwrap(),
        )
    });
    tokio::task::yield_now().await;
    inbox.push(body("a"), 1);
    tokio::task::yield_now().await;
    inbox.finish(Ending::failed(Status::aborted("no more")));
    let (first, failure, after) = reader.await.unwrap();
    assert_eq!(
        (first.as_deref(), failure.code(), after),
        (Some("a"), Code::Aborted, None)
    );
}

#[tokio::test]
async fn a_stream_that_is_dropped_before_its_end_is_told_once() {
    let (told, inbox, streaming) = stream();
    inbox.push(body("a"), 1);
    drop(streaming);
    inbox.push(body("b"), 1);
    assert_eq!(told.abandoned.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_message_that_does_not_decode_is_a_fault_and_the_last_item() {
    let (told, inbox, mut streaming) = stream();
    inbox.push(Bytes::from_static(&[0xff]), 1);
    inbox.push(body("never read"), 1);
    assert_eq!(
        streaming.message().await.unwrap_err().code(),
        Code::InvalidArgument
    );
    assert_eq!(streaming.message().await.unwrap(), None);
    assert_eq!(told.faults.load(Ordering::Relaxed), 1);
    assert_eq!(told.abandoned.load(Ordering::Relaxed), 1, "the rest is not read");
}

#[tokio::test]
async fn an_aborted_stream_gives_nothing_but_why() {
    let (_, inbox, mut streaming) = stream();
    inbox.push(body("never read"), 1);
    inbox.abort(Status::unavailable("gone"));
    assert_eq!(streaming.message().await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_message_of_many_elements_is_decoded_elsewhere_and_keeps_its_place() {
    let told = Arc::new(Told::default());
    let inbox = Inbox::new(7, told, 100);
    // One element is more than none.
    let mut streaming: Streaming<String> =
        Streaming::from_wire(inbox.clone(), Decoder::of_requests(1 << 20, 0));
    inbox.push(body("many"), 1);
    inbox.push(body("more"), 1);
    inbox.finish(Ending::done());
    assert_eq!(streaming.message().await.unwrap().as_deref(), Some("many"));
    assert_eq!(streaming.message().await.unwrap().as_deref(), Some("more"));
    assert_eq!(streaming.message().await.unwrap(), None);
}

#[tokio::test]
async fn what_is_dropped_unread_after_the_end_is_told_as_consumed() {
    let (told, inbox, mut streaming) = stream();
    for _ in 0..3 {
        inbox.push(body("text"), 60);
    }
    inbox.finish(Ending::done());
    assert_eq!(streaming.message().await.unwrap(), Some("text".to_owned()));
    drop(streaming);
    assert_eq!(*told.consumed.lock().unwrap(), [180]);
    assert_eq!(told.abandoned.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_stream_that_is_cut_gives_what_came_before_and_then_its_peer_is_told_to_stop() {
    let too_many = || Status::resource_exhausted("too many");
    let (told, inbox, mut streaming) = stream();
    inbox.push(body("before"), 1);
    inbox.cut(too_many());
    inbox.push(body("after"), 1);
    assert_eq!(streaming.message().await.unwrap().as_deref(), Some("before"));
    assert_eq!(told.abandoned.load(Ordering::Relaxed), 0);
    let code = streaming.message().await.unwrap_err().code();
    assert_eq!(code, Code::ResourceExhausted);
    assert_eq!(told.abandoned.load(Ordering::Relaxed), 1);
    assert_eq!(streaming.message().await.unwrap(), None);
    drop(streaming);
    assert_eq!(told.abandoned.load(Ordering::Relaxed), 1, "it is told once");

    let (told, inbox, streaming) = stream();
    inbox.cut(too_many());
    drop(streaming);
    assert_eq!(
        told.abandoned.load(Ordering::Relaxed),
        1,
        "also where nobody has read that far"
    );
}

#[tokio::test]
async fn a_stream_whose_connection_is_gone_is_read_to_its_end_and_tells_nobody() {
    let (told, inbox, mut streaming) = stream();
    for _ in 0..3 {
        inbox.push(body("one"), 60);
    }
    assert!(streaming.message().await.unwrap().is_some());
    inbox.orphan();
    for _ in 0..2 {
        assert!(streaming.message().await.unwrap().is_some());
    }
    assert_eq!(streaming.message().await.unwrap(), None);
    let (other, inbox, streaming) = stream();
    inbox.push(body("one"), 60);
    inbox.orphan();
    drop(streaming);
    for told in [told, other] {
        assert!(told.consumed.lock().unwrap().is_empty());
        assert_eq!(told.abandoned.load(Ordering::Relaxed), 0);
    }
}
