//! The program as its users meet it: the real binary, a server on a free port, everybody in a room a process of their own.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected comes")]

mod errors;
mod support;
mod talking;
mod tokens;

use expect_test::expect;

use std::io::{Read, Write};
use std::net::TcpStream;

use support::{Outcome, Server, run};

#[test]
fn the_tour_shows_everything_in_this_order() {
    let Outcome(text) = run(&["tour"]);
    let url = text
        .split([' ', ','])
        .find(|word| word.starts_with("ws://"))
        .unwrap()
        .to_owned();
    Outcome(text.replace(&url, "<url>")).check(expect![[r#"
        A server on <url>, and clients in the same process. ann is an administrator.

        rooms: who comes sees who is there, and what was said before
              ann sees  You are in kitchen, as ann. /help lists what you can type.
              ann sees  Here: ann (making tea)
          ann> Hello?
              ann sees  Nobody else is here to hear it.
              bob sees  You are in kitchen, as bob. /help lists what you can type.
              bob sees  Here: ann (making tea), bob
              bob sees  Before you came:
              bob sees  just now, ann: Hello?
              ann sees  * bob comes in

        talking: in several lines, and others see that somebody is typing
          bob> I am here.\
              ann sees  * bob is typing
          bob> Is there any tea left?
              ann sees  bob: I am here.
              ann sees      Is there any tea left?
          ann> /who
              ann sees  Here: ann (making tea), bob
          bob> /quit
              ann sees  * bob goes

        direct messages: to one user alone, also to one who comes later
          ann> /msg bob The tea is under the sink.
              ann sees  bob is not here now, and will read it when they are.
              bob sees  You are in garden, as bob. /help lists what you can type.
              bob sees  Here: bob
              bob sees  Written to you alone:
              bob sees  just now, ann to you: The tea is under the sink.
          bob> /msg ann Found it.
              ann sees  bob to you: Found it.
          ann> /msg zoe Are you there?
              ann sees  ! nobody is called zoe

        rooms: which there are, and going to another
          bob> /rooms
              bob sees  garden: 1 user
              bob sees  kitchen: 1 user
              bob sees  library: 0 users
          bob> /join kitchen
              bob sees  You are in kitchen, as bob. /help lists what you can type.
              bob sees  Here: ann (making tea), bob
              bob sees  Before you came:
              bob sees  just now, ann: Hello?
              bob sees  just now, bob: I am here.
              bob sees      Is there any tea left?
              ann sees  * bob comes in

        kicking: for administrators
              eve sees  You are in kitchen, as eve. /help lists what you can type.
              eve sees  Here: ann (making tea), bob, eve
              eve sees  Before you came:
              eve sees  just now, ann: Hello?
              eve sees  just now, bob: I am here.
              eve sees      Is there any tea left?
              ann sees  * eve comes in
              bob sees  * eve comes in
          eve> /kick ann
              eve sees  ! this is for administrators
          eve> BUY CHEAP TEA\u{1b}[2J
              ann sees  eve: BUY CHEAP TEA\u{1b}[2J
              bob sees  eve: BUY CHEAP TEA\u{1b}[2J
          ann> /kick eve for advertising
              ann sees  * eve was put out by ann: for advertising
              ann sees  * eve goes
              bob sees  * eve was put out by ann: for advertising
              bob sees  * eve goes
              eve sees  ! you were put out of kitchen by ann: for advertising. /join goes to another room.
          eve> /join kitchen
              eve sees  ! you were put out of kitchen; it takes ten minutes until you may come back
          eve> /quit

        a lost connection: what was said meanwhile comes after all
          bob's cable is pulled
              bob sees  ! The connection is lost. What you say waits until it is back.
              ann sees  * bob goes
          ann> Now he misses something.
              ann sees  Nobody else is here to hear it.
          ann> Two things, even.
              ann sees  Nobody else is here to hear it.
          bob's cable is back
              bob sees  ! You are connected again.
              bob sees  just now, ann: Now he misses something.
              bob sees  just now, ann: Two things, even.
              ann sees  * bob comes in

        a connection that is lost for longer than the server keeps what was said: it is told
          bob's cable is pulled
              bob sees  ! The connection is lost. What you say waits until it is back.
              ann sees  * bob goes
          ann> Bottle 1 is green.
              ann sees  Nobody else is here to hear it.
          ann> Bottle 2 is green.
              ann sees  Nobody else is here to hear it.
          ann> Bottle 3 is green.
              ann sees  Nobody else is here to hear it.
          ann> Bottle 4 is green.
              ann sees  Nobody else is here to hear it.
          ann> Bottle 5 is green.
              ann sees  Nobody else is here to hear it.
          ann> Bottle 6 is green.
              ann sees  Nobody else is here to hear it.
          ann> Bottle 7 is green.
              ann sees  Nobody else is here to hear it.
          ann> Bottle 8 is green.
              ann sees  Nobody else is here to hear it.
          bob's cable is back
              bob sees  ! You are connected again.
              bob sees  ! 9 things happened here meanwhile that the server does not keep any more.
              ann sees  * bob comes in
          ann> Welcome back.
              bob sees  ann: Welcome back.
          bob> /quit
              ann sees  * bob goes

        a server that is replaced: clients come back by themselves
              ann sees  ! The server stops. When it is back, so are you; there is nothing to do.
              ann sees  ! The connection is lost. What you say waits until it is back.
              ann sees  ! You are connected again.
              ann sees  ! The server has been started anew, and knows nothing of what happened here before.
              ann sees  ! Messages to you alone may have been lost meanwhile.
          ann> /who
              ann sees  Here: ann (making tea)
              ann sees  ! The server stops. When it is back, so are you; there is nothing to do.
              ann sees  ! The connection is lost. What you say waits until it is back.
          ann> /quit
        exit 0
    "#]]);
}

#[test]
fn help_lists_commands_examples_and_exit_codes() {
    run(&["--help"]).check(expect![[r#"
        Rooms to talk in, over WebSocket in binary protobuf.

        Without a command it serves. `join` is the client.

        Usage: chat [OPTIONS]
               chat <COMMAND>

        Commands:
          serve    Serve until Ctrl-C or SIGTERM
          join     Enter a room, and talk
          promote  Make a user an administrator, in the database itself; a server that runs hears of it at once
          demote   Make an administrator a user like others
          tour     Show everything: a server on a free port and several clients, in one process
          help     Print this message or the help of the given subcommand(s)

        Options:
              --listen <ADDRESS>
                  The address to listen on; port 0 takes a free one

                  [env: CHAT_LISTEN=]
                  [default: 127.0.0.1:3002]

              --database <PATH>
                  The file of the users; it is made when it is missing

                  [env: CHAT_DATABASE=]
                  [default: chat.db]

              --memory
                  Keep the users in memory instead; they are gone when the server ends

              --room <NAME>
                  A room; may be given several times

                  [default: garden kitchen library]

              --history <EVENTS>
                  How much of what happens in a room is kept, for an hour: for those who come in, and those who come back

                  [default: 200]

          -h, --help
                  Print help (see a summary with '-h')

          -V, --version
                  Print version

        Examples:
          chat                                      serve on 127.0.0.1:3002, with the users in ./chat.db
          chat join --user ann --room kitchen --register
          chat join --user bob --room kitchen --doing "making tea"
          chat promote ann                          on the server's machine: ann may kick
          chat serve --memory --room lobby --room bar
          chat tour                                 everything in one run, with a server and clients of its own

        In a room, what you type is said when you press Enter, and these are commands:
          /msg NAME TEXT     write to one user alone
          /who               who is here
          /rooms             which rooms there are
          /join ROOM         go to another room
          /history [NUMBER]  what was said before
          /kick NAME [WHY]   put somebody out (administrators)
          /help              these commands
          /quit              leave; so does Ctrl-D
          //TEXT             say something that begins with a slash
        A line that ends in \ goes on in the next one; meanwhile others see that you are typing.

        Exit codes:
           0  done
          64  the command line is wrong, or a URL on it
          65  what was sent is refused: a name or a password that may not be one
          66  there is no such room, or no such user
          69  the server cannot be reached, or went away for good
          70  something failed that should not; the server's log says more
          71  the address cannot be listened on
          73  another user has this name
          74  the database cannot be opened or written
          75  no answer in time, or too many calls: try again later
          77  the name or the password is wrong, or the user may not do this

        Environment:
          RUST_LOG  what is logged to the standard error, such as `debug` or `rpc_runtime=trace`
        exit 0
    "#]]);
}

#[test]
fn the_page_is_where_the_server_says_under_a_strict_policy() {
    let server = Server::start(&[]);
    assert_eq!(server.page, format!("http://{}/", server.address()));
    for (path, begins) in [("/", "<!doctype html>"), ("/assets/index.js", "")] {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            server.address()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(
            head.contains("content-security-policy: default-src 'none'; script-src 'self';"),
            "{head}"
        );
        assert!(
            body.to_lowercase().starts_with(begins) && !body.is_empty(),
            "{body:.80}"
        );
    }
}
