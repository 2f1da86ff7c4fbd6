//! The contracts of the design, and what becomes of them.

use super::support::Crate;
use expect_test::expect_file;

const CONTRACTS: &str = r##"
use rpc_runtime::{Context, Status, Streaming, contract};

/// A thing to be done.
#[contract(package = "task", controller = "Task")]
pub struct TasksContract {
    /// What is to be done.
    #[field(unique, min_len = 1, max_len = 200)]
    pub label: String,
    #[field(default = false)]
    pub checked: bool,
    #[field(default = false)]
    pub removed: bool,
    #[field(id)]
    pub id: String,
}
"##;

#[test]
fn the_task_contract_gives_its_schema_and_module() {
    let task = Crate::new(CONTRACTS);
    assert_eq!(task.problems(), "");
    expect_file!["golden/task.proto"].assert_eq(&task.read("protos/task/task.proto"));
    expect_file!["golden/task.rs"].assert_eq(&task.module("task"));
}

const TICKER: &str = r##"
use std::time::SystemTime;

/// A price.
#[contract(package = "ticker")]
pub struct Quote {
    /// The instrument.
    #[field(pattern = "^[A-Z]+$", required)]
    pub symbol: String,
    #[field(range = 0.0..)]
    pub price: f64,
    pub at: SystemTime,
    #[field(max_items = 8, max_len = 20)]
    pub tags: Vec<String>,
    #[field(max_items = 4, format = "email")]
    pub owners: BTreeMap<u32, String>,
    pub note: Option<String>,
    #[field(deprecated)]
    pub old: bool,
}

/// Where a price is from.
#[contract(package = "ticker", reserved(7, 9..=11, "OLD"))]
pub enum Origin {
    Unspecified,
    /// A market.
    Market = 3,
    #[field(other)]
    Unknown(i32),
}

/// What was asked for.
#[contract(package = "ticker")]
pub enum Order {
    #[default]
    Nothing,
    #[field(tag = 1)]
    Buy(Quote),
    #[field(tag = 2)]
    Text(String),
}

/// Prices as they change.
#[contract(package = "ticker", guard = "market", removed("Old"))]
pub trait Ticker {
    /// The price now.
    #[message(auth, deadline = "250ms", idempotent, number = 0x10, transports("ws"))]
    async fn quote(&self, cx: &Context, request: Quote) -> Result<Quote, Status>;
    /// The price from now on.
    #[message(name = "WatchAll")]
    async fn watch(&self, cx: &Context, request: Quote)
        -> Result<impl Stream<Item = Result<Quote, Status>>, Status>;
    async fn record(&self, quotes: Streaming<Quote>) -> Result<Order, Status>;
    async fn trade(&self, cx: &Context, orders: Streaming<Order>)
        -> Result<impl Stream<Item = Result<Quote, Status>>, Status>;
    async fn session(&self, input: Streaming<Order>, output: Outgoing<Quote>) -> Result<(), Status>;
    #[message(one_way)]
    async fn r#move(&self, request: Quote) -> Result<(), Status>;
    #[deprecated]
    async fn new(&self) -> Result<(), Status>;
}
"##;

#[test]
fn a_trait_contract_gives_its_schema_gateway_and_client() {
    let ticker = Crate::new(TICKER);
    assert_eq!(ticker.mistakes(), [""; 0]);
    assert_eq!(ticker.problems(), "");
    expect_file!["golden/ticker.proto"].assert_eq(&ticker.read("protos/ticker/ticker.proto"));
    expect_file!["golden/ticker.rs"].assert_eq(&ticker.module("ticker"));
}

#[test]
fn changes_give_an_event_that_the_gateway_publishes() {
    let made = Crate::new(&with_changes());
    assert_eq!(made.mistakes(), [""; 0]);
    assert_eq!(made.problems(), "");
    expect_file!["golden/changes.proto"].assert_eq(&made.read("protos/task/task.proto"));
    expect_file!["golden/changes.rs"].assert_eq(&made.module("task"));
}

/// The task contract, which tells of its changes.
fn with_changes() -> String {
    CONTRACTS.replace(
        "controller = \"Task\"",
        "controller = \"Task\", changes = \"tasks\"",
    )
}

