//! `rpc new`: what is made, and what is refused; and, in a test that is run by `cargo xtask starter` because it builds a crate, that
//! what is made does what it says.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::refused::failed;
use crate::server::{Outcome, command};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Runs to its end, without a standard input.
fn run(command: &mut Command) -> Outcome {
    command.stdin(Stdio::null()).output().unwrap().into()
}

/// `rpc new` in this folder.
fn new(folder: &Path, args: &[&str]) -> Outcome {
    run(command().current_dir(folder).arg("new").args(args))
}

fn manifest(folder: &Path) -> String {
    fs::read_to_string(folder.join("Cargo.toml")).unwrap()
}

/// The names of what lies in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_crate_is_made_with_the_name_of_its_folder_and_the_next_commands_are_told() {
    let empty = tempfile::tempdir().unwrap();
    let said = new(empty.path(), &["crates/my-app", "--path", ROOT]).ok();
    for line in [
        "  cd crates/my-app\n",
        "  cargo run  ",
        "  rpc call Sign '{",
        "  cargo test  ",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let made = empty.path().join("crates/my-app");
    let expected = [
        ".git",
        ".gitignore",
        "Cargo.toml",
        "README.md",
        "build.rs",
        "examples",
        "src",
        "tests",
    ];
    assert_eq!(names(&made), expected);
    assert!(
        manifest(&made).contains("name = \"my-app\"\n"),
        "{}",
        manifest(&made)
    );
    let contracts = fs::read_to_string(made.join("src/contracts.rs")).unwrap();
    assert!(
        contracts.contains("#[contract(package = \"my_app\")]"),
        "{contracts}"
    );
}

#[test]
fn an_empty_folder_that_is_there_is_taken_and_may_be_called_otherwise() {
    let empty = tempfile::tempdir().unwrap();
    let folder = empty.path().join("My App");
    fs::create_dir(&folder).unwrap();
    failed(
        &new(&folder, &["."]),
        64,
        &["cannot be called `My App`", "`my-app` would do", "--name"],
    );
    assert_eq!(names(&folder), [""; 0], "nothing is written under a wrong name");
    let said = new(&folder, &[".", "--name", "shop", "--path", ROOT]).ok();
    assert!(!said.contains("cd "), "{said}");
    assert!(manifest(&folder).contains("name = \"shop\"\n"));
}

#[test]
fn nothing_is_written_where_there_is_something_or_where_nothing_can_be() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("shop")).unwrap();
    fs::write(folder.path().join("shop/notes.txt"), "mine").unwrap();
    failed(
        &new(folder.path(), &["shop"]),
        73,
        &["something in `shop` already", "hint: "],
    );
    assert_eq!(names(&folder.path().join("shop")), ["notes.txt"]);
    failed(
        &new(folder.path(), &["shop/notes.txt", "--name", "shop"]),
        73,
        &["shop/notes.txt cannot be made"],
    );
    failed(
        &new(folder.path(), &["shop/notes.txt/app"]),
        73,
        &["cannot be made"],
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("shop/notes.txt")).unwrap(),
        "mine"
    );
}

#[test]
fn the_framework_is_that_of_a_clone_or_the_published_one() {
    let folder = tempfile::tempdir().unwrap();
    let here = fs::canonicalize(folder.path()).unwrap();
    let clone = fs::canonicalize(ROOT).unwrap();
    let from = |name: &str| {
        let text = manifest(&here.join(name));
        let line = text.lines().find(|line| line.starts_with("rpc-build")).unwrap();
        line.to_owned()
    };
    // The one that this command was built from, without another word.
    let said = new(&here, &["one"]).ok();
    assert!(said.contains(clone.to_str().unwrap()), "{said}");
    new(&here, &["two", "--path", ROOT]).ok();
    assert_eq!(from("one"), from("two"));
    let path = from("one")
        .replace("rpc-build = { path = \"", "")
        .replace("\" }", "");
    assert!(path.starts_with("../"), "{path}");
    assert_eq!(
        fs::canonicalize(here.join("one").join(path)).unwrap(),
        clone.join("rpc-build")
    );

    new(&here, &["three", "--published"]).ok();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        from("three"),
        format!("rpc-build = {{ version = \"{version}\" }}")
    );

    failed(
        &new(&here, &["four", "--path", "."]),
        66,
        &["no clone of the repository", "rpc-runtime/Cargo.toml"],
    );
    failed(
        &new(&here, &["four", "--path", "nowhere"]),
        66,
        &["nowhere cannot be read"],
    );
    failed(
        &new(&here, &["four", "--path", ROOT, "--published"]),
        64,
        &["cannot be used with"],
    );
    assert!(!here.join("four").exists());
}

