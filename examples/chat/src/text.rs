//! What people read: lines that a terminal only shows, whatever others have written.

use std::time::{Duration, SystemTime};

use rpc_runtime::text::one_line;

use crate::contracts::{DirectMessage, RoomEvent, Said};

/// What stands in front of the further lines of something that was said in several: deeper than any name, so that none
/// of them looks like another's.
const INDENT: &str = "    ";

/// What happened in a room, as `user` sees it. `who` published it; the hub's own events say themselves whom they are about.
pub(crate) fn room_event(event: &RoomEvent, who: &str) -> String {
    match event {
        RoomEvent::Said(said) => format!("{}: {}", one_line(who), lines(&said.text)),
        RoomEvent::Kicked(kicked) => {
            let why = match kicked.reason.as_str() {
                "" => String::new(),
                reason => format!(": {}", one_line(reason)),
            };
            format!(
                "* {} was put out by {}{why}",
                one_line(&kicked.user),
                one_line(who)
            )
        }
        RoomEvent::Joined(joined) => {
            format!(
                "* {} comes in",
                one_line(joined.user_id.as_deref().unwrap_or("somebody"))
            )
        }
        RoomEvent::Left(left) => {
            format!(
                "* {} goes",
                one_line(left.user_id.as_deref().unwrap_or("somebody"))
            )
        }
    }
}

/// Something that was said earlier: `5 min ago, ann: hello`.
pub(crate) fn said_earlier(said: &Said, who: &str, time: SystemTime) -> String {
    format!("{}, {}: {}", ago(time), one_line(who), lines(&said.text))
}

/// `bob to you: psst`
pub(crate) fn direct_message(message: &DirectMessage, from: &str, me: &str) -> String {
    let name = |user: &str| match user == me {
        true => "you".to_owned(),
        false => one_line(user),
    };
    format!(
        "{} to {}: {}",
        name(from),
        name(&message.to),
        lines(&message.text)
    )
}

/// Something that was written earlier: `5 min ago, ann to you: psst`.
pub(crate) fn written_earlier(message: &DirectMessage, from: &str, me: &str, time: SystemTime) -> String {
    format!("{}, {}", ago(time), direct_message(message, from, me))
}

fn ago(time: SystemTime) -> String {
    // Two clocks are compared: what is in the future was said just now.
    let seconds = SystemTime::now()
        .duration_since(time)
        .unwrap_or(Duration::ZERO)
        .as_secs();
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        _ => format!("{} h ago", seconds / 3600),
    }
}

/// A text of several lines: each as a line that a terminal only shows.
pub(crate) fn lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(one_line).collect();
    lines.join(&format!("\n{INDENT}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::Kicked;

    fn said(text: &str) -> RoomEvent {
        RoomEvent::Said(Said { text: text.into() })
    }

    #[test]
    fn nobody_moves_the_cursor_of_another_or_turns_their_text_around() {
        assert_eq!(room_event(&said("\u{1b}[2Jboo"), "eve"), r"eve: \u{1b}[2Jboo");
        assert_eq!(room_event(&said("a\rann: b"), "eve"), r"eve: a\rann: b");
        let kicked = RoomEvent::Kicked(Kicked {
            user: "eve\n".into(),
            reason: "a\tb".into(),
        });
        assert_eq!(room_event(&kicked, "ann"), r"* eve\n was put out by ann: a\tb");
    }

    #[test]
    fn nobody_speaks_for_another_in_a_second_line() {
        assert_eq!(
            room_event(&said("hi\nann: I agree\n* ann goes"), "eve"),
            "eve: hi\n    ann: I agree\n    * ann goes"
        );
    }

    #[test]
    fn who_a_direct_message_is_from_and_to_is_told() {
        let message = DirectMessage {
            to: "bob".into(),
            text: "psst".into(),
        };
        assert_eq!(direct_message(&message, "ann", "bob"), "ann to you: psst");
        assert_eq!(direct_message(&message, "ann", "ann"), "you to bob: psst");
        assert_eq!(direct_message(&message, "bob", "bob"), "you to you: psst");
    }

    #[test]
    fn it_is_told_how_long_ago_something_was_said() {
        let before = |seconds| SystemTime::now() - Duration::from_secs(seconds);
        for (seconds, text) in [
            (0, "just now"),
            (59, "just now"),
            (61, "1 min ago"),
            (7300, "2 h ago"),
        ] {
            assert_eq!(ago(before(seconds)), text);
        }
        assert_eq!(ago(SystemTime::now() + Duration::from_secs(60)), "just now");
    }
}
