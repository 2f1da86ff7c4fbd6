//! Whom something is published or sent to, and how.

use std::{collections::HashSet, iter::repeat_n, sync::Arc, time::SystemTime};

use futures_util::future;

use super::{
    ChannelName, Event, Hub, NameError, SlowConsumer,
    broker::{Address, BrokerError, Origin, Publication, Publisher, Receipt},
};
use crate::{ClientId, Context, Session, Status, auth::Identity};

/// The longest body of an event, in bytes: it has to fit into one message of a client that accepts the least.
pub(crate) const LONGEST_EVENT: usize = 64 << 10;

/// The longest message of an event, in bytes, with everything that stands around its body.
pub(crate) const LONGEST_MESSAGE: usize = LONGEST_EVENT + 2_048;

/// The longest key of an event, in bytes.
pub(crate) const LONGEST_KEY: usize = 128;

/// Why something was not published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The channel's name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No namespace takes the channel in.
    #[error("the channel `{0}` belongs to no namespace: declare one with `Hub::builder().namespace(…)`")]
    Undeclared(ChannelName),
    /// The channel's parameters are written in another way than their types write them.
    #[error("the channel `{channel}` is written `{canonical}`")]
    #[non_exhaustive]
    NotCanonical {
        /// The channel, as it was named.
        channel: ChannelName,
        /// How it is written.
        canonical: String,
    },
    /// The channel's namespace does not allow events of this type.
    #[error("events of the type `{type_name}` are not allowed in the channel `{channel}`")]
    #[non_exhaustive]
    Type {
        /// The event's full name.
        type_name: String,
        /// The channel.
        channel: ChannelName,
    },
    /// The event is too long.
    #[error("the event has {0} bytes; at most 65,536 are allowed")]
    TooLong(usize),
    /// The key is empty or too long.
    #[error("a key has 1 to 128 bytes")]
    Key,
    /// A client could not be subscribed.
    #[error("a client could not be subscribed: {0}")]
    NotSubscribed(Status),
    /// The broker cannot do it.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl From<HubError> for Status {
    fn from(error: HubError) -> Self {
        match error {
            HubError::Name(_)
            | HubError::NotCanonical { .. }
            | HubError::Type { .. }
            | HubError::TooLong(_)
            | HubError::Key => Status::invalid_argument(error.to_string()),
            // The program's own mistake, which the log tells.
            HubError::Undeclared(_) => Status::internal_from(error),
            HubError::NotSubscribed(status) => status,
            HubError::Broker(error) => error.into(),
        }
    }
}

/// Whom something is published or sent to. Made by [`Hub::channel`] and its like.
#[derive(Debug, Clone)]
#[must_use = "nothing is published until `publish` is awaited"]
pub struct To {
    hub: Hub,
    whom: Whom,
    id: Option<Arc<str>>,
    key: Option<Arc<str>>,
    origin: Origin,
    publisher: Option<Publisher>,
    except: Vec<ClientId>,
}

#[derive(Debug, Clone)]
enum Whom {
    Channels(Vec<Result<ChannelName, NameError>>),
    Addresses(Vec<Address>),
}

/// # Whom to publish to
///
/// Each gives a [`To`], by which an event is published.
impl Hub {
    /// The subscribers of a channel.
    pub fn channel(&self, name: impl AsRef<str>) -> To {
        self.channels([name])
    }

    /// The subscribers of several channels: each gets an event of its own.
    pub fn channels(&self, names: impl IntoIterator<Item = impl AsRef<str>>) -> To {
        // A client's own channel is the client.
        let names = names.into_iter().map(ChannelName::new);
        self.to(Whom::Channels(names.collect()))
    }

    /// The subscribers of a channel whose name was read already.
    pub(crate) fn in_channel(&self, name: ChannelName) -> To {
        self.to(Whom::Channels(vec![Ok(name)]))
    }

    /// All connections of a user.
    pub fn user(&self, user: impl Into<Arc<str>>) -> To {
        self.to(Whom::Addresses(vec![Address::User(user.into())]))
    }