#[test]
fn in_the_folder_of_a_workspace_it_is_a_member_where_that_says_so_and_by_itself_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::write(root.join("Cargo.toml"), "[workspace]\nmembers = [\"crates/*\"]\n").unwrap();
    // What cargo says of the whole: of a crate that it has forgotten, and of a workspace within another, an error.
    let members = |of: &Path| {
        let read = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
        run(Command::new(env!("CARGO")).current_dir(of).args(read)).ok()
    };
    new(root, &["crates/shop", "--path", ROOT]).ok();
    new(root, &["bakery", "--path", ROOT]).ok();
    for of in [root, &root.join("crates/shop")] {
        let told = members(of);
        assert!(
            told.contains("\"name\":\"shop\"") && !told.contains("\"name\":\"bakery\""),
            "{told}"
        );
    }
    let told = members(&root.join("bakery"));
    assert!(
        told.contains("\"name\":\"bakery\"") && !told.contains("\"name\":\"shop\""),
        "{told}"
    );

    let apart = tempfile::tempdir().unwrap();
    new(apart.path(), &["shop", "--path", ROOT]).ok();
    assert!(!manifest(&apart.path().join("shop")).contains("[workspace]"));
}

#[test]
fn a_new_crate_is_a_git_repository_unless_it_lies_in_one_or_nobody_wants_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let has_one = |made: &str| root.join(made).join(".git").exists();
    new(root, &["shop", "--path", ROOT]).ok();
    assert!(has_one("shop"));
    // What a build makes is not among what would be committed.
    fs::create_dir(root.join("shop/target")).unwrap();
    fs::write(root.join("shop/target/made"), "").unwrap();
    let git = |args: &[&str]| run(Command::new("git").current_dir(root.join("shop")).args(args));
    let found = git(&["status", "--porcelain"]).ok();
    assert!(
        found.contains("?? Cargo.toml\n") && !found.contains("target"),
        "{found}"
    );

    for (made, args, is_one) in [
        ("alone", &["--vcs", "none"][..], false),
        ("shop/member", &[], false),
        ("shop/apart", &["--vcs", "git"], true),
        // That repository does not want it.
        ("shop/target/app", &[], true),
    ] {
        new(root, &[&[made, "--path", ROOT], args].concat()).ok();
        assert_eq!(has_one(made), is_one, "{made}");
    }
    failed(&new(root, &["other", "--vcs", "hg"]), 64, &["--vcs", "git, none"]);
    assert!(!root.join("other").exists());
}

#[test]
fn without_git_a_crate_is_made_all_the_same_but_for_who_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let new = |args: &[&str]| {
        // Cargo is named by a variable, and git has none.
        let mut command = command();
        command.env("PATH", folder.path()).env("CARGO", env!("CARGO"));
        run(command
            .current_dir(folder.path())
            .args(["new", "--path", ROOT])
            .args(args))
    };
    new(&["shop"]).ok();
    assert!(!folder.path().join("shop/.git").exists());
    assert!(folder.path().join("shop/Cargo.toml").exists());
    failed(
        &new(&["bakery", "--vcs", "git"]),
        73,
        &["the crate was made", "git cannot be run", "--vcs none"],
    );
    assert!(folder.path().join("bakery/Cargo.toml").exists());
}

/// A server that is running. Dropping it kills it.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The new crate, and where cargo puts what it builds of it: a folder that stays, so that the framework is built once.
struct Made {
    folder: PathBuf,
    target: PathBuf,
}

impl Made {
    /// As in CI, where a schema that is not up to date is an error; the first build alone, which writes it, is somebody's own.
    fn cargo(&self, args: &[&str]) -> Outcome {
        let ci = self.folder.join("protos").exists().then_some(("CI", "true"));
        println!("cargo {}", args.join(" "));
        let cargo = &mut Command::new(env!("CARGO"));
        run(cargo
            .current_dir(&self.folder)
            .args(args)
            .env("CARGO_TARGET_DIR", &self.target)
            .env_remove("CI")
            .envs(ci))
    }

    fn program(&self, name: &str) -> Command {
        Command::new(self.target.join("debug").join(name))
    }

    fn schema(&self) -> String {
        fs::read_to_string(self.folder.join("protos/my_app/my_app.proto")).unwrap()
    }
}

#[test]
#[ignore = "it builds a crate and all that it needs; `cargo xtask starter` runs it"]
fn a_new_crate_builds_is_tidy_passes_its_test_answers_and_keeps_its_promise() {
    let empty = tempfile::tempdir().unwrap();
    new(empty.path(), &["my-app", "--path", ROOT]).ok();
    let made = Made {
        folder: empty.path().join("my-app"),
        target: Path::new(ROOT).join("target/starter"),
    };
    // The versions that the workspace is tested with, so that nothing is downloaded, and what is new elsewhere breaks nothing here.
    fs::copy(Path::new(ROOT).join("Cargo.lock"), made.folder.join("Cargo.lock")).unwrap();

    // As a newcomer would: the first build writes the schema.
    made.cargo(&["build", "--all-targets"]).ok();
    assert!(
        made.schema().contains("service GuestBookService {"),
        "{}",
        made.schema()
    );
    let schema = made.schema();
    let said = made.cargo(&["test"]).ok();
    assert!(said.contains("2 passed"), "{said}");
    made.cargo(&["fmt", "--check"]).ok();
    made.cargo(&["clippy", "--all-targets", "--", "-D", "warnings"])
        .ok();
    assert_eq!(made.schema(), schema, "and no later one another");
    assert_eq!(
        names(&made.folder),
        [
            ".git",
            ".gitignore",
            "Cargo.lock",
            "Cargo.toml",
            "README.md",
            "build.rs",
            "examples",
            "protos",
            "src",
            "tests"
        ]
    );

    answers(&made);
    breaks(&made);
}

