//! The command that shows a list, and from then on every change of it, whoever makes it.

use std::io::{self, Write};

use rpc_runtime::Events;
use rpc_runtime::hub::client::{Subscription, SubscriptionError};

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

/// Shows the list until it is stopped, or nobody reads any more. A lost connection comes back, with what was missed.
pub(super) async fn watch(options: &ClientOptions) -> Result<String, Failure> {
    let client = Server::of(options)?.tasks().await?;
    let list = client.identity().user().unwrap_or_default().to_owned();
    let heard = client.hub().subscribe::<Heard>(channel_of(&list)).await?;
    match show(heard, options.json, &mut io::stdout()).await {
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

async fn show(mut heard: Subscription<Heard>, json: bool, out: &mut impl Write) -> Result<(), Stop> {
    let mut tasks: Vec<TasksContract> = Vec::new();
    while let Some(received) = heard.next().await {
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
    Ok(())
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