    /// All connections of several users, each once however often it is named.
    pub fn users(&self, users: impl IntoIterator<Item = impl Into<Arc<str>>>) -> To {
        let users = users.into_iter().map(|user| Address::User(user.into()));
        self.to(Whom::Addresses(each_once(users)))
    }

    /// One client.
    pub fn client(&self, client: ClientId) -> To {
        self.to(Whom::Addresses(vec![Address::Client(client)]))
    }

    /// Several clients, each once however often it is named.
    pub fn clients(&self, clients: impl IntoIterator<Item = ClientId>) -> To {
        let clients = clients.into_iter().map(Address::Client);
        self.to(Whom::Addresses(each_once(clients)))
    }

    /// All clients; on endpoints that require authentication, all that are known.
    pub fn all(&self) -> To {
        self.to(Whom::Addresses(vec![Address::All]))
    }

    /// All clients that are known as no user, on endpoints that allow that.
    pub fn anonymous(&self) -> To {
        self.to(Whom::Addresses(vec![Address::Anonymous]))
    }

    fn to(&self, whom: Whom) -> To {
        To {
            hub: self.clone(),
            whom,
            id: None,
            key: None,
            origin: Origin::Server,
            publisher: None,
            except: Vec::new(),
        }
    }
}

/// In the order in which they are named first.
fn each_once(addresses: impl Iterator<Item = Address>) -> Vec<Address> {
    let mut seen = HashSet::new();
    addresses.filter(|address| seen.insert(address.clone())).collect()
}

impl To {
    /// Leaves a client out, such as the one that has asked for it. Also when it recovers later.
    pub fn except(mut self, client: ClientId) -> Self {
        self.except.push(client);
        self
    }

    /// Leaves several clients out.
    pub fn except_all(mut self, clients: impl IntoIterator<Item = ClientId>) -> Self {
        self.except.extend(clients);
        self
    }

    /// Gives the event an idempotency key, of 1 to 128 bytes, which becomes its id: published again in a channel whose history
    /// still has it, it is not stored or delivered a second time. Another event with the same key is refused.
    ///
    /// These keys are the program's own: no client can use one up. Where a key is made of what clients say, put the user's id
    /// in front of it.
    pub fn key(mut self, key: impl Into<Arc<str>>) -> Self {
        let key = key.into();
        self.id = Some(key.clone());
        self.key = Some(key);
        self
    }

    /// Says which id the event has.
    pub(crate) fn id(mut self, id: Arc<str>) -> Self {
        self.id = Some(id);
        self
    }

    /// A call's client publishes by itself, under a key of its own, where it says one. Nobody is told that: it is no id.
    pub(crate) fn by_client(mut self, cx: &Context, key: String) -> Self {
        self.origin = cx.session().origin_of(cx.identity());
        self.key = Some(key).filter(|key| !key.is_empty()).map(Into::into);
        self.from(cx)
    }

    /// Says that a call's client publishes, and as which user. Subscribers are told where the namespace says so, and those who
    /// are sent to always.
    pub fn from(mut self, cx: &Context) -> Self {
        self.publisher = Some(Publisher {
            client: cx.session().id(),
            user: cx.identity().map(|identity| identity.shared_user().clone()),
        });
        self
    }

    /// Publishes. The receipt says where, and how many clients were reached; of several channels or addresses, the position is
    /// that of the last, and the reached are those of all.
    ///
    /// When this returns, the event is in history and on its way; nobody's reading was waited for, but where a namespace
    /// says [`SlowConsumer::Block`]. If the future is dropped, it may have been published or not.
    ///
    /// # Errors
    ///
    /// What is wrong with the name, the type or the size; or the broker is not available. Those before it in a list have
    /// been published then.
    pub async fn publish<E: Event>(self, event: &E) -> Result<Receipt, HubError> {
        self.publish_encoded(E::FULL_NAME, event.encode_to_vec().into())
            .await
    }

