//! The program as its users meet it: the real binary, a server on a free port, every command a process of its own.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected comes")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use expect_test::expect;

use support::{Outcome, Server, line, program, run, url_in};

#[test]
fn the_tour_shows_every_kind_of_call_a_cancel_a_deadline_and_a_reconnect_in_this_order() {
    let Outcome(text) = run(&[]);
    let url = url_in(&text);
    Outcome(text.replace(&url, "<url>")).check(expect![[r#"
        A market on <url>, and a client in the same process.

        unary: quote
          ACME 100.00
          metadata: market is open
          metadata: seat is kept for ada

        server streaming: watch, and cancel
          ACME 100.00
          ACME 100.35
          ACME 100.15
          enough: the client drops the stream
          market: nobody watches ACME any more
          ACNE: NOT_FOUND: ACNE is not listed

        client streaming: record
          8 prices, from 250.50 to 251.30

        bidirectional: trade
          bought 10 ACME at 100.00, holding 10
          sold 4 ACME at 100.35, holding 6
          trailers: orders is 2
          bought 10 ACME at 100.00, holding 10
          FAILED_PRECONDITION: 11 ACME cannot be sold: 10 are held

        session: desk
          ACME 100.00
          ACME 100.35
          the client follows INITECH instead
          INITECH 42.00
          market: the desk is closed

        one way: shout
          market: somebody shouts: anybody selling?

        deadline: report
          3 prices, from 100.00 to 100.35
          100000 prices: DEADLINE_EXCEEDED, after a second
          market: the report was given up

        reconnect: a desk, and a cable that is pulled
          GLOBEX 250.50
          the cable is pulled
          market: the desk is closed
          the cable is back
          again: GLOBEX 250.50
          waited for: ACME 100.00
          market: the desk is closed
        exit 0
    "#]]);
}

#[test]
fn prices_are_asked_for_and_watched() {
    let mut server = Server::start();
    server.call(&["quote", "GLOBEX"], "").check(expect![[r#"
        GLOBEX 250.50
        exit 0
    "#]]);
    server
        .call(&["watch", "ACME", "--every", "5", "--count", "4"], "")
        .check(expect![[r#"
            ACME 100.00
            ACME 100.35
            ACME 100.15
            ACME 100.70
            exit 0
        "#]]);
    assert_eq!(server.says(), "nobody watches ACME any more");
    server.call(&["quote", "ACNE"], "").check(expect![[r#"
        error: ACNE is not listed; listed are ACME, GLOBEX, INITECH
        exit 66
    "#]]);
    server.call(&["watch", "acme"], "").check(expect![[r#"
        error: symbol: does not match regex pattern `^[A-Z]{1,8}$` [string.pattern]
        exit 65
    "#]]);
}

#[test]
fn prices_and_orders_are_sent_line_by_line() {
    let server = Server::start();
    server
        .call(&["record"], "ACME 100.35\nACME 99.05\nACME 101.00\n")
        .check(expect![[r#"
            3 prices, from 99.05 to 101.00
            exit 0
        "#]]);
    server.call(&["record"], "").check(expect![[r#"
        no prices
        exit 0
    "#]]);
    server
        .call(&["record"], "ACME 100.35\nACME is dear\n")
        .check(expect![[r#"
            error: "ACME is dear" is no line like "ACME 100.35"
            exit 65
        "#]]);
    server.call(&["record"], "ACME 0.00\n").check(expect![[r#"
        error: cents: must be greater than or equal to 1 [int64.gte]
        exit 65
    "#]]);
    server
        .call(&["trade"], "buy 10 ACME\nbuy 1 INITECH\nsell 4 ACME\n")
        .check(expect![[r#"
            bought 10 ACME at 100.00, holding 10
            bought 1 INITECH at 42.35, holding 1
            sold 4 ACME at 100.15, holding 6
            exit 0
        "#]]);
    server.call(&["trade"], "sell 1 ACME\n").check(expect![[r#"
        error: 1 ACME cannot be sold: 0 are held
        exit 65
    "#]]);
    server
        .call(&["trade"], "buy 2 ACME\nhold 2 ACME\n")
        .check(expect![[r#"
            bought 2 ACME at 100.00, holding 2
            error: "hold 2 ACME" is no line like "buy 10 ACME"
            exit 65
        "#]]);
}

#[test]
fn a_report_is_in_time_or_given_up_on_both_sides() {
    let mut server = Server::start();
    server
        .call(&["report", "ACME", "--ticks", "3"], "")
        .check(expect![[r#"
            3 prices, from 100.00 to 100.35
            exit 0
        "#]]);
    server
        .call(&["report", "ACME", "--ticks", "100000"], "")
        .check(expect![[r#"
            error: no answer in time; the call may have run
            exit 75
        "#]]);
    assert_eq!(server.says(), "the report was given up");
}

#[test]
fn a_shout_is_heard_and_not_answered() {
    let mut server = Server::start();
    server
        .call(&["shout", "anybody\u{1b}[2J selling?"], "")
        .check(expect![[r#"
            exit 0
        "#]]);
    assert_eq!(server.says(), r"somebody shouts: anybody\u{1b}[2J selling?");
}

/// A desk that is to see 30 prices, and has seen two.
struct Desk {
    process: Child,
    said: BufReader<ChildStdout>,
    beside: BufReader<ChildStderr>,
}

impl Desk {
    fn at(server: &Server) -> Self {
        let mut process = program()
            .args(["desk", "ACME", "--count", "30", "--server", &server.url])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let beside = BufReader::new(process.stderr.take().unwrap());
        assert_eq!([line(&mut said), line(&mut said)], ["ACME 100.00", "ACME 100.35"]);
        Self {
            process,
            said,
            beside,
        }
    }

    /// Its server is gone, which it says.
    fn is_left(&mut self) {
        assert_eq!(line(&mut self.beside), "the connection is lost; it is made again");
    }

    fn goes_on_at(mut self, mut server: Server) {
        assert_eq!(line(&mut self.beside), "connected again");
        assert_eq!(self.said.lines().count(), 28);
        assert!(self.process.wait().unwrap().success());
        assert_eq!(self.beside.lines().count(), 0, "and nothing else is said beside");
        assert_eq!(server.says(), "the desk is closed");
    }
}

#[test]
fn a_desk_goes_on_when_its_server_is_back() {
    let server = Server::start();
    let mut desk = Desk::at(&server);
    let address = server.address().to_owned();
    drop(server);
    desk.is_left();
    desk.goes_on_at(Server::start_on(&address));
}

#[cfg(unix)]
#[test]
fn a_desk_goes_on_at_the_next_server_when_one_is_stopped() {
    let mut server = Server::start();
    let mut desk = Desk::at(&server);
    let address = server.address().to_owned();
    // In order, and at once: the desk does not hold the stop up.
    let pid = server.process.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert!(server.process.wait().unwrap().success());
    drop(server);
    desk.is_left();
    desk.goes_on_at(Server::start_on(&address));
}

#[test]
fn a_command_ends_well_when_nobody_reads_it_any_more() {
    let mut server = Server::start();
    let mut watch = program()
        .args(["watch", "ACME", "--every", "1", "--server", &server.url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(
        line(&mut BufReader::new(watch.stdout.take().unwrap())),
        "ACME 100.00"
    );
    Outcome::of(watch.wait_with_output().unwrap()).check(expect![[r#"
        exit 0
    "#]]);
    assert_eq!(server.says(), "nobody watches ACME any more");
}

#[test]
fn a_server_that_is_not_there_or_not_to_be_had_is_told() {
    let server = Server::start();
    let address = server.address().to_owned();
    let url = server.url.clone();
    let taken = run(&["serve", "--listen", &address]);
    Outcome(taken.0.replace(&address, "<address>")).check(expect![[r#"
        error: cannot listen on <address>: the port is in use; --listen names another
        exit 71
    "#]]);
    drop(server);
    let Outcome(text) = run(&["quote", "ACME", "--server", &url]);
    assert!(text.ends_with("exit 69\n"), "{text}");
    assert!(text.contains("`ticker serve` starts a server"), "{text}");
    run(&["quote", "ACME", "--server", "http://localhost"]).check(expect![[r#"
        error: "http://localhost" is no server's URL: it begins with ws://, as in ws://127.0.0.1:3001/rpc
        exit 64
    "#]]);
    run(&["watch"]).check(expect![[r#"
        error: the following required arguments were not provided:
          <SYMBOL>

        Usage: ticker watch <SYMBOL>

        For more information, try '--help'.
        exit 64
    "#]]);
}

#[test]
fn help_lists_commands_examples_and_exit_codes() {
    run(&["--help"]).check(expect![[r#"
        Streams prices over WebSocket in binary protobuf, in every way that a call can stream.

        Without a command it shows them all, with a server and a client of its own.

        Usage: ticker [COMMAND]

        Commands:
          tour    Show every kind of call: a server on a free port and its client, in one process
          serve   Serve until Ctrl-C or SIGTERM
          quote   Print a price (unary)
          watch   Print prices as they change (the server streams)
          record  Send prices from the standard input, in lines like `ACME 100.35` (the client streams)
          trade   Send orders from the standard input, in lines like `buy 10 ACME` and `sell 4 ACME` (both stream)
          desk    Follow several symbols at once, and go on when the server is back (a session)
          report  Sum the past up; the contract lets it take a second (a deadline)
          shout   Shout something across the market, and do not wait (one way)
          help    Print this message or the help of the given subcommand(s)

        Options:
          -h, --help
                  Print help (see a summary with '-h')

          -V, --version
                  Print version

        Examples:
          ticker                                 a server and a client that shows every kind of call, in one run
          ticker serve                           serve on 127.0.0.1:3001
          ticker watch ACME                      the prices of ACME until Ctrl-C
          ticker watch GLOBEX --every 20 --count 5
          ticker report ACME --ticks 9999        more than the method's deadline allows
          printf 'buy 10 ACME\nsell 4 ACME\n' | ticker trade
          ticker watch ACME --count 5 | ticker record

        Exit codes:
           0  done
          64  the command line is wrong, or a URL on it
          65  what was sent is refused, or a line of the standard input says nothing
          66  the symbol is not listed
          69  the server cannot be reached, or went away
          70  something failed that should not
          71  the address cannot be listened on
          75  no answer in time; the call may have run

        Environment:
          RUST_LOG  what is logged to the standard error, such as `debug` or `rpc_runtime=trace`
        exit 0
    "#]]);
}
