//! The command that shows a list, and from then on every change of it, whoever makes it.

use std::io::{self, Write};

use futures_util::StreamExt;
use rpc_runtime::hub::client::{Subscription, SubscriptionError};
use rpc_runtime::{Client, ConnectionState, Events};

use super::connection::Server;
use crate::cli::ClientOptions;
use crate::contracts::{TaskChanged, TaskList, TasksContract};
use crate::failure::{Exit, Failure};
use crate::output;
use crate::service::channel_of;

/// What is heard of a list.
#[derive(Debug, Events)]
enum Heard {
    /// The list itself: at the beginning, and where changes were missed that are not kept any more.
    List(TaskList),
    /// A change.
    Changed(TaskChanged),
}

/// Shows the list until it is stopped, or nobody reads any more. A lost connection comes back, with what was missed; both are said
/// beside the output.
pub(super) async fn watch(options: &ClientOptions) -> Result<String, Failure> {
    let client = Server::of(options)?.tasks().await?;
    // Whose the login is, the greeting says.
    client.greeted().await?;
    let list = client.identity().user().unwrap_or_default().to_owned();
    let heard = client.hub().subscribe::<Heard>(channel_of(&list)).await?;
    match show(&client, heard, options.json, &mut io::stdout()).await {
        // Whoever reads has read enough, as in `tasks watch | head -1`.
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(String::new()),
        Err(Stop::Output(error)) => Err(Failure::new(
            Exit::Failed,
            format!("cannot write the output: {error}"),
        )),
        Err(Stop::Ended(error)) => Err(error.into()),
        Ok(()) => Ok(String::new()),
    }
}

/// Why nothing more is shown.
enum Stop {
    Output(io::Error),
    Ended(SubscriptionError),
}

async fn show(
    client: &Client,
    mut heard: Subscription<Heard>,
    json: bool,
    out: &mut impl Write,
) -> Result<(), Stop> {
    let mut tasks: Vec<TasksContract> = Vec::new();
    let mut states = client.state_changes().fuse();
    let mut is_lost = false;
    loop {
        let received = tokio::select! {
            // That it is back is said before what was missed.
            biased;
            Some(state) = states.next() => {
                tell(&state, &mut is_lost);
                continue;
            }
            heard = heard.next() => match heard {
                Some(received) => received,
                None => return Ok(()),
            },
        };
        let text = match received {
            Ok(received) => match received.event {
                Heard::List(list) => {
                    tasks = list.tasks;
                    if json {
                        tasks
                            .iter()
                            .map(|task| output::json_change("listed", task))
                            .collect()
                    } else {
                        output::table(&tasks)
                    }
                }
                Heard::Changed(change) => match apply(&mut tasks, change) {
                    Some((what, task)) if json => output::json_change(what, &task),
                    Some((what, task)) => output::done(what, &task),
                    None => continue,
                },
            },
            // The list comes anew behind it.
            Err(error) if !error.is_final() => continue,
            Err(error) => return Err(Stop::Ended(error)),
        };
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(Stop::Output)?;
    }
}

/// Says beside the output that the connection is lost, and that it is back: without a word a list that stands still would look like one
/// of which nothing changes.
fn tell(state: &ConnectionState, is_lost: &mut bool) {
    let text = match state {
        ConnectionState::Waiting { .. } if !*is_lost => "the connection is lost; it is made again",
        ConnectionState::Connected if *is_lost => "connected again",
        _ => return,
    };
    *is_lost = !*is_lost;
    // Who closes the standard error does not want to hear it.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Does to the list what was done to it elsewhere; says what it was, unless the list has it already.
fn apply(tasks: &mut Vec<TasksContract>, change: TaskChanged) -> Option<(&'static str, TasksContract)> {
    let place = |tasks: &[TasksContract], id: &str| tasks.iter().position(|task| task.id == id);
    match change {
        TaskChanged::Added(task) | TaskChanged::Updated(task) => match place(tasks, &task.id) {
            None => {
                tasks.push(task.clone());
                Some(("added", task))
            }
            Some(at) if tasks[at] == task => None,
            Some(at) => {
                let what = match tasks[at].checked == task.checked {
                    true => "changed",
                    false if task.checked => "checked",
                    false => "unchecked",
                };
                tasks[at] = task.clone();
                Some((what, task))
            }
        },
        TaskChanged::Deleted(deleted) => {
            let at = place(tasks, &deleted.id)?;
            Some(("removed", tasks.remove(at)))
        }
        TaskChanged::Unset => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::DeletedTask;

    fn task(id: &str, checked: bool) -> TasksContract {
        TasksContract {
            id: id.into(),
            label: id.into(),
            checked,
            ..Default::default()
        }
    }

    #[test]
    fn a_change_that_the_list_has_already_is_not_shown_twice() {
        let mut tasks = vec![task("a", false)];
        let mut shown = |change| apply(&mut tasks, change).map(|(what, task)| (what, task.id));
        assert_eq!(shown(TaskChanged::Added(task("a", false))), None);
        assert_eq!(
            shown(TaskChanged::Added(task("b", false))),
            Some(("added", "b".into()))
        );
        assert_eq!(
            shown(TaskChanged::Updated(task("a", true))),
            Some(("checked", "a".into()))
        );
        assert_eq!(shown(TaskChanged::Updated(task("a", true))), None);
        let gone = || TaskChanged::Deleted(DeletedTask { id: "a".into() });
        assert_eq!(shown(gone()), Some(("removed", "a".into())));
        assert_eq!(shown(gone()), None);
        assert_eq!(shown(TaskChanged::Unset), None);
        assert_eq!(tasks, [task("b", false)]);
    }
}
