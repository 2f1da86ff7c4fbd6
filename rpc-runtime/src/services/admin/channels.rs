//! Pages of channels and of their subscribers. A page remembers no more than itself, however many there are.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    ChannelDetails, ListChannelsRequest, ListChannelsResponse, ListSubscribersRequest,
    ListSubscribersResponse, SubscriberDetails, client_id, listing::page_size,
};
use crate::{
    Session, Status,
    hub::{Channel, ChannelName, HistoryQuery, Hub, broker::MembersQuery},
};

/// One page of channels.
pub(super) async fn list(hub: &Hub, request: &ListChannelsRequest) -> Result<ListChannelsResponse, Status> {
    let size = page_size(request.page_size);
    let mut page = BTreeMap::new();
    for channel in hub.inner.channels.iter() {
        let name = channel.name.as_str();
        if name.starts_with(&request.prefix) && name > request.page_token.as_str() {
            page.insert(channel.name.clone(), channel);
            if page.len() > size + 1 {
                page.pop_last();
            }
        }
    }
    let is_last = page.len() <= size;
    let mut channels = Vec::with_capacity(page.len().min(size));
    for channel in page.values().take(size) {
        channels.push(details(hub, channel).await?);
    }
    let next_page_token = match channels.last() {
        Some(last) if !is_last => last.channel.clone(),
        _ => String::new(),
    };
    Ok(ListChannelsResponse {
        channels,
        next_page_token,
    })
}

async fn details(hub: &Hub, channel: &Channel) -> Result<ChannelDetails, Status> {
    let (name, namespace) = (&channel.name, &channel.namespace);
    let broker = &hub.inner.broker;
    let mut details = ChannelDetails {
        channel: name.as_str().to_owned(),
        namespace: namespace.pattern().to_owned(),
        subscribers: channel.len() as u64,
        ..ChannelDetails::default()
    };
    if namespace.keep().keeps() {
        let nothing = HistoryQuery::default();
        let history = broker.history(name, namespace.keep(), &nothing).await?;
        details.offset = Some(history.position.offset);
    }
    if namespace.shows_presence() {
        let counts = MembersQuery {
            after: None,
            limit: 0,
        };
        let members = broker.members(name, &counts).await?;
        details.present_clients = Some(members.clients as u64);
        details.present_users = Some(members.users as u64);
    }
    Ok(details)
}

/// One page of a channel's subscribers.
pub(super) fn subscribers(
    hub: &Hub,
    request: &ListSubscribersRequest,
) -> Result<ListSubscribersResponse, Status> {
    let name = ChannelName::new(&request.channel)?;
    let after = match request.page_token.as_str() {
        "" => None,
        token => Some(client_id(token).map_err(|_| {
            Status::invalid_argument("`page_token` is none: it is what the page before has given")
        })?),
    };
    let size = page_size(request.page_size);
    let mut page = BTreeMap::new();
    let channel = hub.inner.channels.find(&name);
    for session in channel.iter().flat_map(|channel| channel.sessions()) {
        if after.is_none_or(|after| session.id() > after) {
            page.insert(session.id(), session);
            if page.len() > size + 1 {
                page.pop_last();
            }
        }
    }
    let is_last = page.len() <= size;
    let subscribers: Vec<_> = page
        .values()
        .take(size)
        .map(|session| subscriber(session, &name))
        .collect();
    let next_page_token = match subscribers.last() {
        Some(last) if !is_last => last.client_id.clone(),
        _ => String::new(),
    };
    Ok(ListSubscribersResponse {
        subscribers,
        next_page_token,
    })
}

fn subscriber(session: &Arc<Session>, name: &ChannelName) -> SubscriberDetails {
    let subscription = session.channels().and_then(|channels| channels.get(name));
    let events = session.events();
    SubscriberDetails {
        client_id: session.id().to_string(),
        user_id: session.user().as_deref().map(str::to_owned),
        by_server: subscription.is_some_and(|subscription| subscription.granted.is_some()),
        queued_events: events.map_or(0, |events| events.len() as u64),
        queued_event_bytes: events.map_or(0, |events| events.bytes() as u64),
        dropped_events: events.map_or(0, |events| events.dropped()),
    }
}
