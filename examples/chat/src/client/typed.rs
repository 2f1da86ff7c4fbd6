//! What somebody types in a room: something to say, or a command.

use crate::rooms::RoomName;

/// How much `/history` shows.
const SOME_HISTORY: usize = 20;

/// More than one answer of the server holds.
const MOST_HISTORY: usize = 1000;

/// What `/help` shows.
pub(super) const HELP: &str = "\
/msg NAME TEXT     write to one user alone
/who               who is here
/rooms             which rooms there are
/join ROOM         go to another room
/history [NUMBER]  what was said before
/kick NAME [WHY]   put somebody out (administrators)
/quit              leave
//TEXT             say something that begins with a slash
A line that ends in \\ goes on in the next one; meanwhile others see that you are typing.";

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Nothing,
    Say(String),
    /// A part of something to say, which goes on in the next line.
    More(String),
    Write {
        to: String,
        text: String,
    },
    Who,
    Rooms,
    Join(RoomName),
    History(usize),
    Kick {
        user: String,
        reason: String,
    },
    Help,
    Quit,
    /// What is wrong with it, and what to type instead.
    Wrong(String),
}

/// Reads a line; one that goes on with what the line before has begun is no command.
pub(super) fn read(line: &str, goes_on: bool) -> Typed {
    let line = line.trim_end();
    if let Some(part) = line.strip_suffix('\\') {
        return Typed::More(part.trim_end().to_owned());
    }
    if goes_on {
        return Typed::Say(line.to_owned());
    }
    if line.trim_start().is_empty() {
        return Typed::Nothing;
    }
    let Some(command) = line.strip_prefix('/') else {
        return Typed::Say(line.to_owned());
    };
    if command.starts_with('/') {
        return Typed::Say(command.to_owned());
    }
    let (name, rest) = match command.split_once(char::is_whitespace) {
        Some((name, rest)) => (name, rest.trim_start()),
        None => (command, ""),
    };
    match (name, rest) {
        ("msg", rest) => match split(rest) {
            ("", _) | (_, "") => wrong("whom, and what", "/msg bob see you at six"),
            (to, text) => Typed::Write {
                to: to.to_owned(),
                text: text.to_owned(),
            },
        },
        ("kick", "") => wrong("whom", "/kick eve for shouting"),
        ("kick", rest) => {
            let (user, reason) = split(rest);
            Typed::Kick {
                user: user.to_owned(),
                reason: reason.to_owned(),
            }
        }
        ("join", "") => wrong("where", "/join garden"),
        ("join", room) => match room.parse() {
            Ok(room) => Typed::Join(room),
            Err(error) => Typed::Wrong(format!("{error}, as in /join garden")),
        },
        ("history", "") => Typed::History(SOME_HISTORY),
        ("history", number) => match number.parse() {
            Ok(number @ 1..=MOST_HISTORY) => Typed::History(number),
            _ => Typed::Wrong(format!(
                "how much is a number up to {MOST_HISTORY}, as in /history 50"
            )),
        },
        ("who", "") => Typed::Who,
        ("rooms", "") => Typed::Rooms,
        ("help", "") => Typed::Help,
        ("quit", "") => Typed::Quit,
        ("who" | "rooms" | "help" | "quit", _) => Typed::Wrong(format!("/{name} stands alone")),
        _ => Typed::Wrong(format!("there is no command /{name}; /help lists them")),
    }
}

fn wrong(what: &str, example: &str) -> Typed {
    Typed::Wrong(format!("{what}? As in {example}"))
}

/// The first word, and what comes behind it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Typed {
        super::read(line, false)
    }

    fn go_on(line: &str) -> Typed {
        super::read(line, true)
    }

    #[test]
    fn what_is_no_command_is_said() {
        assert_eq!(read("hello there \r"), Typed::Say("hello there".into()));
        assert_eq!(read("  hi"), Typed::Say("  hi".into()));
        assert_eq!(
            read("//quit is a command"),
            Typed::Say("/quit is a command".into())
        );
        assert_eq!(read("a long story \\"), Typed::More("a long story".into()));
        assert_eq!(read("\\"), Typed::More(String::new()));
        assert_eq!(go_on("/quit"), Typed::Say("/quit".into()));
        assert_eq!(go_on(""), Typed::Say(String::new()));
        assert_eq!(read("   "), Typed::Nothing);
    }

    #[test]
    fn commands_are_read_with_what_belongs_to_them() {
        let write = Typed::Write {
            to: "bob".into(),
            text: "see  you".into(),
        };
        assert_eq!(read("/msg  bob  see  you"), write);
        let kick = |user: &str, reason: &str| Typed::Kick {
            user: user.into(),
            reason: reason.into(),
        };
        assert_eq!(read("/kick eve"), kick("eve", ""));
        assert_eq!(read("/kick eve for shouting"), kick("eve", "for shouting"));
        assert_eq!(read("/join garden"), Typed::Join("garden".parse().unwrap()));
        assert_eq!(read("/history"), Typed::History(20));
        assert_eq!(read("/history 7"), Typed::History(7));
        assert_eq!(read("/who"), Typed::Who);
        assert_eq!(read("/rooms"), Typed::Rooms);
        assert_eq!(read("/help"), Typed::Help);
        assert_eq!(read("/quit"), Typed::Quit);
    }

    #[test]
    fn what_is_wrong_is_told_with_what_to_type_instead() {
        let told = |line| match read(line) {
            Typed::Wrong(why) => why,
            other => panic!("{line}: {other:?}"),
        };
        let lines = [
            "/msg",
            "/msg bob",
            "/kick",
            "/join",
            "/join The-Moon",
            "/history all",
            "/history 0",
            "/history 1001",
            "/quit now",
            "/foo",
            "/ quit",
        ];
        let all: Vec<_> = lines
            .into_iter()
            .map(|line| format!("{line}: {}", told(line)))
            .collect();
        expect_test::expect![[r#"
            /msg: whom, and what? As in /msg bob see you at six
            /msg bob: whom, and what? As in /msg bob see you at six
            /kick: whom? As in /kick eve for shouting
            /join: where? As in /join garden
            /join The-Moon: a room's name is a small letter, and up to 31 more small letters, digits and hyphens, as in /join garden
            /history all: how much is a number up to 1000, as in /history 50
            /history 0: how much is a number up to 1000, as in /history 50
            /history 1001: how much is a number up to 1000, as in /history 50
            /quit now: /quit stands alone
            /foo: there is no command /foo; /help lists them
            / quit: there is no command /; /help lists them"#]].assert_eq(&all.join("\n"));
    }

    #[test]
    fn help_lists_every_command() {
        for command in ["msg", "who", "rooms", "join", "history", "kick", "quit"] {
            assert!(HELP.contains(&format!("/{command} ")), "{command}");
            assert!(
                !matches!(read(&format!("/{command} x y")), Typed::Wrong(why) if why.starts_with("there is no"))
            );
        }
    }
}
