//! People who talk: rooms, messages to one, a kick, connections that break and servers that are replaced.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use expect_test::expect;

use crate::support::{Cable, Outcome, Person, Server, join};

/// What somebody sees who comes into a room in which others have said nothing yet.
fn comes_in(person: &Person, room: &str, user: &str, here: &str) {
    person.sees_lines(&[
        &format!("You are in {room}, as {user}. /help lists what you can type."),
        &format!("Here: {here}"),
    ]);
}

#[test]
fn two_people_talk_and_see_who_comes_goes_and_types() {
    let server = Server::start(&[]);
    let mut ann = server.comes("ann", "kitchen");
    comes_in(&ann, "kitchen", "ann", "ann");
    ann.types("anybody?");
    ann.sees_lines(&["Nobody else is here to hear it."]);
    let mut bob = Person::of(server.join(
        "bob",
        &["--room", "kitchen", "--register", "--doing", "making tea"],
    ));
    comes_in(&bob, "kitchen", "bob", "ann, bob (making tea)");
    bob.sees_lines(&["Before you came:", "just now, ann: anybody?"]);
    ann.sees_lines(&["* bob comes in"]);
    bob.types("a long story, \\");
    ann.sees_lines(&["* bob is typing"]);
    bob.types("/which is no command here");
    ann.sees_lines(&["bob: a long story,", "    /which is no command here"]);
    ann.types("//is a slash");
    bob.sees_lines(&["ann: /is a slash"]);
    bob.types("\u{1b}[2J\u{202e}");
    ann.sees_lines(&[r"bob: \u{1b}[2J\u{202e}"]);
    bob.types("/who");
    bob.sees_lines(&["Here: ann, bob (making tea)"]);
    bob.types("/rooms");
    bob.sees_lines(&["garden: 0 users", "kitchen: 2 users", "library: 0 users"]);
    bob.types("/join garden");
    comes_in(&bob, "garden", "bob", "bob (making tea)");
    ann.sees_lines(&["* bob goes"]);
    bob.types("/history");
    bob.sees_lines(&["Nothing was said here lately."]);
    ann.types("/history 2");
    ann.sees_lines(&["just now, ann: /is a slash", r"just now, bob: \u{1b}[2J\u{202e}"]);
    bob.leaves();
    ann.types("/quit");
    ann.ends_with("exit 0\n");
}

#[test]
fn messages_to_one_are_theirs_alone_and_wait_for_them() {
    let server = Server::start(&[]);
    let mut ann = server.comes("ann", "kitchen");
    comes_in(&ann, "kitchen", "ann", "ann");
    let mut bob = server.comes("bob", "garden");
    comes_in(&bob, "garden", "bob", "bob");
    let eve = server.comes("eve", "kitchen");
    comes_in(&eve, "kitchen", "eve", "ann, eve");
    ann.sees_lines(&["* eve comes in"]);
    ann.types("/msg bob psst");
    bob.sees_lines(&["ann to you: psst"]);
    bob.types("/msg ann what?");
    ann.sees_lines(&["bob to you: what?"]);
    bob.leaves();
    ann.types("/msg bob never mind");
    ann.sees_lines(&["bob is not here now, and will read it when they are."]);
    let bob = Person::of(server.join("bob", &["--room", "garden"]));
    comes_in(&bob, "garden", "bob", "bob");
    bob.sees_lines(&[
        "Written to you alone:",
        "just now, ann to you: psst",
        "just now, ann to you: never mind",
    ]);
    // Who has two clients sees on one what was written on the other.
    let second = Person::of(server.join("ann", &["--room", "library"]));
    comes_in(&second, "library", "ann", "ann");
    second.sees_lines(&["Written to you alone:", "just now, bob to you: what?"]);
    ann.types("/msg bob bye");
    bob.sees_lines(&["ann to you: bye"]);
    second.sees_lines(&["you to bob: bye"]);
    // She has seen nothing of all this.
    eve.leaves();
}

