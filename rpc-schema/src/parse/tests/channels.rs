//! What contracts say about channels: those of events, and the one that a controller tells of changes.

use super::{check, fingerprints::print, told};
use expect_test::expect;

#[test]
fn an_event_says_which_channels_it_is_for() {
    check(
        r#"#[contract(package = "chat", event, channels = "room:{id}")] struct Said { text: String }"#,
        expect![[r#"
            chat.Said path=None removed=[]
            message event=true reserved=Reserved { numbers: [], names: [] } unset=false
            channels room:{id}
            text = 1 Singular string deprecated=false id=false unique=false index=false default=None []
        "#]],
    );
    check(
        r#"#[contract(package = "chat", event, channels = "moves")] enum Move { #[default] Unset, Left(u32) }"#,
        expect![[r#"
            chat.Move path=None removed=[]
            oneof event=true reserved=Reserved { numbers: [], names: [] } unset=true
            channels moves
            left = 1 Singular uint32 deprecated=false id=false unique=false index=false default=None []
        "#]],
    );
}

#[test]
fn a_controller_says_which_channel_is_told_of_changes() {
    check(
        r#"#[contract(package = "task", controller = "Task", changes = "tasks", operations(add, get_all))]
        struct Task { #[field(id)] id: u64 }"#,
        expect![[r#"
            task.Task path=None removed=[]
            message event=false reserved=Reserved { numbers: [], names: [] } unset=false
            crud Task [Add, GetAll] auth=false
            changes tasks
            id = 1 Singular uint64 deprecated=false id=true unique=false index=false default=None []
        "#]],
    );
}

#[test]
fn what_says_nothing_about_events_has_the_facts_that_it_always_had() {
    let facts =
        told(r#"#[contract(package = "task", controller = "Task")] struct Task { #[field(id)] id: u64 }"#);
    assert!(
        !facts.contains("channels") && !facts.contains("changes"),
        "{facts}"
    );
}

#[test]
fn the_channels_of_events_and_changes_are_facts_that_builds_agree_on() {
    let event = |pattern: &str| {
        print(&format!(
            "#[contract(package = \"chat\", event, channels = {pattern:?})] struct Said {{ text: String }}"
        ))
    };
    assert_eq!(event("room:{id}"), event("room:{id}"));
    assert_ne!(event("room:{id}"), event("room:{room}"));
    let crud = |changes: &str| {
        print(&format!(
            "#[contract(package = \"task\", controller = \"Task\"{changes})] struct Task {{ #[field(id)] id: u64 }}"
        ))
    };
    assert_ne!(crud(""), crud(", changes = \"tasks\""));
    assert_ne!(crud(", changes = \"tasks\""), crud(", changes = \"work\""));
}

#[test]
fn mistakes_about_channels_are_told_with_what_to_write() {
    check(
        r#"#[contract(package = "chat", channels = "room")] struct Said { text: String }"#,
        expect![[r#"
            error: `channels` says which channels an event is for; add `event`, or leave it out
        "#]],
    );
    check(
        r#"#[contract(package = "chat", event, channels = "room::{id}")] struct Said { text: String }"#,
        expect![[r#"
            error: a segment of a channel's name is empty; write something between the colons, like `room:{id}`
        "#]],
    );
    check(
        r#"#[contract(package = "chat", event = false, channels = "rpc:x", changes = "x")] struct Said { text: String }"#,
        expect![[r#"
            error: `channels` says which channels an event is for; add `event`, or leave it out
            error: channels that begin with `rpc` are the framework's own; begin with another word
            error: `changes` is about what a controller's calls do; add `controller = "…"`, or leave it out
        "#]],
    );
    check(
        r#"#[contract(package = "task", controller = "Task", changes = "tasks:{id}")] struct Task { #[field(id)] id: u64 }"#,
        expect![[r#"
            error: all changes go to one channel, and nothing says what `{id}` is; name the channel, like `changes = "tasks"`, or publish from the service
        "#]],
    );
    check(
        r#"#[contract(package = "task", controller = "Task", operations(get_all), changes = "tasks")]
        struct Task { #[field(id)] id: u64 }"#,
        expect![[r#"
            error: none of the `operations` changes anything; add `add`, `update` or `delete`, or leave `changes` out
        "#]],
    );
    check(
        r#"#[contract(package = "chat", event, channels = "x", changes = "y")] enum Move { Left, Right }"#,
        expect![[r#"
            error: `changes` is about a controller, and needs a struct
            error: `event` is for messages, which an enum without data is not
            error: `channels` is for messages, which an enum without data is not
        "#]],
    );
    // A key that cannot be read may have been the one that is missed.
    check(
        r#"#[contract(package = "chat", evnt, channels = "x")] struct Said { text: String }"#,
        expect![[r#"
            error: `#[contract]` has no key `evnt`; did you mean `event`?
        "#]],
    );
}
