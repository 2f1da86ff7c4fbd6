//! What the gateway does: rights are asked for first, then names, types and sizes are looked at, then the hub does it.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use prost::Message as _;

use super::{
    contract::{
        HistoryRequest, HistoryResponse, Hub, PresenceRequest, PresenceResponse, PublishRequest,
        PublishResponse, SendToClientsRequest, SendToClientsResponse, SendToUsersRequest,
        SendToUsersResponse, SubscribeAnswer, SubscribeChannel, SubscribeRequest, SubscribeResponse,
        TypedMessage, UnsubscribeAnswer, UnsubscribeRequest, UnsubscribeResponse,
    },
    records::{check_event_type, presence_data, record},
};
use crate::{
    ClientId, Context, Status,
    bytes::Bytes,
    hub::{
        self, Act, ActiveNamespace, Asks, Begun, ChannelName, HistoryQuery, LONGEST_ANSWER, Room, Wish,
        broker::MembersQuery, bytes_of_one, in_turn,
    },
};

/// What stands around an answer of one channel, beside its name: its number, position and a refusal.
const AROUND_ANSWER: usize = 512;

/// So many channels of one call are asked for at once.
const ASKED_AT_ONCE: usize = 16;

/// How many members are told at most.
const MOST_MEMBERS: usize = 1_000;

/// How many events of a history are given where nobody says how many, and at most.
const USUAL_EVENTS: usize = 100;
const MOST_EVENTS: usize = 1_000;

/// Serves the hub of the server that it is called on.
pub(crate) struct OfServer;

impl Hub for OfServer {
    async fn subscribe(&self, cx: &Context, request: SubscribeRequest) -> Result<SubscribeResponse, Status> {
        let hub = cx.hub();
        let frames: usize = request
            .channels
            .iter()
            .map(|asked| asked.channel.len() + AROUND_ANSWER)
            .sum();
        let room = Room::of_call(room(cx).saturating_sub(frames), cx.session());
        let mut answers = vec![SubscribeAnswer::default(); request.channels.len()];
        let asked = request.channels.into_iter().enumerate().map(|(index, asked)| {
            let (hub, room) = (&hub, &room);
            async move {
                let channel = asked.channel.clone();
                let answer = match subscribe(cx, hub, asked, room).await {
                    Ok(subscribed) => answered(channel, &subscribed, room),
                    Err(refused) => SubscribeAnswer {
                        refused: Some((&refused).into()),
                        number: heard_as(cx, &channel),
                        channel,
                        ..SubscribeAnswer::default()
                    },
                };
                (index, answer)
            }
        });
        // One that is slow holds up the answer, and not the others.
        let mut asked = stream::iter(asked).buffer_unordered(ASKED_AT_ONCE);
        while let Some((index, answer)) = asked.next().await {
            answers[index] = answer;
        }
        Ok(SubscribeResponse { answers })
    }

    async fn unsubscribe(
        &self,
        cx: &Context,
        request: UnsubscribeRequest,
    ) -> Result<UnsubscribeResponse, Status> {
        let hub = cx.hub();
        let answer = |channel: String| {
            let name = ChannelName::new(&channel);
            let ended = name.map(|name| hub.unsubscribe_session(cx.session(), &name));
            UnsubscribeAnswer {
                channel,
                was_subscribed: *ended.as_ref().unwrap_or(&false),
                refused: ended.err().map(|error| (&Status::from(error)).into()),
            }
        };
        Ok(UnsubscribeResponse {
            answers: request.channels.into_iter().map(answer).collect(),
        })
    }

    async fn publish(&self, cx: &Context, request: PublishRequest) -> Result<PublishResponse, Status> {
        let name = ChannelName::new(&request.channel)?;
        let hub = cx.hub();
        let asks = asks(cx);
        let TypedMessage { type_name, body } = request.event;
        let namespace = may_publish(&hub, &asks, &name, &request.key, &type_name, &body);
        // A client's own channel is the client, which is sent to in other ways too.
        let of_channel = name.own_client().is_none().then_some(&name);
        let (namespace, _turn) = in_turn(cx.session(), of_channel, namespace).await;
        let namespace = namespace?;
        let keeps = namespace.is_some_and(|namespace| namespace.keep().keeps());
        let tells_reached = namespace.is_some_and(|namespace| namespace.tells_reached());
        let mut to = hub.in_channel(name.clone()).by_client(cx, request.key);
        if request.except_self {
            to = to.except(cx.session().id());
        }
        // What is kept for long is to be no part of a larger message that was received.
        let body = if keeps {
            Bytes::copy_from_slice(&body)
        } else {
            body
        };
        let receipt = to.publish_encoded(&type_name, body).await?;
        Ok(PublishResponse {
            id: receipt.id.as_ref().to_owned(),
            // Whether a client is there is not told either.
            reached: receipt
                .reached
                .filter(|_| tells_reached)
                .map(|reached| reached as u64),
            position: receipt.position.map(Into::into),
            duplicate: receipt.duplicate,
        })
    }

