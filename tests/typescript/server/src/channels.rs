//! The hub of a world: a namespace for each policy that a case wants to see.

use std::{sync::Arc, time::Duration};

use rpc_runtime::{
    Status,
    hub::{
        Anyone, Asks, Hub, HubError, Joined, Left, Namespace, NamespaceError, OnSubscribe, Position,
        Retention, SlowConsumer, Snapshot, Users,
    },
};
use tokio::sync::Mutex;

use crate::contracts::{Board, Said};

const KEPT: Retention = Retention::of(1_000, Duration::from_secs(600));

/// What is on the boards, and where the channel was when the last line was written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Boards(Arc<Mutex<(Board, Option<Position>)>>);

impl Boards {
    /// Writes a line, and publishes it. The lock is held meanwhile, because whoever subscribes is given the lines with the position of
    /// the last of them.
    pub(crate) async fn write(&self, hub: &Hub, line: String) -> Result<(), HubError> {
        let mut state = self.0.lock().await;
        let said = Said { text: line.clone() };
        let receipt = hub.channel("board:main").publish(&said).await?;
        state.0.lines.push(line);
        state.1 = receipt.position;
        Ok(())
    }
}

impl OnSubscribe<()> for Boards {
    async fn snapshot(&self, _: &Asks, (): &()) -> Result<Snapshot, Status> {
        let state = self.0.lock().await;
        Ok(match state.1 {
            Some(position) => Snapshot::at(position, &state.0),
            None => Snapshot::now(&state.0),
        })
    }
}

/// A hub with every namespace.
///
/// | channels | what is special |
/// |---|---|
/// | `room:{name}` | everyone may do everything; history, presence, publishers are told |
/// | `quiet:{name}` | no history |
/// | `short:{name}` | a history of three |
/// | `lobby:{name}` | who comes and goes is told |
/// | `members:{name}` | for those who are known |
/// | `granted:{name}` | only the server subscribes |
/// | `board:main` | a snapshot |
/// | `oldest:{name}`, `latest:{name}`, `closed:{name}` | for clients that do not read: the oldest dropped, the latest kept, closed |
pub(crate) fn hub(boards: &Boards) -> Result<Hub, NamespaceError> {
    let open = |pattern: &str| {
        Namespace::<(String,)>::new(pattern)
            .subscribe(Anyone)
            .publish(Anyone)
            .history(Anyone)
    };
    Hub::builder()
        .namespace(open("room:{name}").presence(Anyone).tell_publisher().keep(KEPT))
        .namespace(open("quiet:{name}"))
        .namespace(open("short:{name}").keep(Retention::of(3, Duration::from_secs(600))))
        .namespace(
            open("lobby:{name}")
                .presence(Anyone)
                .tell_joins()
                .events::<Said>()
                .events::<Joined>()
                .events::<Left>(),
        )
        .namespace(
            Namespace::<(String,)>::new("members:{name}")
                .subscribe(Users)
                .publish(Users)
                .presence(Users)
                .history(Users)
                .keep(KEPT),
        )
        .namespace(Namespace::<(String,)>::new("granted:{name}").keep(KEPT))
        .namespace(
            Namespace::<()>::new("board:main")
                .subscribe(Anyone)
                .keep(KEPT)
                .on_subscribe(boards.clone()),
        )
        .namespace(open("oldest:{name}").keep(KEPT).slow(SlowConsumer::DropOldest))
        .namespace(open("latest:{name}").slow(SlowConsumer::KeepLatest))
        .namespace(open("closed:{name}").keep(KEPT).slow(SlowConsumer::Disconnect))
        .send_to_users(Users)
        .send_to_clients(Anyone)
        .build()
}
