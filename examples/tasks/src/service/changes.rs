//! Who is told of what becomes of a list: every client that may see it, in the order in which it was done.
//!
//! A contract with `changes = "tasks"` has its gateway publish such events to one channel. Here each list has a channel of its
//! own, so the service publishes.

use std::sync::Arc;
use std::time::Duration;

use rpc_runtime::hub::{
    Asks, Hub, Namespace, NamespaceError, OnSubscribe, Retention, SlowConsumer, Snapshot,
};
use rpc_runtime::{Context, Status};
use tokio::sync::Mutex;

use crate::contracts::{TaskChanged, TaskList, TasksContract};
use crate::storage::OwnedStore;

/// What the list is called that anonymous clients share. Users' ids are UUIDs: none of them is called so.
const SHARED: &str = "shared";

/// A client that was away has what it missed of so many changes, when it comes back in [`KEPT`].
const CHANGES: usize = 500;

/// How long changes are kept. Whoever comes back later is given the list anew.
const KEPT: Duration = Duration::from_secs(10 * 60);

/// The hub of a server of these tasks.
pub(crate) fn hub(store: Arc<OwnedStore<TasksContract>>) -> Result<Hub, NamespaceError> {
    Hub::builder()
        .namespace(
            Namespace::<(String,)>::of::<TaskChanged>()
                .subscribe(is_own)
                .keep(Retention::of(CHANGES, KEPT))
                // Its queue is full: it comes back when it reads again, and recovers.
                .slow(SlowConsumer::Disconnect)
                .on_subscribe(Lists { store }),
        )
        .build()
}

/// The channel of a list: of a user's, or, for nobody's, of that which anonymous clients share.
pub(crate) fn channel_of(list: &str) -> String {
    let name = if list.is_empty() { SHARED } else { list };
    format!("tasks:{name}")
}

/// The right to hear of a list: whose it is, has it.
fn is_own(asks: &Asks, (list,): &(String,)) -> Result<(), Status> {
    match asks.user().unwrap_or(SHARED) == list {
        true => Ok(()),
        false => Err(Status::permission_denied("another's list")),
    }
}

/// Gives new subscribers the list itself.
struct Lists {
    store: Arc<OwnedStore<TasksContract>>,
}

impl OnSubscribe<(String,)> for Lists {
    async fn snapshot(&self, asks: &Asks, _: &(String,)) -> Result<Snapshot, Status> {
        let tasks = self.store.all_of(asks.user().unwrap_or_default()).await?;
        // A change that is made meanwhile may be in the list and come behind it as well. It says how a task is now, so that
        // to hear it twice changes nothing.
        Ok(Snapshot::now(&TaskList { tasks }))
    }
}

/// Makes changes, and tells of them.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Held from before a change is stored until it is published: else two changes of one task could be told the other way
    /// round. The database has one writer at a time anyway.
    turn: Arc<Mutex<()>>,
}

impl Changes {
    /// Does something with the list of the caller, and tells of it what `told` says, if anything.
    ///
    /// It goes on when the call is cancelled: what was stored is told.
    pub(crate) async fn make<T: Send + 'static>(
        &self,
        cx: &Context,
        list: &str,
        change: impl Future<Output = Result<T, Status>> + Send + 'static,
        told: impl FnOnce(&T) -> Option<TaskChanged> + Send + 'static,
    ) -> Result<T, Status> {
        let to = cx.hub().channel(channel_of(list));
        let turn = self.turn.clone();
        let made = tokio::spawn(async move {
            let _turn = turn.lock().await;
            let made = change.await?;
            if let Some(event) = told(&made)
                && let Err(error) = to.publish(&event).await
            {
                // It is stored all the same. Who comes back, or looks anew, sees it.
                tracing::warn!(%error, "a change could not be told");
            }
            Ok(made)
        });
        made.await.map_err(Status::internal_from)?
    }
}

#[cfg(test)]
mod tests {
    use rpc_runtime::hub::client::Subscription;
    use rpc_runtime::{Client, Code, Events};

    use super::*;
    use crate::TaskClient;
    use crate::contracts::DeletedTask;
    use crate::service::tests::{serve, task};

    #[derive(Debug, PartialEq, Events)]
    enum Heard {
        List(TaskList),
        Changed(TaskChanged),
    }

