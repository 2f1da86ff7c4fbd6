//! A broker of any type.

use std::{future::Future, pin::Pin};

use super::{
    Address, Broker, BrokerError, ChannelName, History, HistoryQuery, Member, MemberChange, Members,
    MembersQuery, Node, Position, Publication, Receipt, Retention,
};
use crate::ClientId;

type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, BrokerError>> + Send + 'a>>;

/// [`Broker`], for an object.
pub(crate) trait ErasedBroker: Send + Sync {
    fn start(&self, node: Node);
    fn publish<'a>(
        &'a self,
        channel: &'a ChannelName,
        keep: &'a Retention,
        publication: Publication,
    ) -> Later<'a, Receipt>;
    fn subscribe<'a>(&'a self, channel: &'a ChannelName, keep: &'a Retention) -> Later<'a, Position>;
    fn unsubscribe<'a>(&'a self, channel: &'a ChannelName) -> Later<'a, ()>;
    fn history<'a>(
        &'a self,
        channel: &'a ChannelName,
        keep: &'a Retention,
        query: &'a HistoryQuery,
    ) -> Later<'a, History>;
    fn send<'a>(&'a self, to: &'a Address, publication: Publication) -> Later<'a, Receipt>;
    fn join<'a>(&'a self, channel: &'a ChannelName, member: Member) -> Later<'a, MemberChange>;
    fn leave<'a>(&'a self, channel: &'a ChannelName, client: ClientId) -> Later<'a, MemberChange>;
    fn members<'a>(&'a self, channel: &'a ChannelName, query: &'a MembersQuery) -> Later<'a, Members>;
}

impl<B: Broker> ErasedBroker for B {
    fn start(&self, node: Node) {
        Broker::start(self, node);
    }

    fn publish<'a>(
        &'a self,
        channel: &'a ChannelName,
        keep: &'a Retention,
        publication: Publication,
    ) -> Later<'a, Receipt> {
        Box::pin(Broker::publish(self, channel, keep, publication))
    }

    fn subscribe<'a>(&'a self, channel: &'a ChannelName, keep: &'a Retention) -> Later<'a, Position> {
        Box::pin(Broker::subscribe(self, channel, keep))
    }

    fn unsubscribe<'a>(&'a self, channel: &'a ChannelName) -> Later<'a, ()> {
        Box::pin(Broker::unsubscribe(self, channel))
    }

    fn history<'a>(
        &'a self,
        channel: &'a ChannelName,
        keep: &'a Retention,
        query: &'a HistoryQuery,
    ) -> Later<'a, History> {
        Box::pin(Broker::history(self, channel, keep, query))
    }

    fn send<'a>(&'a self, to: &'a Address, publication: Publication) -> Later<'a, Receipt> {
        Box::pin(Broker::send(self, to, publication))
    }

    fn join<'a>(&'a self, channel: &'a ChannelName, member: Member) -> Later<'a, MemberChange> {
        Box::pin(Broker::join(self, channel, member))
    }

    fn leave<'a>(&'a self, channel: &'a ChannelName, client: ClientId) -> Later<'a, MemberChange> {
        Box::pin(Broker::leave(self, channel, client))
    }

    fn members<'a>(&'a self, channel: &'a ChannelName, query: &'a MembersQuery) -> Later<'a, Members> {
        Box::pin(Broker::members(self, channel, query))
    }
}
