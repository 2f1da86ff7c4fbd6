//! What is known of the types of events, through reflection or from a descriptor set.

use std::collections::{BTreeMap, HashMap};

use prost_reflect::MessageDescriptor;
use rpc_runtime::hub::client::AnyEvent;
use rpc_runtime::{Client, Code};
use serde_json::Value;

use crate::cli::ServerArgs;
use crate::failure::Failure;
use crate::schema::Schema;
use crate::{dynamic, names, output};

/// The type of an event that is to be published, by its name or as much of the end as is unambiguous.
pub(crate) async fn find(schema: &Schema, name: &str) -> Result<MessageDescriptor, Failure> {
    let known: Vec<String> = match schema {
        Schema::Given { pool, .. } => pool
            .all_messages()
            .map(|message| message.full_name().to_owned())
            .collect(),
        Schema::Asked { .. } => {
            let namespaces = schema.namespaces().await?;
            let mut events: Vec<String> = namespaces.into_iter().flat_map(|one| one.events).collect();
            events.sort();
            events.dedup();
            events
        }
    };
    let pairs = known.iter().map(|known| (known.clone(), known.as_str()));
    // A namespace that allows any event names none: there may be such a message all the same.
    let full_name = names::meant(name, pairs)?.unwrap_or(name);
    let no_such = || names::no_such("event", name, known.clone());
    let pool = schema
        .pool(&[full_name])
        .await
        .map_err(|failure| match failure.is(Code::NotFound) {
            true => no_such(),
            false => failure,
        })?;
    pool.get_message_by_name(full_name).ok_or_else(no_such)
}

/// So many types of events are remembered: where a channel allows any, whoever may publish makes names up.
const MOST: usize = 256;

/// So many types that could not be read are named at the end.
const MOST_NAMED: usize = 8;

/// The types of events that come: each is asked for when the first of them comes, for the first 256 types.
pub(crate) struct Types {
    /// `None` where nothing is known of any.
    schema: Option<Schema>,
    known: HashMap<String, Option<MessageDescriptor>>,
    /// How many events have come that could not be read, by their types.
    unread: BTreeMap<String, u64>,
    /// And of types that are not remembered.
    others: u64,
}

impl Types {
    pub(crate) async fn find(args: &ServerArgs, client: &Client) -> Result<Self, Failure> {
        let schema = match Schema::find_over(args, client).await {
            Ok(schema) => Some(schema),
            // Events can be heard without.
            Err(failure) if is_refusal(&failure) => {
                output::note(&format!("{failure}: the bodies of events are shown in base64"));
                failure.hinted().iter().for_each(|hint| output::note(hint));
                None
            }
            Err(failure) => return Err(failure),
        };
        Ok(Self {
            schema,
            known: HashMap::new(),
            unread: BTreeMap::new(),
            others: 0,
        })
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
        let message = match self.schema.as_ref()?.pool(&[name]).await {
            Ok(pool) => pool.get_message_by_name(name),
            // The connection is lost: it is asked for with the next event.
            Err(failure) if failure.is(Code::Unavailable) || failure.is(Code::DeadlineExceeded) => {
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
    use bytes::Bytes;
    use prost_reflect::DescriptorPool;
    use rpc_runtime::hub::Events;

    use super::*;

    #[tokio::test]
    async fn names_that_are_made_up_are_remembered_up_to_a_bound_and_counted() {
        let pool = DescriptorPool::new();
        let mut types = Types {
            schema: Some(Schema::Given {
                pool,
                services: Vec::new(),
            }),
            known: HashMap::new(),
            unread: BTreeMap::new(),
            others: 0,
        };
        for round in 0..2 {
            for name in 0..2 * MOST {
                let name = format!("made.Up{name:04}");
                let event = AnyEvent::decode(&name, Bytes::new()).unwrap().unwrap();
                assert_eq!(types.decode(&event).await, None, "{round}");
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