#[test]
fn who_is_put_out_hears_no_more_and_may_not_come_back() {
    let server = Server::start(&[]);
    let mut ann = server.comes("ann", "kitchen");
    comes_in(&ann, "kitchen", "ann", "ann");
    let mut eve = server.comes("eve", "kitchen");
    comes_in(&eve, "kitchen", "eve", "ann, eve");
    ann.sees_lines(&["* eve comes in"]);
    ann.types("/kick eve");
    ann.sees_lines(&["! this is for administrators"]);
    server.promote("ann");
    ann.types("/kick eve for shouting");
    ann.sees_lines(&["* eve was put out by ann: for shouting", "* eve goes"]);
    eve.sees_lines(&["! you were put out of kitchen by ann: for shouting. /join goes to another room."]);
    eve.types("boo");
    eve.sees_lines(&["! You are in no room; /join kitchen goes to one."]);
    eve.types("/join kitchen");
    eve.sees_lines(&["! you were put out of kitchen; it takes ten minutes until you may come back"]);
    eve.types("/join garden");
    comes_in(&eve, "garden", "eve", "eve");
    let again = server.join("eve", &["--room", "kitchen"]).output().unwrap();
    Outcome::of(again).check(expect![[r#"
        error: you were put out of kitchen; it takes ten minutes until you may come back
        exit 77
    "#]]);
    ann.types("/kick eve");
    ann.sees_lines(&[
        "* eve was put out by ann",
        "eve is not here, and may not come in for ten minutes.",
    ]);
    ann.leaves();
}

#[test]
fn what_was_said_while_a_connection_was_cut_comes_after_all_and_once() {
    let server = Server::start(&[]);
    let mut ann = server.comes("ann", "kitchen");
    comes_in(&ann, "kitchen", "ann", "ann");
    let cable = Cable::to(&server);
    let mut bob = Person::of(join(&cable.url, server.home.path(), "bob", &["--register"]));
    comes_in(&bob, "kitchen", "bob", "ann, bob");
    ann.sees_lines(&["* bob comes in"]);
    for round in 0..3 {
        cable.cut();
        bob.sees_lines(&["! The connection is lost. What you say waits until it is back."]);
        ann.sees_lines(&["* bob goes"]);
        ann.types(&format!("one {round}"));
        ann.sees_lines(&["Nobody else is here to hear it."]);
        ann.types(&format!("/msg bob two {round}"));
        ann.sees_lines(&["bob is not here now, and will read it when they are."]);
        bob.types(&format!("three {round}"));
        cable.mend();
        bob.sees_lines(&["! You are connected again."]);
        let mut missed = [bob.sees(), bob.sees()];
        missed.sort();
        assert_eq!(
            missed,
            [
                format!("ann to you: two {round}"),
                format!("just now, ann: one {round}")
            ]
        );
        // He may be heard before he has come in.
        let mut heard = [ann.sees(), ann.sees()];
        heard.sort();
        assert_eq!(
            heard,
            ["* bob comes in".to_owned(), format!("bob: three {round}")]
        );
    }
    bob.leaves();
    ann.sees_lines(&["* bob goes"]);
    ann.leaves();
}

#[test]
fn what_the_history_does_not_have_any_more_is_told() {
    let server = Server::start(&["--history", "3"]);
    let mut ann = server.comes("ann", "kitchen");
    comes_in(&ann, "kitchen", "ann", "ann");
    let cable = Cable::to(&server);
    let bob = Person::of(join(&cable.url, server.home.path(), "bob", &["--register"]));
    comes_in(&bob, "kitchen", "bob", "ann, bob");
    ann.sees_lines(&["* bob comes in"]);
    cable.cut();
    bob.sees_lines(&["! The connection is lost. What you say waits until it is back."]);
    ann.sees_lines(&["* bob goes"]);
    for count in 1..=5 {
        ann.types(&count.to_string());
        ann.sees_lines(&["Nobody else is here to hear it."]);
    }
    cable.mend();
    bob.sees_lines(&["! You are connected again."]);
    let told = bob.sees();
    assert!(
        told.ends_with(" things happened here meanwhile that the server does not keep any more."),
        "{told}"
    );
    ann.sees_lines(&["* bob comes in"]);
    ann.types("six");
    bob.sees_lines(&["ann: six"]);
}

#[test]
fn a_server_that_is_replaced_is_waited_for() {
    let server = Server::start(&[]);
    let mut ann = server.comes("ann", "kitchen");
    comes_in(&ann, "kitchen", "ann", "ann");
    let server = server.restart(&[]);
    ann.sees_lines(&[
        "! The server stops. When it is back, so are you; there is nothing to do.",
        "! The connection is lost. What you say waits until it is back.",
        "! You are connected again.",
        "! The server has been started anew, and knows nothing of what happened here before.",
        "! Messages to you alone may have been lost meanwhile.",
    ]);
    ann.types("still here");
    ann.sees_lines(&["Nobody else is here to hear it."]);
    let bob = server.comes("bob", "kitchen");
    comes_in(&bob, "kitchen", "bob", "ann, bob");
    bob.sees_lines(&["Before you came:", "just now, ann: still here"]);
}

#[test]
fn a_server_that_does_not_know_the_user_any_more_is_not_waited_for() {
    let server = Server::start(&["--memory"]);
    let ann = server.comes("ann", "kitchen");
    comes_in(&ann, "kitchen", "ann", "ann");
    let _server = server.restart(&["--memory"]);
    ann.sees_lines(&[
        "! The server stops. When it is back, so are you; there is nothing to do.",
        "! The connection is lost. What you say waits until it is back.",
    ]);
    ann.ends_with("error: the name or the password is wrong; --register makes a new user\nexit 77\n");
}

#[test]
fn a_script_says_something_and_is_gone() {
    let server = Server::start(&[]);
    let ann = server.comes("ann", "kitchen");
    comes_in(&ann, "kitchen", "ann", "ann");
    // The password is the first line where no file has it.
    let mut bob = crate::support::program();
    bob.args(["join", "--user", "bob", "--register", "--server", &server.url]);
    Outcome::with_input(bob, "open sesame\nthe build is green\n").check(expect![[r#"
        You are in kitchen, as bob. /help lists what you can type.
        Here: ann, bob
        exit 0
    "#]]);
    ann.sees_lines(&["* bob comes in", "bob: the build is green", "* bob goes"]);
}

#[test]
fn a_client_ends_well_when_nobody_reads_it_any_more() {
    let server = Server::start(&[]);
    let mut command: Command = server.join("ann", &["--register"]);
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    // The next thing on the screen finds nobody: bob comes in.
    let _bob = server.comes("bob", "kitchen");
    assert!(process.wait().unwrap().success());
}