    async fn next(heard: &mut Subscription<Heard>) -> Heard {
        heard.next().await.unwrap().unwrap().event
    }

    async fn hear(client: &Client, list: &str) -> Subscription<Heard> {
        client.hub().subscribe(channel_of(list)).await.unwrap()
    }

    #[tokio::test]
    async fn who_subscribes_has_the_list_and_then_each_change_in_the_order_in_which_it_was_made() {
        let served = serve().await;
        let (client, other) = (
            served.client("/rpc", None).await.unwrap(),
            served.anonymous().await,
        );
        let milk = other.add(task("Buy milk")).await.unwrap();
        let mut heard = hear(&client, "").await;
        let list = TaskList {
            tasks: vec![milk.clone()],
        };
        assert_eq!(next(&mut heard).await, Heard::List(list));

        let bread = other.add(task("Buy bread")).await.unwrap();
        let checked = TasksContract {
            checked: true,
            ..milk.clone()
        };
        let checked = other.update(milk.id.clone(), checked).await.unwrap();
        other.delete(milk.id.clone()).await.unwrap();
        // Neither is a change.
        other.delete(milk.id.clone()).await.unwrap_err();
        other.add(task("Buy bread")).await.unwrap_err();
        let tea = other.add(task("Buy tea")).await.unwrap();
        for change in [
            TaskChanged::Added(bread),
            TaskChanged::Updated(checked),
            TaskChanged::Deleted(DeletedTask { id: milk.id }),
            TaskChanged::Added(tea),
        ] {
            assert_eq!(next(&mut heard).await, Heard::Changed(change));
        }
    }

    #[tokio::test]
    async fn a_list_is_heard_by_those_whose_it_is_and_by_nobody_else() {
        let served = serve().await;
        let (ada, of_ada) = served.user("ada").await;
        let (bob, of_bob) = served.user("bob").await;
        let anonymous = served.client("/rpc", None).await.unwrap();
        // Who is anonymous might be one of those whose it is.
        for (client, lists, code) in [
            (&anonymous, [ada.id.as_str(), &bob.id], Code::Unauthenticated),
            (&of_ada, [&bob.id, ""], Code::PermissionDenied),
            (&of_bob, [&ada.id, ""], Code::PermissionDenied),
        ] {
            for list in lists {
                let refused = client
                    .hub()
                    .subscribe::<Heard>(channel_of(list))
                    .await
                    .unwrap_err();
                assert_eq!(refused.code(), Some(code), "{list}");
            }
        }
        let (mut ada_hears, mut bob_hears) = (hear(&of_ada, &ada.id).await, hear(&of_bob, &bob.id).await);
        for heard in [&mut ada_hears, &mut bob_hears] {
            assert_eq!(next(heard).await, Heard::List(TaskList::default()));
        }
        let milk = TaskClient::new(of_ada).add(task("Buy milk")).await.unwrap();
        let bread = TaskClient::new(of_bob).add(task("Buy bread")).await.unwrap();
        assert_eq!(
            next(&mut ada_hears).await,
            Heard::Changed(TaskChanged::Added(milk))
        );
        assert_eq!(
            next(&mut bob_hears).await,
            Heard::Changed(TaskChanged::Added(bread))
        );
    }

    #[tokio::test]
    async fn what_is_done_is_told_though_the_call_was_given_up() {
        let served = serve().await;
        let client = served.client("/rpc", None).await.unwrap();
        let mut heard = hear(&client, "").await;
        next(&mut heard).await;
        let tasks = TaskClient::new(client);
        // Given up at every moment there is, before and behind the row that is written.
        for turns in 0..40 {
            let add = tasks.add(task(&format!("Task {turns}")));
            tokio::select! {
                biased;
                _ = add => {}
                () = async { for _ in 0..turns { tokio::task::yield_now().await; } } => {}
            }
        }
        tasks.add(task("The last")).await.unwrap();
        let mut told = Vec::new();
        while told
            .last()
            .is_none_or(|task: &TasksContract| task.label != "The last")
        {
            match next(&mut heard).await {
                Heard::Changed(TaskChanged::Added(task)) => told.push(task),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(told, tasks.get_all().await.unwrap());
    }
}