#[test]
fn without_changes_nothing_about_them_is_generated() {
    let made = Crate::new(CONTRACTS);
    made.build();
    let module = made.module("task");
    for word in ["publish", "Changed", "Deleted", "deleted"] {
        assert!(!module.contains(word), "{word}");
    }
    // And with them, nothing but the event and the three calls differs.
    let with = Crate::new(&with_changes());
    with.build();
    let with = with.module("task");
    let kept = module.lines().filter(|line| !line.contains("id: data.id,"));
    let mut lines = with.lines();
    for line in kept {
        assert!(lines.any(|other| other == line), "{line}");
    }
}

/// Templates are written formatted. A formatter may break lines at other places, and change nothing else.
#[test]
fn what_is_generated_is_formatted() {
    for contracts in [CONTRACTS, TICKER, &with_changes()] {
        let made = Crate::new(contracts);
        made.build();
        for package in ["task", "ticker"] {
            let module = made.module(package);
            let Ok(parsed) = syn::parse_file(&module) else {
                continue;
            };
            let formatted = prettyplease::unparse(&parsed);
            // Line breaks, the commas and brackets that go with them, and comments, which a formatter of syntax trees drops.
            let bare = |text: &str| -> String {
                text.lines()
                    .take_while(|line| !line.contains("prost_contract!"))
                    .filter(|line| !line.starts_with("// "))
                    .flat_map(str::chars)
                    .filter(|c| !c.is_whitespace() && *c != ',')
                    .collect()
            };
            assert_eq!(bare(&module), bare(&formatted));
            for line in module.lines() {
                let indent = line.len() - line.trim_start().len();
                assert!(indent % 4 == 0 && line == line.trim_end(), "{line:?}");
            }
        }
    }
}

#[test]
fn custom_options_are_kept_in_the_descriptor_set() {
    let task = Crate::new(CONTRACTS);
    task.build();
    let set = std::fs::read(task.environment.out_dir.join("rpc/descriptor_set.binpb")).expect("the set");
    // buf.validate.field is the extension 1159: a length-delimited field whose key is the varint 0xba 0x48.
    assert!(
        set.windows(2).any(|pair| pair == [0xba, 0x48]),
        "the rules are gone"
    );
}

#[test]
fn comments_are_kept_in_the_descriptor_set_and_places_without_one_are_not() {
    use prost::Message;
    let task = Crate::new(CONTRACTS);
    let said = task.build();
    let path = task.environment.out_dir.join("rpc/descriptor_set.binpb");
    let set = std::fs::read(&path).expect("the set");
    let set = prost_types::FileDescriptorSet::decode(set.as_slice()).expect("a descriptor set");
    let names: Vec<_> = set.file.iter().map(|file| file.name()).collect();
    let mut places = 0;
    for (at, file) in set.file.iter().enumerate() {
        assert!(
            file.dependency
                .iter()
                .all(|import| names[..at].contains(&import.as_str())),
            "{} stands behind what it imports",
            file.name()
        );
        for place in file.source_code_info.iter().flat_map(|info| &info.location) {
            let has_comment = place.leading_comments.is_some()
                || place.trailing_comments.is_some()
                || !place.leading_detached_comments.is_empty();
            assert!(has_comment, "{} {:?}", file.name(), place.path);
            places += usize::from(file.package() == "task");
        }
    }
    assert!(places > 0, "the docs are gone");
    assert!(
        said.contains(&format!("cargo::rustc-env=RPC_DESCRIPTOR_SET={}", path.display())),
        "{said}"
    );
}

const DESK: &str = r##"
use rpc_runtime::{Context, Outgoing, Status, Streaming, contract};

#[contract(package = "desk")]
pub struct Wish {
    pub text: String,
}

#[contract(package = "desk")]
pub trait Desk {
    async fn talk(&self, input: Streaming<Wish>, output: Outgoing<Wish>) -> Result<(), Status>;
    async fn talk_with_reconnect(&self, wish: Wish) -> Result<Wish, Status>;
}
"##;

#[test]
fn a_session_leaves_the_names_of_other_methods_to_them() {
    let desk = Crate::new(DESK);
    assert_eq!(desk.problems(), "");
    let module = desk.module("desk");
    assert_eq!(
        module.matches("pub fn talk_with_reconnect(").count(),
        1,
        "{module}"
    );
    assert!(!module.contains("pub fn talk_with_reconnect<"), "{module}");
    assert!(module.contains("pub fn talk_with_reconnect_call<"), "{module}");
}