    async fn send_to_users(
        &self,
        cx: &Context,
        request: SendToUsersRequest,
    ) -> Result<SendToUsersResponse, Status> {
        let hub = cx.hub();
        let asks = asks(cx);
        let TypedMessage { type_name, body } = request.event;
        let users: BTreeSet<_> = request.users.into_iter().collect();
        let may = async {
            for user in &users {
                hub.may_send_to_user(&asks, user, &type_name).await?;
            }
            check_event_type(&type_name)?;
            hub.check_for_users(&asks, &type_name, &body).await
        };
        let (may, _turn) = in_turn(cx.session(), None, may).await;
        may?;
        let mut to = hub.users(users).from(cx).id(hub.new_id());
        if request.except_self {
            to = to.except(cx.session().id());
        }
        let receipt = to.publish_encoded(&type_name, body).await?;
        Ok(SendToUsersResponse {
            id: receipt.id.as_ref().to_owned(),
        })
    }

    async fn send_to_clients(
        &self,
        cx: &Context,
        request: SendToClientsRequest,
    ) -> Result<SendToClientsResponse, Status> {
        let clients = request.clients.iter().map(|client| client_id(client));
        let clients = clients.collect::<Result<BTreeSet<_>, _>>()?;
        let hub = cx.hub();
        let asks = asks(cx);
        let TypedMessage { type_name, body } = request.event;
        let may = async {
            for client in &clients {
                hub.may_send_to_client(&asks, client, &type_name).await?;
            }
            check_event_type(&type_name)?;
            hub.check_for_clients(&asks, &type_name, &body).await
        };
        let (may, _turn) = in_turn(cx.session(), None, may).await;
        may?;
        let to = hub.clients(clients).from(cx).id(hub.new_id());
        let receipt = to.publish_encoded(&type_name, body).await?;
        Ok(SendToClientsResponse {
            id: receipt.id.as_ref().to_owned(),
        })
    }

    async fn presence(&self, cx: &Context, request: PresenceRequest) -> Result<PresenceResponse, Status> {
        let name = ChannelName::new(&request.channel)?;
        let hub = cx.hub();
        let asks = asks(cx);
        let namespace = hub.namespace_of(name.as_str(), &asks)?;
        namespace.check(Act::Presence, &asks, name.as_str()).await?;
        let query = MembersQuery {
            after: match request.after.as_str() {
                "" => None,
                after => Some(client_id(after)?),
            },
            limit: match (request.counts_only, request.limit as usize) {
                (true, _) => 0,
                (false, 0) => MOST_MEMBERS,
                (false, limit) => limit.min(MOST_MEMBERS),
            },
        };
        let page = hub.inner.broker.members(&name, &query).await?;
        let mut response = PresenceResponse {
            clients: page.clients as u64,
            users: page.users as u64,
            more: page.more && !request.counts_only,
            ..PresenceResponse::default()
        };
        let mut room = room(cx).saturating_sub(AROUND_ANSWER);
        for member in page.members.into_iter().map(super::ChannelMember::from) {
            match room.checked_sub(member.encoded_len() + 8) {
                Some(left) => room = left,
                // Or whoever reads on would be given nothing for ever.
                None if response.members.is_empty() => {
                    return Err(Status::resource_exhausted(
                        "what presence says of a client is longer than the answer may be",
                    ));
                }
                None => {
                    response.more = true;
                    break;
                }
            }
            response.members.push(member);
        }
        Ok(response)
    }

