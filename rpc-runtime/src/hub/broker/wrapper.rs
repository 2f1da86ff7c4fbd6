//! A broker around another.

use std::future::Future;

use super::{
    Address, Broker, BrokerError, ChannelName, History, HistoryQuery, Member, MemberChange, Members,
    MembersQuery, Node, Position, Publication, Receipt, Retention,
};
use crate::ClientId;

/// A broker that does some things in its own way, and passes everything else on to another.
///
/// It is a [`Broker`] by that. What it does itself, it may begin or end by asking the other:
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use rpc_runtime::hub::{ChannelName, Retention, broker::{
///     Broker, BrokerError, BrokerWrapper, LocalBroker, Publication, Receipt,
/// }};
///
/// /// Counts what is published.
/// #[derive(Default)]
/// struct Counting {
///     broker: LocalBroker,
///     published: AtomicU64,
/// }
///
/// impl BrokerWrapper for Counting {
///     type Broker = LocalBroker;
///
///     fn wrapped(&self) -> &LocalBroker {
///         &self.broker
///     }
///
///     async fn publish(
///         &self,
///         channel: &ChannelName,
///         keep: &Retention,
///         publication: Publication,
///     ) -> Result<Receipt, BrokerError> {
///         let receipt = self.broker.publish(channel, keep, publication).await?;
///         self.published.fetch_add(1, Ordering::Relaxed);
///         Ok(receipt)
///     }
/// }
///
/// let hub = rpc_runtime::hub::Hub::builder().broker(Counting::default()).build()?;
/// # Ok::<(), rpc_runtime::hub::NamespaceError>(())
/// ```
pub trait BrokerWrapper: Send + Sync + 'static {
    /// The other one.
    type Broker: Broker;

    /// The other one.
    fn wrapped(&self) -> &Self::Broker;

    /// As [`Broker::start`].
    fn start(&self, node: Node) {
        self.wrapped().start(node);
    }

    /// As [`Broker::publish`].
    fn publish(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        publication: Publication,
    ) -> impl Future<Output = Result<Receipt, BrokerError>> + Send {
        self.wrapped().publish(channel, keep, publication)
    }

    /// As [`Broker::subscribe`].
    fn subscribe(
        &self,
        channel: &ChannelName,
        keep: &Retention,
    ) -> impl Future<Output = Result<Position, BrokerError>> + Send {
        self.wrapped().subscribe(channel, keep)
    }

    /// As [`Broker::unsubscribe`].
    fn unsubscribe(&self, channel: &ChannelName) -> impl Future<Output = Result<(), BrokerError>> + Send {
        self.wrapped().unsubscribe(channel)
    }

    /// As [`Broker::history`].
    fn history(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        query: &HistoryQuery,
    ) -> impl Future<Output = Result<History, BrokerError>> + Send {
        self.wrapped().history(channel, keep, query)
    }

    /// As [`Broker::send`].
    fn send(
        &self,
        to: &Address,
        publication: Publication,
    ) -> impl Future<Output = Result<Receipt, BrokerError>> + Send {
        self.wrapped().send(to, publication)
    }

    /// As [`Broker::join`].
    fn join(
        &self,
        channel: &ChannelName,
        member: Member,
    ) -> impl Future<Output = Result<MemberChange, BrokerError>> + Send {
        self.wrapped().join(channel, member)
    }

    /// As [`Broker::leave`].
    fn leave(
        &self,
        channel: &ChannelName,
        client: ClientId,
    ) -> impl Future<Output = Result<MemberChange, BrokerError>> + Send {
        self.wrapped().leave(channel, client)
    }

    /// As [`Broker::members`].
    fn members(
        &self,
        channel: &ChannelName,
        query: &MembersQuery,
    ) -> impl Future<Output = Result<Members, BrokerError>> + Send {
        self.wrapped().members(channel, query)
    }
}

impl<W: BrokerWrapper> Broker for W {
    fn start(&self, node: Node) {
        BrokerWrapper::start(self, node);
    }

    fn publish(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        publication: Publication,
    ) -> impl Future<Output = Result<Receipt, BrokerError>> + Send {
        BrokerWrapper::publish(self, channel, keep, publication)
    }

    fn subscribe(
        &self,
        channel: &ChannelName,
        keep: &Retention,
    ) -> impl Future<Output = Result<Position, BrokerError>> + Send {
        BrokerWrapper::subscribe(self, channel, keep)
    }

    fn unsubscribe(&self, channel: &ChannelName) -> impl Future<Output = Result<(), BrokerError>> + Send {
        BrokerWrapper::unsubscribe(self, channel)
    }

    fn history(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        query: &HistoryQuery,
    ) -> impl Future<Output = Result<History, BrokerError>> + Send {
        BrokerWrapper::history(self, channel, keep, query)
    }

    fn send(
        &self,
        to: &Address,
        publication: Publication,
    ) -> impl Future<Output = Result<Receipt, BrokerError>> + Send {
        BrokerWrapper::send(self, to, publication)
    }

    fn join(
        &self,
        channel: &ChannelName,
        member: Member,
    ) -> impl Future<Output = Result<MemberChange, BrokerError>> + Send {
        BrokerWrapper::join(self, channel, member)
    }

    fn leave(
        &self,
        channel: &ChannelName,
        client: ClientId,
    ) -> impl Future<Output = Result<MemberChange, BrokerError>> + Send {
        BrokerWrapper::leave(self, channel, client)
    }

    fn members(
        &self,
        channel: &ChannelName,
        query: &MembersQuery,
    ) -> impl Future<Output = Result<Members, BrokerError>> + Send {
        BrokerWrapper::members(self, channel, query)
    }
}
