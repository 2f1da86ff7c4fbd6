//! The commands that call a server.

mod connection;
mod logins;
mod password;
mod url;
mod users;
mod watch;

use std::time::Duration;

use connection::Server;

use crate::cli::{ClientCommand, ClientOptions, TaskArgs};
use crate::contracts::TasksContract;
use crate::failure::{Exit, Failure};
use crate::{TaskClient, output};

/// Runs a command; the text is for the standard output.
pub(crate) async fn run(command: ClientCommand) -> Result<String, Failure> {
    match command {
        ClientCommand::Add { label, options } => {
            let server = Tasks::connect(&options).await?;
            let item = TasksContract {
                label,
                ..Default::default()
            };
            let task = server.client.add(item).timeout(server.timeout).await?;
            Ok(one(&options, "added", &task))
        }
        ClientCommand::List { all, options } => {
            let mut tasks = Tasks::connect(&options).await?.list().await?;
            tasks.retain(|task| all || !task.removed);
            Ok(if options.json {
                output::json_list(&tasks)
            } else {
                output::table(&tasks)
            })
        }
        ClientCommand::Watch(options) => watch::watch(&options).await,
        ClientCommand::Check(args) => set_checked(args, true).await,
        ClientCommand::Uncheck(args) => set_checked(args, false).await,
        ClientCommand::Remove(args) => remove(args).await,
        ClientCommand::Register(args) => users::register(args).await,
        ClientCommand::Login(args) => users::login(args).await,
        ClientCommand::Logout(options) => users::logout(&options),
        ClientCommand::Whoami(options) => users::whoami(&options).await,
        ClientCommand::Users(options) => users::users(&options).await,
    }
}

async fn set_checked(args: TaskArgs, checked: bool) -> Result<String, Failure> {
    let server = Tasks::connect(&args.options).await?;
    let mut task = server.find(&args.id).await?;
    task.checked = checked;
    let call = server.client.update(task.id.clone(), task);
    let task = call.timeout(server.timeout).await?;
    let what = if checked { "checked" } else { "unchecked" };
    Ok(one(&args.options, what, &task))
}

async fn remove(args: TaskArgs) -> Result<String, Failure> {
    let server = Tasks::connect(&args.options).await?;
    let task = server.find(&args.id).await?;
    server
        .client
        .delete(task.id.clone())
        .timeout(server.timeout)
        .await?;
    Ok(one(&args.options, "removed", &task))
}

fn one(options: &ClientOptions, what: &str, task: &TasksContract) -> String {
    if options.json {
        output::json_object(task)
    } else {
        output::done(what, task)
    }
}

/// The tasks of a server that somebody may see.
struct Tasks {
    client: TaskClient,
    /// For each call.
    timeout: Duration,
}

impl Tasks {
    async fn connect(options: &ClientOptions) -> Result<Self, Failure> {
        let server = Server::of(options)?;
        Ok(Tasks {
            client: TaskClient::new(server.tasks().await?),
            timeout: server.timeout,
        })
    }

    async fn list(&self) -> Result<Vec<TasksContract>, Failure> {
        Ok(self.client.get_all().timeout(self.timeout).await?)
    }

    /// The task whose id is `prefix`, or the only one whose id begins with it.
    async fn find(&self, prefix: &str) -> Result<TasksContract, Failure> {
        let mut found = self.list().await?;
        found.retain(|task| task.id.starts_with(prefix));
        if let Some(exact) = found.iter().position(|task| task.id == prefix) {
            return Ok(found.swap_remove(exact));
        }
        match found.len() {
            0 => Err(Failure::new(
                Exit::NotFound,
                format!("no task has an id that begins with {prefix:?}"),
            )),
            1 => Ok(found.swap_remove(0)),
            many => Err(Failure::new(
                Exit::NotFound,
                format!("{many} tasks have ids that begin with {prefix:?}; give more of it"),
            )),
        }
    }
}
