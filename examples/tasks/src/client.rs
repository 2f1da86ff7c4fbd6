//! The commands that call a server.

use std::time::Duration;

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
        ClientCommand::Check(args) => set_checked(args, true).await,
        ClientCommand::Uncheck(args) => set_checked(args, false).await,
        ClientCommand::Remove(args) => remove(args).await,
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

/// A server of tasks.
struct Tasks {
    client: TaskClient,
    /// For each call.
    timeout: Duration,
}

impl Tasks {
    async fn connect(options: &ClientOptions) -> Result<Self, Failure> {
        check_url(&options.server)?;
        let timeout = Duration::from_secs(options.timeout.into());
        let connecting = TaskClient::connect(&options.server);
        let client = tokio::time::timeout(timeout, connecting).await.map_err(|_| {
            let text = format!("{} did not answer within {timeout:?}", options.server);
            Failure::new(Exit::TimedOut, text)
        })??;
        Ok(Tasks { client, timeout })
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
                Exit::NoSuchTask,
                format!("no task has an id that begins with {prefix:?}"),
            )),
            1 => Ok(found.swap_remove(0)),
            many => Err(Failure::new(
                Exit::NoSuchTask,
                format!("{many} tasks have ids that begin with {prefix:?}; give more of it"),
            )),
        }
    }
}

/// Tells a mistyped URL from a server that does not answer.
fn check_url(url: &str) -> Result<(), Failure> {
    let wrong = |why: &str| {
        Err(Failure::new(
            Exit::Usage,
            format!("{url:?} is no server's URL: {why}, as in ws://127.0.0.1:3000/rpc"),
        ))
    };
    let Some((scheme, rest)) = url.split_once("://") else {
        return wrong("it begins with ws://");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse::<u16>().ok()),
        _ => (authority, Some(80)),
    };
    match (scheme, host, port) {
        ("wss", _, _) => wrong("this client speaks ws://, without TLS"),
        ("ws", "", _) => wrong("it names a host"),
        ("ws", _, None) => wrong("its port is a number up to 65535"),
        ("ws", _, Some(_)) if url.contains(|c: char| c.is_whitespace() || c.is_control()) => {
            wrong("it has no spaces")
        }
        ("ws", _, Some(_)) => Ok(()),
        _ => wrong("it begins with ws://"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_mistyped_url_says_what_is_wrong_with_it() {
        for good in ["ws://localhost", "ws://[::1]:3000/rpc", "ws://a.example:80/x?y"] {
            check_url(good).unwrap();
        }
        let wrong = [
            "localhost:3000",
            "http://localhost",
            "wss://a",
            "ws:///rpc",
            "ws://a:99999",
            "ws://a b",
        ];
        let lines = wrong.map(|url| check_url(url).unwrap_err().to_string());
        expect![[r#"
            "localhost:3000" is no server's URL: it begins with ws://, as in ws://127.0.0.1:3000/rpc
            "http://localhost" is no server's URL: it begins with ws://, as in ws://127.0.0.1:3000/rpc
            "wss://a" is no server's URL: this client speaks ws://, without TLS, as in ws://127.0.0.1:3000/rpc
            "ws:///rpc" is no server's URL: it names a host, as in ws://127.0.0.1:3000/rpc
            "ws://a:99999" is no server's URL: its port is a number up to 65535, as in ws://127.0.0.1:3000/rpc
            "ws://a b" is no server's URL: it has no spaces, as in ws://127.0.0.1:3000/rpc"#]]
        .assert_eq(&lines.join("\n"));
    }
}
