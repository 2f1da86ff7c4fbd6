//! Somebody who talks: what they type becomes calls, and what they hear becomes lines.
//!
//! One loop does it all. While a call runs no further line is read, so that everything is said in the order in which it was typed; what
//! others say is shown meanwhile.

use std::collections::HashSet;
use std::future::{Future, pending};
use std::pin::Pin;

use futures_util::StreamExt;
use rpc_runtime::hub::Notification;
use rpc_runtime::hub::client::{EventStream, Gap, Received, ReceivedKind, Subscription, SubscriptionError};
use rpc_runtime::text::one_line;
use rpc_runtime::{Client, ConnectionState};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::place::{self, Place, publisher};
use super::typed::{self, HELP, Typed};
use super::{Show, Visit};
use crate::ChatClient;
use crate::contracts::{DirectMessage, KickRequest, Room, RoomEvent, SayRequest, Typing, WriteRequest};
use crate::failure::{Exit, Failure};
use crate::rooms::{RoomName, inbox};
use crate::text;

/// A call that runs, and what it comes to.
type Running = Pin<Box<dyn Future<Output = Result<Outcome, Failure>> + Send>>;

/// What a call comes to.
enum Outcome {
    /// Lines to show.
    Lines(Vec<String>),
    /// Another room, and what is to be seen there.
    Moved(Box<Place>, Vec<String>),
}

/// Somebody in a room.
pub(super) struct Talker {
    client: Client,
    chat: ChatClient,
    me: String,
    doing: String,
    show: Show,
    /// `None`: put out, and not elsewhere yet.
    place: Option<Place>,
    messages: Subscription<DirectMessage>,
    /// What the server tells everybody.
    news: EventStream<Notification>,
    /// What was said here, and has not been heard yet: it is on the screen already.
    said: HashSet<String>,
    /// The lines so far of something that goes on.
    unfinished: Vec<String>,
}

impl Talker {
    /// Goes into a room.
    pub(super) async fn enter(client: Client, visit: Visit, show: Show) -> Result<Self, Failure> {
        let news = client.events::<Notification>();
        let chat = ChatClient::new(client.clone());
        let entered = Place::enter(&client, visit.room.clone(), &visit.user, &visit.doing).await;
        let (place, mut seen) = match entered {
            Ok(entered) => entered,
            Err(failure) => return Err(explained(&chat, &visit.room, failure).await),
        };
        let (letters, position) = place::letters(&client, &visit.user).await?;
        if !letters.is_empty() {
            seen.push("Written to you alone:".to_owned());
            seen.extend(letters);
        }
        let mut messages = client.hub().subscribe::<DirectMessage>(inbox(&visit.user));
        if let Some(position) = position {
            messages = messages.since(position);
        }
        let messages = messages.await?;
        seen.iter().try_for_each(|line| show(line))?;
        Ok(Talker {
            client,
            chat,
            me: visit.user,
            doing: visit.doing,
            show,
            place: Some(place),
            messages,
            news,
            said: HashSet::new(),
            unfinished: Vec::new(),
        })
    }

    /// Talks until there are no more lines, or one says so.
    pub(super) async fn talk(mut self, mut lines: mpsc::Receiver<String>) -> Result<(), Failure> {
        let mut states = self.client.state_changes();
        let mut connected = true;
        let mut running: Option<Running> = None;
        loop {
            tokio::select! {
                // What the server tells everybody comes in front: that it stops, and then that the connection is lost. That it
                // is back is shown before what was said meanwhile.
                biased;
                Some(Ok(news)) = self.news.next() => {
                    let Notification { title, message, .. } = news.event;
                    self.show(&format!("! {}. {}", one_line(&title), one_line(&message)))?;
                }
                state = states.next() => match state {
                    Some(ConnectionState::Connected) if !connected => {
                        connected = true;
                        self.show("! You are connected again.")?;
                    }
                    Some(ConnectionState::Waiting { .. }) if connected => {
                        connected = false;
                        self.show("! The connection is lost. What you say waits until it is back.")?;
                    }
                    Some(_) => {}
                    None => return Err(self.closed().await),
                },
                heard = hear(&mut self.place) => match heard {
                    Heard::Room(event) => self.on_room(*event)?,
                    Heard::Typing(who) => self.show(&format!("* {} is typing", one_line(&who)))?,
                },
                Some(message) = self.messages.next() => self.on_message(message)?,
                done = finished(&mut running) => self.on_done(done)?,
                line = lines.recv(), if running.is_none() => {
                    let goes_on = !self.unfinished.is_empty();
                    match line.map_or(Typed::Quit, |line: String| typed::read(&line, goes_on)) {
                        Typed::Quit => return Ok(()),
                        typed => running = self.begin(typed)?,
                    }
                }
            }
        }
    }

