//! What is known of the types of events, through reflection or from a descriptor set.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use prost_reflect::MessageDescriptor;
use rpc_runtime::hub::client::AnyEvent;
use rpc_runtime::{Client, Code};
use serde_json::Value;
use tokio::time::Instant;

use crate::cli::ServerArgs;
use crate::failure::Failure;
use crate::schema::{Schema, messages_in};
use crate::{dynamic, names, output};

/// The type of an event that is to be published, by its name or as much of the end as is unambiguous.
pub(crate) async fn find(schema: &Schema, name: &str) -> Result<MessageDescriptor, Failure> {
    let known = match schema {
        Schema::Given { pool, .. } => messages_in(pool).collect(),
        Schema::Asked { .. } => schema.events().await?,
    };
    let pairs = known.iter().map(|known| (known.clone(), known.as_str()));
    // A namespace that allows any event names none: there may be such a message all the same.
    let full_name = names::meant(name, pairs)?.unwrap_or(name);
    let pool = schema.pool_of(full_name).await?;
    let message = pool.and_then(|pool| pool.get_message_by_name(full_name));
    message.ok_or_else(|| names::no_such("event", name, known.iter().cloned()))
}

/// So many types of events are remembered: where a channel allows any, whoever may publish makes names up.
const MOST: usize = 256;

/// So many types that could not be read are named at the end.
const MOST_NAMED: usize = 8;

/// A server that does not answer is not asked for so long: each event would be shown only when it has been waited for.
const SILENCE: Duration = Duration::from_secs(60);

/// The types of events that come: each is asked for when the first of them comes, for the first 256 types.
pub(crate) struct Types {
    /// Or why the server does not tell of itself.
    schema: Result<Schema, Failure>,
    known: HashMap<String, Option<MessageDescriptor>>,
    /// Until then nothing is asked.
    silent_until: Option<Instant>,
    /// How many events have come that could not be read, by their types.
    unread: BTreeMap<String, u64>,
    /// And of types that are not remembered.
    others: u64,
}

impl Types {
    pub(crate) async fn find(args: &ServerArgs, client: &Client) -> Result<Self, Failure> {
        let schema = match Schema::find_over(args, client).await {
            Err(failure) if !is_refusal(&failure) => return Err(failure),
            // Events can be heard without.
            found => found,
        };
        Ok(Self {
            schema,
            known: HashMap::new(),
            silent_until: None,
            unread: BTreeMap::new(),
            others: 0,
        })
    }

    /// Says what is not known of events that are going to be heard. Where none are, the same refusal may be why, and is said then.
    pub(crate) fn say_what_is_missing(&self) {
        if let Err(failure) = &self.schema {
            output::note(&format!("{failure}: the bodies of events are shown in base64"));
            failure.hinted().iter().for_each(|hint| output::note(hint));
        }
    }

    /// How many events could not be read, to be said behind the others.
    pub(crate) fn sum_up(&self) -> String {
        let named = self.unread.iter().take(MOST_NAMED);
        let mut text: String = named
            .map(|(name, count)| format!(", {count} of the type {name} in base64"))
            .collect();
        let others = self.others + self.unread.values().skip(MOST_NAMED).sum::<u64>();
        if others > 0 {
            text.push_str(&format!(", {others} of other types in base64"));
        }
        text
    }

    /// An event as JSON. `None` where its type is not known or its body is no such message, which is said once and counted.
    pub(crate) async fn decode(&mut self, event: &AnyEvent) -> Option<Value> {
        let decoded = match self.message(&event.type_name).await {
            Some(message) => {
                dynamic::decode(&message, event.body.clone()).map_err(|failure| failure.to_string())
            }
            None => Err(format!("the type `{}` is not known here", event.type_name)),
        };
        decoded
            .inspect_err(|why| {
                if let Some(count) = self.unread.get_mut(&event.type_name) {
                    *count += 1;
                } else if self.unread.len() < MOST {
                    self.unread.insert(event.type_name.clone(), 1);
                    output::note(&format!("{why}: its body is shown in base64"));
                } else {
                    self.others += 1;
                }
            })
            .ok()
    }

