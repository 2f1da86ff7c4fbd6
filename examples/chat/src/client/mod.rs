//! The client: somebody in a room, with a terminal or whatever else has lines and shows some.

mod login;
mod password;
mod place;
mod talker;
mod typed;

use std::io::BufRead;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::cli::JoinArgs;
use crate::failure::{Exit, Failure};
use crate::rooms::RoomName;
use crate::server::AUTH_PATH;

/// Shows one thing to whoever sits in front of it. It has several lines where somebody has said something in several.
pub(crate) type Show = Arc<dyn Fn(&str) -> Result<(), Failure> + Send + Sync>;

/// Who comes, and where to.
pub(crate) struct Visit {
    /// The server's URL.
    pub(crate) server: String,
    pub(crate) user: String,
    pub(crate) password: String,
    /// Whether the user is to be made first.
    pub(crate) register: bool,
    pub(crate) room: RoomName,
    pub(crate) doing: String,
}

/// Enters a room with the standard input and output.
pub(crate) async fn join(args: JoinArgs) -> Result<(), Failure> {
    check(&args.server)?;
    let password = password::read(args.password_file.as_deref(), args.register)?;
    let visit = Visit {
        server: args.server,
        user: args.user,
        password,
        register: args.register,
        room: args.room,
        doing: args.doing,
    };
    let show: Show = Arc::new(|text: &str| crate::print(&format!("{text}\n")));
    talk(visit, typed_lines(), show).await
}

/// Is in a room, until there are no more lines, or one says `/quit`.
pub(crate) async fn talk(visit: Visit, lines: mpsc::Receiver<String>, show: Show) -> Result<(), Failure> {
    let (client, mut refused) = login::connect(&visit).await?;
    let talker = talker::Talker::enter(client, visit, show).await?;
    tokio::select! {
        done = talker.talk(lines) => done,
        // The password was changed, or the user is there no more: coming back is of no use.
        Some(failure) = refused.recv() => Err(failure),
    }
}

/// The lines of the standard input, from a thread that waits for them: there is no way to stop it but to end the program.
fn typed_lines() -> mpsc::Receiver<String> {
    let (send, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        // What is no text ends it as the end of the input does.
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if send.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// Tells a mistyped URL from a server that does not answer.
fn check(url: &str) -> Result<(), Failure> {
    let rest = url.strip_prefix("ws://").or_else(|| url.strip_prefix("wss://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') => Ok(()),
        _ => Err(Failure::new(
            Exit::Usage,
            format!(
                "{url:?} is no server's URL: it begins with ws:// or wss:// and a host, as in ws://127.0.0.1:3002/rpc"
            ),
        )),
    }
}

/// Where users of a server become known: beside where they talk.
fn auth_url(url: &str) -> String {
    let host = url.find("://").map_or(0, |at| at + 3);
    let directory = match url[host..].rfind('/') {
        Some(at) => &url[..host + at],
        None => url,
    };
    format!("{directory}{AUTH_PATH}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_become_known_beside_where_they_talk() {
        for (talk, auth) in [
            ("ws://a:3002/rpc", "ws://a:3002/auth"),
            ("wss://a/chat/rpc", "wss://a/chat/auth"),
            ("ws://[::1]:3002", "ws://[::1]:3002/auth"),
        ] {
            assert_eq!(auth_url(talk), auth);
        }
    }

    #[test]
    fn what_is_no_url_is_told_before_anything_is_sent() {
        check("ws://localhost:3002/rpc").unwrap();
        check("wss://chat.example/rpc").unwrap();
        for url in ["localhost:3002", "http://localhost", "ws://", "ws:///rpc"] {
            assert_eq!(check(url).unwrap_err().exit, Exit::Usage, "{url}");
        }
    }
}