    /// Does what was typed, or begins to.
    fn begin(&mut self, typed: Typed) -> Result<Option<Running>, Failure> {
        let room = self.place.as_ref().map(|place| place.room.clone());
        let nowhere = || "! You are in no room; /join kitchen goes to one.";
        let (client, chat) = (self.client.clone(), self.chat.clone());
        Ok(Some(match typed {
            Typed::Nothing | Typed::Quit => return Ok(None),
            Typed::Wrong(why) => return self.show(&format!("! {why}")).map(|()| None),
            Typed::Help => return self.show(HELP).map(|()| None),
            Typed::Join(room) => {
                let (me, doing) = (self.me.clone(), self.doing.clone());
                Box::pin(async move {
                    match Place::enter(&client, room.clone(), &me, &doing).await {
                        Ok((place, seen)) => Ok(Outcome::Moved(Box::new(place), seen)),
                        Err(failure) => Err(explained(&chat, &room, failure).await),
                    }
                })
            }
            Typed::Write { to, text } => {
                let key = self.new_key();
                Box::pin(async move {
                    let name = one_line(&to);
                    let text = text.clone();
                    let wrote = chat.write(WriteRequest { to, text, key }).await?;
                    Ok(Outcome::Lines(match wrote.is_there {
                        true => Vec::new(),
                        false => vec![format!("{name} is not here now, and will read it when they are.")],
                    }))
                })
            }
            Typed::Rooms => Box::pin(async move {
                let rooms = chat.list_rooms().await?.rooms;
                let line = |room: &Room| format!("{}: {}", one_line(&room.name), count(room.users, "user"));
                Ok(Outcome::Lines(rooms.iter().map(line).collect()))
            }),
            // What follows is about the room.
            typed => {
                let Some(room) = room else {
                    return self.show(nowhere()).map(|()| None);
                };
                match typed {
                    Typed::More(line) => {
                        self.unfinished.push(line);
                        Box::pin(async move {
                            // Nobody is served by hearing that this could not be told.
                            let typing = client
                                .hub()
                                .publish(room.typing_channel(), &Typing {})
                                .except_self();
                            let _ = typing.await;
                            Ok(Outcome::Lines(Vec::new()))
                        })
                    }
                    Typed::Say(line) => {
                        self.unfinished.push(line);
                        let text = std::mem::take(&mut self.unfinished).join("\n");
                        let room = room.to_string();
                        let key = self.new_key();
                        Box::pin(async move {
                            let said = chat.say(SayRequest { room, text, key }).await?;
                            Ok(Outcome::Lines(match said.is_heard {
                                true => Vec::new(),
                                false => vec!["Nobody else is here to hear it.".to_owned()],
                            }))
                        })
                    }
                    Typed::Who => {
                        Box::pin(async move { Ok(Outcome::Lines(vec![place::who(&client, &room).await?])) })
                    }
                    Typed::History(most) => Box::pin(async move {
                        let (said, _) = place::history(&client, &room, most).await?;
                        Ok(Outcome::Lines(match said.is_empty() {
                            true => vec!["Nothing was said here lately.".to_owned()],
                            false => said,
                        }))
                    }),
                    Typed::Kick { user, reason } => Box::pin(async move {
                        let name = one_line(&user);
                        let room = room.to_string();
                        let kicked = chat.kick(KickRequest { room, user, reason }).await?;
                        Ok(Outcome::Lines(match kicked.was_there {
                            true => Vec::new(),
                            false => vec![format!(
                                "{name} is not here, and may not come in for ten minutes."
                            )],
                        }))
                    }),
                    _ => return Ok(None),
                }
            }
        }))
    }

    /// Shows what a call came to. What goes wrong with one is told, and no reason to leave.
    fn on_done(&mut self, done: Result<Outcome, Failure>) -> Result<(), Failure> {
        match done {
            Ok(Outcome::Lines(lines)) => lines.iter().try_for_each(|line| self.show(line)),
            Ok(Outcome::Moved(place, seen)) => {
                self.place = Some(*place);
                seen.iter().try_for_each(|line| self.show(line))
            }
            Err(failure) => self.show(&format!("! {failure}")),
        }
    }

