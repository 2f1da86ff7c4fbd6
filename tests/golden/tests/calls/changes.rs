//! What a controller with `changes` publishes, seen by a broker that keeps a list.

use golden::contracts::note::{Looked, NoteEvent, NotesContract};
use golden::note::{DeletedNote, NoteChanged, NoteClient, NoteGateway, NoteService};
use rpc_runtime::bytes::Bytes;
use rpc_runtime::hub::broker::{
    Address, BrokerError, MemberChange, Members, MembersQuery, Node, Publication,
};
use rpc_runtime::hub::{
    Broker, ChannelName, Event, Events, History, HistoryQuery, Hub, Member, Namespace, Position, Receipt,
    Retention,
};
use rpc_runtime::prost::Message;
use rpc_runtime::testing::{TestServer, serve};
use rpc_runtime::{ClientId, Code, Context, Contract, Server, Status};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps notes, and makes its own of what it is given.
#[derive(Default)]
struct Notes(Mutex<BTreeMap<u64, NotesContract>>);

impl Notes {
    fn keep(&self, number: u64, text: &str) -> NotesContract {
        let kept = NotesContract {
            number,
            text: text.trim().to_owned(),
        };
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(number, kept.clone());
        kept
    }
}

impl NoteService for Notes {
    async fn add(&self, _: &Context, item: NotesContract) -> Result<NotesContract, Status> {
        Ok(self.keep(7, &item.text))
    }

    async fn update(&self, _: &Context, id: u64, item: NotesContract) -> Result<NotesContract, Status> {
        match item.text.as_str() {
            "" => Err(Status::failed_precondition("a note has a text")),
            text => Ok(self.keep(id, text)),
        }
    }

    async fn delete(&self, _: &Context, id: u64) -> Result<bool, Status> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(notes.remove(&id).is_some())
    }

    async fn get_all(&self, _: &Context) -> Result<Vec<NotesContract>, Status> {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(notes.values().cloned().collect())
    }
}

type Log = Arc<Mutex<Vec<(ChannelName, Publication)>>>;

/// A broker that writes down what is published, and delivers nothing.
struct Listed {
    log: Log,
    gone: bool,
}

impl Broker for Listed {
    fn start(&self, _: Node) {}

    async fn publish(
        &self,
        channel: &ChannelName,
        _: &Retention,
        publication: Publication,
    ) -> Result<Receipt, BrokerError> {
        if self.gone {
            return Err(unavailable());
        }
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push((channel.clone(), publication));
        Ok(Receipt::default())
    }

    async fn subscribe(&self, _: &ChannelName, _: &Retention) -> Result<Position, BrokerError> {
        Err(unavailable())
    }

    async fn unsubscribe(&self, _: &ChannelName) -> Result<(), BrokerError> {
        Ok(())
    }

    async fn history(
        &self,
        _: &ChannelName,
        _: &Retention,
        _: &HistoryQuery,
    ) -> Result<History, BrokerError> {
        Err(unavailable())
    }

    async fn send(&self, _: &Address, _: Publication) -> Result<Receipt, BrokerError> {
        Err(unavailable())
    }

    async fn join(&self, _: &ChannelName, _: Member) -> Result<MemberChange, BrokerError> {
        Err(unavailable())
    }

    async fn leave(&self, _: &ChannelName, _: ClientId) -> Result<MemberChange, BrokerError> {
        Ok(MemberChange::default())
    }

    async fn members(&self, _: &ChannelName, _: &MembersQuery) -> Result<Members, BrokerError> {
        Err(unavailable())
    }
}

fn unavailable() -> BrokerError {
    BrokerError::Unavailable("it is a list".to_owned())
}

/// A server of notes with this hub, and a client of it.
fn serve_with(hub: Hub) -> (TestServer, NoteClient) {
    let server = Server::builder()
        .hub(hub)
        .service(NoteGateway::new(Notes::default()))
        .build()
        .expect("the server is put together rightly");
    let server = serve(server);
    let client = NoteClient::new(server.client());
    (server, client)
}

fn listed(gone: bool) -> (Hub, Log) {
    let log = Log::default();
    let hub = Hub::builder()
        .namespace(Namespace::<()>::of::<NoteEvent>())
        .broker(Listed {
            log: log.clone(),
            gone,
        })
        .build()
        .expect("the contract's pattern is one");
    (hub, log)
}