    async fn history(&self, cx: &Context, request: HistoryRequest) -> Result<HistoryResponse, Status> {
        let name = ChannelName::new(&request.channel)?;
        let hub = cx.hub();
        let asks = asks(cx);
        let namespace = hub.namespace_of(name.as_str(), &asks)?;
        namespace.check(Act::History, &asks, name.as_str()).await?;
        let query = HistoryQuery {
            after: request.after.map(Into::into),
            before: Some(request.before).filter(|before| *before > 0),
            since: request.since,
            until: request.until,
            limit: match request.limit as usize {
                0 => USUAL_EVENTS,
                limit => limit.min(MOST_EVENTS),
            },
            newest_first: request.newest_first,
        };
        let keep = namespace.keep();
        let history = hub.inner.broker.history(&name, keep, &query).await?;
        let mut response = HistoryResponse {
            position: keep.keeps().then(|| history.position.into()),
            events: Vec::with_capacity(history.events.len()),
            complete: history.complete,
            more: history.more,
            last_offset: 0,
        };
        let client = cx.session().id();
        let mut room = room(cx).saturating_sub(AROUND_ANSWER);
        for event in &history.events {
            if !event.is_for(client) {
                response.last_offset = event.position.offset;
                continue;
            }
            match room.checked_sub(bytes_of_one(event)) {
                Some(left) => room = left,
                // Or whoever reads on would be given nothing for ever.
                None if response.events.is_empty() => {
                    return Err(Status::resource_exhausted(
                        "an event of the history is longer than the answer may be",
                    ));
                }
                None => {
                    response.more = true;
                    break;
                }
            }
            response.last_offset = event.position.offset;
            response.events.push(record(event, namespace.tells_publisher()));
        }
        Ok(response)
    }
}

fn client_id(text: &str) -> Result<ClientId, Status> {
    text.parse()
        .map_err(|error: crate::ClientIdError| Status::invalid_argument(error.to_string()))
}

/// Who calls.
fn asks(cx: &Context) -> Asks {
    Asks::new(cx.session().clone(), cx.identity().cloned())
}

/// How long an answer may be, in bytes.
fn room(cx: &Context) -> usize {
    cx.session().answer_bytes().min(LONGEST_ANSWER)
}

/// Asks whether a client may publish in a channel, and validates what it publishes. Gives the channel's namespace; `None` for a
/// client's own, which is the client.
async fn may_publish<'a>(
    hub: &'a hub::Hub,
    asks: &Asks,
    name: &ChannelName,
    key: &str,
    type_name: &str,
    body: &Bytes,
) -> Result<Option<&'a ActiveNamespace>, Status> {
    let check_the_rest = || check_event_type(type_name).and_then(|()| check_key(key));
    if let Some(client) = name.own_client() {
        hub.may_send_to_client(asks, &client, type_name).await?;
        check_the_rest()?;
        hub.check_for_clients(asks, type_name, body).await?;
        return Ok(None);
    }
    let namespace = hub.namespace_of(name.as_str(), asks)?;
    namespace.check(Act::Publish, asks, name.as_str()).await?;
    check_the_rest()?;
    if let Some(events) = namespace.events() {
        events.check_body(asks.session(), type_name, body).await?;
    }
    Ok(Some(namespace))
}

async fn subscribe(
    cx: &Context,
    hub: &hub::Hub,
    asked: SubscribeChannel,
    room: &Room,
) -> Result<Begun, Status> {
    let name = ChannelName::new(&asked.channel)?;
    let wish = Wish {
        since: asked.since.map(Into::into),
        granted: None,
        by_event: false,
        room: room.clone(),
        presence: presence_data(asked.presence)?,
    };
    Ok(hub.subscribe_session(cx.session(), &name, wish).await?)
}

/// What events name a channel by that the caller hears, whatever it was refused; 0 where it does not hear it.
fn heard_as(cx: &Context, channel: &str) -> u64 {
    let heard = ChannelName::new(channel)
        .ok()
        .and_then(|name| cx.session().channels()?.get(&name));
    heard.map_or(0, |subscription| subscription.channel.number)
}

fn answered(channel: String, subscribed: &Begun, room: &Room) -> SubscribeAnswer {
    let namespace = &subscribed.channel.namespace;
    let mut types = namespace.types_told(subscribed.snapshot.as_ref());
    if !room.take(types.iter().map(|name| name.len() + 4).sum()) {
        types.clear();
    }
    let missed = subscribed.missed.iter();
    SubscribeAnswer {
        channel,
        refused: None,
        number: subscribed.channel.number,
        position: namespace.keep().keeps().then(|| subscribed.position.into()),
        recovered: subscribed.recovered,
        snapshot: subscribed.snapshot.as_ref().map(Into::into),
        events: missed
            .map(|event| record(event, namespace.tells_publisher()))
            .collect(),
        types,
        frames_epoch: subscribed.channel.untold_epoch(),
    }
}

/// A key is text that may stand in a log line.
fn check_key(key: &str) -> Result<(), Status> {
    match key.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(Status::invalid_argument(
            "a key has printable characters of ASCII, and no blanks",
        )),
    }
}