    /// Publishes what is encoded already.
    pub(crate) async fn publish_encoded(
        self,
        type_name: &str,
        body: bytes::Bytes,
    ) -> Result<Receipt, HubError> {
        if body.len() > LONGEST_EVENT {
            return Err(HubError::TooLong(body.len()));
        }
        if self
            .key
            .as_ref()
            .is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY)
        {
            return Err(HubError::Key);
        }
        let publication = Publication {
            type_name: type_name.into(),
            body,
            id: self.id,
            key: self.key,
            origin: self.origin,
            time: SystemTime::now(),
            publisher: self.publisher,
            // What is empty is shared by all.
            except: match self.except.is_empty() {
                true => Arc::default(),
                false => self.except.into(),
            },
        };
        let hub = &self.hub;
        let mut all = Receipt::new(Arc::default(), None, Some(0));
        let mut add = |receipt: Receipt| {
            // Known only where all are.
            let reached = all.reached.zip(receipt.reached).map(|(all, new)| all + new);
            all = Receipt { reached, ..receipt };
        };
        match self.whom {
            Whom::Channels(names) => {
                let copies = repeat_n(publication, names.len());
                for (name, publication) in names.into_iter().zip(copies) {
                    add(hub.publish_in(&name?, publication).await?);
                }
            }
            Whom::Addresses(addresses) => {
                let copies = repeat_n(publication, addresses.len());
                for (address, publication) in addresses.iter().zip(copies) {
                    add(hub.send_to(address, publication).await?);
                }
            }
        }
        Ok(all)
    }
}

impl Hub {
    async fn publish_in(
        &self,
        name: &ChannelName,
        mut publication: Publication,
    ) -> Result<Receipt, HubError> {
        if let Some(client) = name.own_client() {
            return self.send_to(&Address::Client(client), publication).await;
        }
        let namespace = self.declared(name)?;
        if !namespace.allows(&publication.type_name) {
            return Err(HubError::Type {
                type_name: publication.type_name.as_ref().to_owned(),
                channel: name.clone(),
            });
        }
        if !namespace.keep().keeps() && publication.id.is_none() {
            publication.id = Some(self.new_id());
        }
        let receipt = self
            .inner
            .broker
            .publish(name, namespace.keep(), publication)
            .await?;
        if !receipt.duplicate {
            namespace.counted.published();
        }
        if let SlowConsumer::Block { at_most } = namespace.slow() {
            self.wait_for_slow(name, at_most).await;
        }
        Ok(receipt)
    }

    async fn send_to(&self, to: &Address, mut publication: Publication) -> Result<Receipt, HubError> {
        if publication.id.is_none() {
            publication.id = Some(self.new_id());
        }
        let receipt = self.inner.broker.send(to, publication).await?;
        self.inner.direct.published();
        Ok(receipt)
    }

    /// Waits for subscribers on this node whose queues are over their bound; closes those that take too long.
    async fn wait_for_slow(&self, name: &ChannelName, at_most: std::time::Duration) {
        let Some(channel) = self.inner.channels.find(name) else {
            return;
        };
        let full = channel.over();
        if full.is_empty() {
            return;
        }
        let have_room = future::join_all(full.iter().map(|session| session.queue_has_room()));
        if tokio::time::timeout(at_most, have_room).await.is_err() {
            let slow = full.iter().filter(|session| session.is_queue_over());
            slow.for_each(|session| session.close_as_too_slow());
        }
    }
}

/// What clients are told that are closed because they do not take what is published.
pub(crate) const TOO_SLOW: &str = "the client does not take its events as fast as they are published";

impl Context {
    /// The server's hub.
    pub fn hub(&self) -> Hub {
        self.session().hub()
    }

    /// Sends an event to the client that calls.
    ///
    /// # Errors
    ///
    /// As [`To::publish`].
    pub async fn notify<E: Event>(&self, event: &E) -> Result<Receipt, HubError> {
        self.session().notify(event).await
    }
}

impl Session {
    /// By whose doing something is published of what this client does, as whom it is known then.
    pub(crate) fn origin_of(&self, identity: Option<&Identity>) -> Origin {
        match identity {
            Some(identity) => Origin::User(identity.shared_user().clone()),
            None => Origin::Client(self.id()),
        }
    }

    /// Sends an event to this client.
    ///
    /// # Errors
    ///
    /// As [`To::publish`].
    pub async fn notify<E: Event>(&self, event: &E) -> Result<Receipt, HubError> {
        self.hub().client(self.id()).publish(event).await
    }
}
