//! What a command line is told about itself.

use expect_test::expect;

use super::support::{Outcome, check, program};

#[test]
fn a_mistaken_command_line_says_how_it_is_meant() {
    let run = |args: &[&str]| Outcome::of(program().args(args));
    check(
        &run(&["add"]),
        &[],
        expect![[r#"
        error: the following required arguments were not provided:
          <LABEL>

        Usage: tasks add <LABEL>

        For more information, try '--help'.
        exit 64
    "#]],
    );
    check(
        &run(&["lsit"]),
        &[],
        expect![[r#"
        error: unrecognized subcommand 'lsit'

          tip: a similar subcommand exists: 'list'

        Usage: tasks [OPTIONS]
               tasks <COMMAND>

        For more information, try '--help'.
        exit 64
    "#]],
    );
}

#[test]
fn the_help_has_every_command_example_and_exit_code() {
    check(
        &Outcome::of(program().arg("--help")),
        &[],
        expect![[r#"
            Keeps tasks, and serves them over WebSocket in binary protobuf.

            Without a command it serves. The other commands are a client: they call a server that is running.

            Usage: tasks [OPTIONS]
                   tasks <COMMAND>

            Commands:
              serve     Serve tasks until Ctrl-C or SIGTERM
              add       Add a task
              list      List the tasks, in the order in which they were added
              watch     Show the list, and from then on every change of it
              check     Say that a task is done
              uncheck   Say that a task is not done after all
              remove    Delete a task
              register  Become a user, with tasks of their own, and log in
              login     Log in; commands are that user's from then on
              logout    Forget the login; commands are anonymous from then on
              whoami    Say who is logged in
              users     List the users, and how many tasks they have; for administrators
              user      Say what a user may do, in the database itself; a server that runs hears of it at once
              help      Print this message or the help of the given subcommand(s)

            Options:
                  --listen <ADDRESS>
                      The address to listen on; port 0 takes a free one

                      [env: TASKS_LISTEN=]
                      [default: 127.0.0.1:3000]

                  --database <PATH|URL>
                      The database: a file of SQLite, or a URL (sqlite:…, postgres://… with the feature `postgres`)

                      It is created when it is missing, and columns that the contract has and its table lacks are added.

                      [env: TASKS_DATABASE]
                      [default: tasks.db]

                  --memory
                      Keep the tasks in memory instead; they are gone when the server ends

                  --require-login
                      Refuse anonymous clients: there is no list then that they share

                  --jwt-secret-file <PATH>
                      The secret that logins are signed with, 32 bytes or more; made and kept beside the database's file without

                      [env: TASKS_JWT_SECRET_FILE=]

                  --token-lifetime <MINUTES>
                      How long a login lasts

                      [default: 720]

                  --tls-cert <PATH>
                      The server's certificate in PEM, followed by those that lead to its authority: serves wss:// and https://

                      It is read again when it changes.

                  --tls-key <PATH>
                      The certificate's private key in PEM

                  --trust-proxy <ADDRESS|NETWORK>
                      Believe this proxy, or all of this network, when it says whom it forwards; may be given several times

                  --allow-origin <ORIGIN>
                      Pages of this origin may connect from browsers, such as `https://app.example.com`; may be given several times

              -h, --help
                      Print help (see a summary with '-h')

              -V, --version
                      Print version

            Examples:
              tasks                              serve on 127.0.0.1:3000, with the tasks in ./tasks.db
              tasks --memory                     the same, with tasks that are gone at the end
              tasks serve --listen 0.0.0.0:4000 --database /var/lib/tasks.db
              tasks serve --tls-cert cert.pem --tls-key key.pem --require-login
              tasks add "Buy milk"
              tasks list
              tasks watch                        the list, and every change of it as it is made
              tasks check 3f2a                   an id may be cut to where no other begins alike
              tasks remove 3f2a
              tasks register ada                 asks for a password; from now on the tasks are ada's own
              tasks login ada < password.txt
              tasks list --json --server wss://tasks.example.com:4000/rpc
              tasks user promote ada             on the server's machine: ada may call what is for administrators

            Exit codes:
               0  done
              64  the command line is wrong, or a URL on it
              65  the label is not one: empty, or longer than 200 characters; or so is a user's name or password
              66  no task has this id, or several do; or no user has this name
              69  the server cannot be reached, or went away
              70  something failed that should not; the server's log says more
              71  the address cannot be listened on
              73  another task has this label, or another user this name
              74  the database, or a file of logins, cannot be opened or written
              75  no answer in time, and the call may have run; or too many calls: try again later
              77  the login is missing, wrong or over, or its user may not do this
              78  a certificate, its key or the secret of the tokens cannot be used

            Environment:
              RUST_LOG  what is logged to the standard error, such as `debug` or `rpc_runtime=trace`
            exit 0
        "#]],
    );
    check(
        &Outcome::of(program().args(["list", "-h"])),
        &[],
        expect![[r#"
            List the tasks, in the order in which they were added

            Usage: tasks list [OPTIONS]

            Options:
                  --all                Also those that were put away (`removed`) without being deleted
                  --server <URL>       The server [env: TASKS_SERVER=] [default: ws://127.0.0.1:3000/rpc]
                  --ca <PATH>          Whom to trust to vouch for a server of wss://: a file of certificates in PEM; the system's without [env: TASKS_CA=]
                  --token-file <PATH>  The file of the login; one for each server in the user's configuration without [env: TASKS_TOKEN_FILE=]
                  --timeout <SECONDS>  How long to wait for the connection, and for each answer [default: 10]
                  --json               Print JSON instead of a table
              -h, --help               Print help
            exit 0
        "#]],
    );
}