fn note(number: u64, text: &str) -> NotesContract {
    NotesContract {
        number,
        text: text.to_owned(),
    }
}

/// The events since the last look, which are all of the channel `notes`.
fn take(log: &Log) -> Vec<NoteEvent> {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let events = log.drain(..).map(|(channel, publication)| {
        assert_eq!(channel.as_str(), "notes");
        assert!(publication.publisher.is_some(), "who called has published");
        NoteEvent::decode(&publication.type_name, publication.body)
            .expect("an event of the channel")
            .expect("a body of its type")
    });
    events.collect()
}

#[tokio::test]
async fn what_the_service_answered_is_published_after_each_call_that_changed_something() {
    let (hub, log) = listed(false);
    let (_server, notes) = serve_with(hub);
    // What the client sends is another note than the one that the service keeps.
    notes.add(note(99, "  milk ")).await.expect("added");
    let added = NoteChanged::Added(note(7, "milk"));
    assert_eq!(take(&log), [NoteEvent::Changed(added)]);

    notes.update(7, note(99, " oat milk")).await.expect("updated");
    let updated = NoteChanged::Updated(note(7, "oat milk"));
    assert_eq!(take(&log), [NoteEvent::Changed(updated)]);

    assert_eq!(notes.get_all().await.expect("listed").len(), 1);
    assert_eq!(take(&log), []);

    assert!(notes.delete(7).await.expect("deleted"));
    let deleted = NoteChanged::Deleted(DeletedNote { id: 7 });
    assert_eq!(take(&log), [NoteEvent::Changed(deleted)]);
}

#[tokio::test]
async fn a_call_that_changed_nothing_publishes_nothing() {
    let (hub, log) = listed(false);
    let (_server, notes) = serve_with(hub);
    assert!(!notes.delete(7).await.expect("there is none, which is no error"));
    let error = notes
        .update(7, note(0, ""))
        .await
        .expect_err("the service refuses");
    assert_eq!(error.code(), Some(Code::FailedPrecondition));
    let error = notes.add(note(0, &"x".repeat(201))).await.expect_err("too long");
    assert_eq!(error.code(), Some(Code::InvalidArgument));
    assert_eq!(take(&log), []);
}

#[tokio::test]
async fn a_change_that_cannot_be_published_is_made_and_answered() {
    let (gone, log) = listed(true);
    // A hub without the namespace does not fail the call either.
    for hub in [gone, Hub::default()] {
        let (_server, notes) = serve_with(hub);
        let milk = notes.add(note(0, "milk")).await.expect("added");
        assert_eq!(notes.get_all().await.expect("listed"), [milk]);
        assert!(notes.delete(7).await.expect("deleted"));
    }
    assert_eq!(take(&log), []);
}

#[test]
fn the_event_of_a_controller_is_a_contract_like_any_other() {
    assert_eq!(NoteChanged::FULL_NAME, "note.NoteChanged");
    assert_eq!(<NoteChanged as Event>::CHANNELS, Some("notes"));
    let descriptor = NoteChanged::descriptor();
    assert!(descriptor.event && descriptor.channels == Some("notes"));
    let members: Vec<_> = descriptor
        .fields
        .iter()
        .map(|field| (field.name, field.number))
        .collect();
    assert_eq!(members, [("added", 1), ("updated", 2), ("deleted", 3)]);
    assert_eq!(NoteEvent::NAMES, ["note.NoteChanged", "note.Looked"]);
    assert_eq!(NoteEvent::CHANNELS, Some("notes"));

    let looked = Looked { user: "ali".into() };
    let body = Bytes::from(looked.encode_to_vec());
    assert_eq!(
        NoteEvent::decode("note.Looked", body.clone()),
        Some(Ok(NoteEvent::Looked(looked)))
    );
    // A member that this side does not know reads as nothing, and is no mistake.
    let newer = Bytes::from_static(&[0x22, 0x01, 0x00]);
    assert_eq!(
        NoteEvent::decode("note.NoteChanged", newer),
        Some(Ok(NoteEvent::Changed(NoteChanged::Unset)))
    );
    assert_eq!(NoteEvent::decode("note.Journal", body), None);
}
