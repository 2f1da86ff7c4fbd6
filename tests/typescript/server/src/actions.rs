//! What a case may have done to its world, and see of it: each a JSON object whose `do` says which.

use rpc_runtime::{
    CloseCode, Status,
    hub::{Hub, Subscriber, To},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    contracts::{Said, Strange, Typing},
    tokens,
    world::{Failure, World, explain},
};

/// What is to be done.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum Action {
    /// Says what can be seen.
    See,
    /// Opens the gate at which calls wait, or shuts it.
    Gate { open: bool },
    /// Cuts all connections, without a close frame.
    Cut,
    /// Drops connections that come at once, or no more.
    Refuse { refuse: bool },
    /// Lets nothing pass, though connections stay open, or passes all on again.
    Stall { stall: bool },
    /// Has another server take this one's place.
    Restart { drain: bool },
    /// Closes a client's connection, or all.
    Close {
        code: u16,
        reason: String,
        client: Option<String>,
    },
    /// A token for a user.
    Token { user: String, seconds: i64 },
    /// Publishes in a channel, or sends to a user, to a client or to all: `times` events, numbered behind the text where there are
    /// several.
    Publish {
        whom: Whom,
        text: String,
        #[serde(default)]
        kind: Kind,
        #[serde(default = "once")]
        times: u32,
        key: Option<String>,
    },
    /// Writes a line on the board.
    Write { line: String },
    /// Subscribes a client.
    Subscribe { client: String, channel: String },
    /// Ends a client's subscription.
    Kick {
        client: String,
        channel: String,
        reason: String,
    },
}

/// Whom something is published to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Whom {
    Channel(String),
    User(String),
    Client(String),
    All,
}

/// Which event is published.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    #[default]
    Said,
    Typing,
    Strange,
}

fn once() -> u32 {
    1
}

impl Action {
    /// Does it, and says what came of it.
    pub(crate) async fn run(self, world: &World) -> Result<Value, Failure> {
        let current = world.current();
        match self {
            Action::See => return Ok(see(world)),
            Action::Gate { open } => world.service.seen.set_open(open),
            Action::Cut => world.proxy.cut(),
            Action::Refuse { refuse } => world.proxy.set_refuses(refuse),
            Action::Stall { stall } => world.proxy.set_stalls(stall),
            Action::Restart { drain } => world.restart(drain).await?,
            Action::Close { code, reason, client } => {
                let client = client.map(|id| id.parse()).transpose();
                let client = client.map_err(explain("no client"))?;
                let sessions = current.server.sessions();
                for session in sessions.filter(|session| client.is_none_or(|id| session.id() == id)) {
                    session.close(CloseCode::from_u16(code), reason.clone());
                }
            }
            Action::Token { user, seconds } => return Ok(json!(tokens::token(&user, seconds)?)),
            Action::Publish {
                whom,
                text,
                kind,
                times,
                key,
            } => {
                for number in 0..times {
                    let text = match times {
                        1 => text.clone(),
                        _ => format!("{text}{number}"),
                    };
                    let mut to = whom.to(&current.hub)?;
                    if let Some(key) = &key {
                        to = to.key(key.as_str());
                    }
                    kind.publish(to, text).await?;
                }
            }
            Action::Write { line } => current.boards.write(&current.hub, line).await?,
            Action::Subscribe { client, channel } => {
                let client = Subscriber::Client(client.parse()?);
                let count = current.hub.subscribe(client, channel).await?;
                return Ok(json!(count));
            }
            Action::Kick {
                client,
                channel,
                reason,
            } => {
                let client = Subscriber::Client(client.parse()?);
                let reason = Status::permission_denied(reason);
                let count = current.hub.unsubscribe(client, channel, &reason)?;
                return Ok(json!(count));
            }
        }
        Ok(Value::Null)
    }
}

impl Whom {
    fn to(&self, hub: &Hub) -> Result<To, Failure> {
        Ok(match self {
            Whom::Channel(name) => hub.channel(name),
            Whom::User(user) => hub.user(user.as_str()),
            Whom::Client(client) => hub.client(client.parse()?),
            Whom::All => hub.all(),
        })
    }
}

impl Kind {
    async fn publish(self, to: To, text: String) -> Result<(), Failure> {
        match self {
            Kind::Said => to.publish(&Said { text }).await?,
            Kind::Typing => {
                let length = u32::try_from(text.len())?;
                to.publish(&Typing { length }).await?
            }
            Kind::Strange => to.publish(&Strange { text }).await?,
        };
        Ok(())
    }
}

fn see(world: &World) -> Value {
    let server = world.current().server;
    let sessions = server.sessions().map(|session| {
        json!({
            "client": session.id().to_string(),
            "user": session.user().as_deref(),
            "state": session.state().to_string(),
        })
    });
    json!({
        "counts": world.service.seen.counts(),
        "passed": world.proxy.passed(),
        "sessions": sessions.collect::<Vec<_>>(),
    })
}