    /// Shows what happens in the room.
    fn on_room(
        &mut self,
        event: Option<Result<Received<RoomEvent>, SubscriptionError>>,
    ) -> Result<(), Failure> {
        let received = match event {
            Some(Ok(received)) => received,
            Some(Err(SubscriptionError::Gap(gap))) => return self.show(&missed(&gap)),
            // The client is closed: its state says so as well, and why.
            Some(Err(SubscriptionError::Closed(_))) | None => {
                self.place = None;
                return Ok(());
            }
            Some(Err(SubscriptionError::Ended(status) | SubscriptionError::Refused(status))) => {
                self.place = None;
                return self.show(&format!(
                    "! {}. /join goes to another room.",
                    one_line(status.message())
                ));
            }
            Some(Err(error)) => {
                self.place = None;
                return self.show(&format!(
                    "! {}. /join goes to another room.",
                    one_line(&error.to_string())
                ));
            }
        };
        // What was typed here is on the screen.
        if self.said.remove(&received.id) {
            return Ok(());
        }
        let who = publisher(&received);
        match &received.event {
            RoomEvent::Joined(joined) if joined.user_id.as_deref() == Some(&self.me) => Ok(()),
            RoomEvent::Left(left) if left.user_id.as_deref() == Some(&self.me) => Ok(()),
            RoomEvent::Said(said) if received.kind == ReceivedKind::Recovered => {
                self.show(&text::said_earlier(said, who, received.time))
            }
            event => self.show(&text::room_event(event, who)),
        }
    }

    /// Shows what was written to the user alone.
    fn on_message(
        &mut self,
        message: Result<Received<DirectMessage>, SubscriptionError>,
    ) -> Result<(), Failure> {
        match message {
            Ok(received) if self.said.remove(&received.id) && received.event.to != self.me => Ok(()),
            Ok(received) => {
                let from = publisher(&received);
                self.show(&text::direct_message(&received.event, from, &self.me))
            }
            Err(SubscriptionError::Gap(_)) => {
                self.show("! Messages to you alone may have been lost meanwhile.")
            }
            Err(SubscriptionError::Closed(_)) => Ok(()),
            Err(error) => self.show(&format!(
                "! Messages to you alone do not come any more: {}",
                one_line(&error.to_string())
            )),
        }
    }

    /// A key for something that is said, which is known when it is heard.
    fn new_key(&mut self) -> String {
        let key = Uuid::new_v4().simple().to_string();
        self.said.insert(format!("{}/{key}", self.me));
        key
    }

    /// Why the client is closed for good.
    async fn closed(&self) -> Failure {
        let closed = self.client.closed().await;
        Failure::new(
            Exit::Unreachable,
            format!("the server has closed the connection: {closed}"),
        )
    }

    fn show(&self, line: &str) -> Result<(), Failure> {
        (self.show)(line)
    }
}

/// What is heard in a room.
enum Heard {
    Room(Box<Option<Result<Received<RoomEvent>, SubscriptionError>>>),
    /// Who is typing.
    Typing(String),
}

/// The next thing that is heard in a room; nothing where there is none.
async fn hear(place: &mut Option<Place>) -> Heard {
    let Some(place) = place else {
        return pending().await;
    };
    loop {
        tokio::select! {
            biased;
            event = place.events.next() => return Heard::Room(Box::new(event)),
            // That some of it was missed is of no interest; where it ends, the room does too.
            Some(Ok(typing)) = place.typing.next() => return Heard::Typing(publisher(&typing).to_owned()),
            else => pending().await,
        }
    }
}

/// What the running call comes to; nothing where none runs.
async fn finished(running: &mut Option<Running>) -> Result<Outcome, Failure> {
    match running {
        Some(call) => {
            let done = call.await;
            *running = None;
            done
        }
        None => pending().await,
    }
}

/// Says what was missed while the connection was lost.
fn missed(gap: &Gap) -> String {
    match (gap.last, gap.next) {
        (Some(last), Some(next)) if last.epoch == next.epoch => format!(
            "! {} happened here meanwhile that the server does not keep any more.",
            count(next.offset.saturating_sub(last.offset), "thing")
        ),
        _ => "! The server has been started anew, and knows nothing of what happened here before.".to_owned(),
    }
}

fn count(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

/// A refusal to enter a room, with what can be done about it: the hub says the same of rooms that there are not and of those
/// that are closed to a user.
async fn explained(chat: &ChatClient, room: &RoomName, failure: Failure) -> Failure {
    if failure.exit != Exit::NotAllowed {
        return failure;
    }
    let Ok(list) = chat.list_rooms().await else {
        return failure;
    };
    let names: Vec<&str> = list.rooms.iter().map(|room| room.name.as_str()).collect();
    match names.contains(&room.as_str()) {
        true => Failure::new(
            Exit::NotAllowed,
            format!("you were put out of {room}; it takes ten minutes until you may come back"),
        ),
        false => Failure::new(
            Exit::NotFound,
            format!("there is no room {room}; there are {}", names.join(", ")),
        ),
    }
}