    async fn message(&mut self, name: &str) -> Option<MessageDescriptor> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        if self.known.len() == MOST {
            return None;
        }
        if self.silent_until.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let message = match self.schema.as_ref().ok()?.pool_of(name).await {
            Ok(pool) => pool.and_then(|pool| pool.get_message_by_name(name)),
            // The connection is lost: it is asked for with the next event.
            Err(failure) if failure.is(Code::Unavailable) => return None,
            Err(failure) if failure.is(Code::DeadlineExceeded) => {
                self.silent_until = Some(Instant::now() + SILENCE);
                return None;
            }
            Err(_) => None,
        };
        self.known.insert(name.to_owned(), message.clone());
        message
    }
}

/// Whether a server does not tell of itself, at least not to this client.
fn is_refusal(failure: &Failure) -> bool {
    [Code::Unimplemented, Code::PermissionDenied, Code::Unauthenticated]
        .iter()
        .any(|code| failure.is(*code))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use prost_reflect::DescriptorPool;
    use rpc_runtime::hub::Events;
    use rpc_runtime::testing::serve;
    use rpc_runtime::{Context, Server, Status};

    use super::*;

    fn types_of(schema: Schema) -> Types {
        Types {
            schema: Ok(schema),
            known: HashMap::new(),
            silent_until: None,
            unread: BTreeMap::new(),
            others: 0,
        }
    }

    fn event(type_name: &str) -> AnyEvent {
        AnyEvent::decode(type_name, Bytes::new()).unwrap().unwrap()
    }

    #[tokio::test]
    async fn the_entries_of_maps_are_no_events() {
        let folder = tempfile::tempdir().unwrap();
        let schema = r#"syntax = "proto3"; package task; message Labels { map<string, string> labels = 1; }"#;
        std::fs::write(folder.path().join("labels.proto"), schema).unwrap();
        let set = protox::compile(["labels.proto"], [folder.path()]).unwrap();
        let schema = Schema::Given {
            pool: DescriptorPool::from_file_descriptor_set(set).unwrap(),
            services: Vec::new(),
        };
        let found = find(&schema, "Labels").await.unwrap();
        assert_eq!(found.full_name(), "task.Labels");
        let failure = find(&schema, "LabelsEntry").await.unwrap_err();
        assert_eq!(failure.to_string(), "there is no event `LabelsEntry` here");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_is_asked_again_only_after_a_while() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let hangs = move |_: &Context| {
            counted.fetch_add(1, Ordering::Relaxed);
            Err(Status::deadline_exceeded("it hangs"))
        };
        let server = Server::builder().reflection(true).guard("reflection", hangs);
        let server = serve(server.build().unwrap());
        let mut types = types_of(Schema::Asked {
            client: server.client(),
            services: Vec::new(),
            authentication_required: false,
            patience: Duration::from_secs(30),
        });
        for round in 1..=2 {
            for name in ["a.A", "a.B", "a.A"] {
                assert_eq!(types.decode(&event(name)).await, None);
            }
            assert_eq!(asked.load(Ordering::Relaxed), round);
            tokio::time::advance(SILENCE).await;
        }
    }

    #[tokio::test]
    async fn names_that_are_made_up_are_remembered_up_to_a_bound_and_counted() {
        let mut types = types_of(Schema::Given {
            pool: DescriptorPool::new(),
            services: Vec::new(),
        });
        for round in 0..2 {
            for name in 0..2 * MOST {
                let name = format!("made.Up{name:04}");
                assert_eq!(types.decode(&event(&name)).await, None, "{round}");
            }
        }
        assert_eq!((types.known.len(), types.unread.len()), (MOST, MOST));
        let said = types.sum_up();
        assert!(
            said.starts_with(", 2 of the type made.Up0000 in base64"),
            "{said}"
        );
        let others = 4 * MOST - 2 * MOST_NAMED;
        assert!(
            said.ends_with(&format!(", {others} of other types in base64")),
            "{said}"
        );
        assert_eq!(said.matches("of the type").count(), MOST_NAMED);
    }
}