/// The server says where it is and how it is called. The command that it names is run as it stands.
fn answers(made: &Made) {
    let serve = |address: &str| {
        let mut server = made.program("my-app");
        let server = server.arg(address).stdout(Stdio::piped()).spawn();
        Serving(server.unwrap())
    };
    let mut server = serve("127.0.0.1:0");
    let mut said = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let first = said.next().unwrap().unwrap();
    let url = first
        .split_whitespace()
        .find(|word| word.starts_with("ws://"))
        .unwrap();
    let url = url.trim_end_matches('.');
    let taken = url.trim_start_matches("ws://").trim_end_matches("/rpc");
    failed(
        &run(made.program("my-app").arg(taken)),
        1,
        &[
            &format!("cannot listen on {taken}: the port is in use"),
            "`cargo run -- 127.0.0.1:3005`",
        ],
    );
    failed(
        &run(made.program("my-app").arg("3000")),
        1,
        &["as in 127.0.0.1:3000"],
    );
    let told = said
        .find(|line| line.as_ref().unwrap().trim_start().starts_with("rpc call "))
        .unwrap();
    let rpc = command();
    let rpc_is_in = Path::new(rpc.get_program()).parent().unwrap();
    let path = format!("{}:{}", rpc_is_in.display(), std::env::var("PATH").unwrap());
    let called = run(Command::new("sh").args(["-c", &told.unwrap()]).env("PATH", path)).ok();
    assert!(called.contains("\"Hello!\""), "{called}");

    let rpc = |args: &[&str]| run(command().args(args).args(["--server", url]));
    let refused = rpc(&["call", "Sign", r#"{"name": "", "text": "Hello!"}"#]);
    failed(&refused, 3, &["INVALID_ARGUMENT", "name"]);
    let client = |args: &[&str]| run(made.program("examples/client").args(args).env("RPC_SERVER", url));
    assert_eq!(
        client(&["Grace", "Good morning."]).ok(),
        "2. Grace: Good morning.\n"
    );
    failed(&client(&["Grace"]), 1, &["text"]);
    let read = rpc(&["stream", "Read", "--json"]).ok();
    let lines: Vec<_> = read.lines().collect();
    assert_eq!(lines.len(), 2, "{read}");
    assert!(lines[1].contains("Good morning."), "{read}");

    // What is written while a client reads on is told to it.
    let reading = made
        .program("examples/client")
        .env("RPC_SERVER", url)
        .stdout(Stdio::piped())
        .spawn();
    let mut reading = Serving(reading.unwrap());
    let mut told = BufReader::new(reading.0.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert_eq!(told.next().unwrap(), "1. Ada: Hello!");
    assert_eq!(told.next().unwrap(), "2. Grace: Good morning.");
    client(&["Ada", "Good night."]).ok();
    assert_eq!(told.next().unwrap(), "3. Ada: Good night.");

    // Another server has another book. Who reads on is told that events are missing, and reads that one.
    drop(server);
    let address = url.trim_start_matches("ws://").split('/').next().unwrap();
    let mut server = serve(address);
    let mut said = BufReader::new(server.0.stdout.take().unwrap()).lines();
    said.next().unwrap().unwrap();
    client(&["Ada", "Once more."]).ok();
    assert_eq!(told.next().unwrap(), "Once more from the beginning:");
    assert_eq!(told.next().unwrap(), "1. Ada: Once more.");
}

/// A change that would break clients of what is committed does not build, and says why.
fn breaks(made: &Made) {
    for args in [&["add", "."][..], &["commit", "--quiet", "--message", "Begin"]] {
        let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
        let git = &mut Command::new("git");
        run(git.current_dir(&made.folder).args(who).args(args)).ok();
    }
    let contracts = made.folder.join("src/contracts.rs");
    let before = fs::read_to_string(&contracts).unwrap();
    fs::write(
        &contracts,
        before.replace("pub number: u64", "pub number: String"),
    )
    .unwrap();
    let refused = made.cargo(&["check", "--lib"]);
    assert_eq!(refused.code, 101, "{}", refused.err);
    for part in [
        "src/contracts.rs",
        "pub number: String",
        "a client already out there would misread it",
    ] {
        assert!(refused.err.contains(part), "{part}: {}", refused.err);
    }
    fs::write(&contracts, before).unwrap();
    made.cargo(&["check", "--lib"]).ok();
}
