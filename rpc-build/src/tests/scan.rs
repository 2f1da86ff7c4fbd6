//! Which files are read, and what their contracts' paths are.

use super::support::Crate;

fn message(name: &str) -> String {
    format!("#[contract(package = \"p\")] pub struct {name} {{}}\n")
}

/// The messages of the schema that a crate gives.
fn messages(made: &Crate) -> Vec<String> {
    assert_eq!(made.problems(), "");
    made.read("protos/p/p.proto")
        .lines()
        .filter_map(|line| line.strip_prefix("message "))
        .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn modules_below_a_root_are_read_wherever_they_lie() {
    let made = Crate::new(&format!(
        "{} mod beside; mod inside; #[path = \"elsewhere/odd.rs\"] mod odd; mod inline {{ mod deep; {} }}",
        message("Root"),
        message("Inline"),
    ));
    made.write(
        "src/contracts/beside.rs",
        &format!("mod child; {}", message("Beside")),
    );
    made.write("src/contracts/beside/child.rs", &message("Child"));
    made.write(
        "src/contracts/inside/mod.rs",
        &format!("mod child; {}", message("Inside")),
    );
    made.write("src/contracts/inside/child.rs", &message("Grandchild"));
    made.write("src/elsewhere/odd.rs", &format!("mod next; {}", message("Odd")));
    made.write("src/elsewhere/next.rs", &message("Next"));
    made.write("src/contracts/inline/deep.rs", &message("Deep"));
    made.write("src/contracts/unused.rs", &message("Unused"));
    assert_eq!(
        messages(&made),
        [
            "Root",
            "Child",
            "Beside",
            "Grandchild",
            "Inside",
            "Next",
            "Odd",
            "Deep",
            "Inline"
        ]
    );
}

#[test]
fn a_root_is_found_below_other_modules_and_its_path_is_that() {
    let mut made = Crate::empty();
    made.builder = crate::contracts("src/api/v1/contracts.rs");
    made.write("src/lib.rs", "mod unrelated; pub mod api;");
    made.write("src/unrelated.rs", "not rust at all {{{");
    made.write("src/api/mod.rs", "pub mod v1;");
    made.write("src/api/v1.rs", "pub mod contracts;");
    made.write(
        "src/api/v1/contracts.rs",
        "#[contract(package = \"p\", controller = \"Thing\")] pub struct ThingContract { #[field(id)] pub id: u64 }",
    );
    assert_eq!(made.problems(), "");
    assert!(
        made.module("p")
            .contains("crate::api::v1::contracts::ThingContract")
    );
    assert!(
        !made.build().contains("unrelated.rs"),
        "only files on the way are read"
    );
}

#[test]
fn cfgs_decide_what_is_there() {
    let mut made = Crate::new(&format!(
        "#[cfg(feature = \"more\")] {} #[cfg(not(feature = \"more\"))] {} #[cfg(test)] {} #[cfg(test)] mod missing; \
         #[cfg_attr(feature = \"more\", contract(package = \"p\"))] pub struct Sometimes {{}} \
         #[cfg_attr(feature = \"more\", path = \"other.rs\")] mod turned;",
        message("More"),
        message("Less"),
        message("Tested"),
    ));
    made.write("src/other.rs", &message("Other"));
    made.write("src/contracts/turned.rs", &message("Turned"));
    assert_eq!(messages(&made), ["More", "Less", "Turned"]);
    made.environment.cfg.features.insert("MORE".to_owned());
    std::fs::remove_dir_all(made.path("protos")).expect("the schemas");
    assert_eq!(messages(&made), ["More", "Less", "Sometimes", "Other"]);
}

#[test]
fn names_are_found_through_uses_and_reexports() {
    let made = Crate::new(
        "mod money; mod prelude; use prelude::*; use money::{Money as Cash, fx}; \
         #[contract(package = \"p\")] pub struct Order { pub paid: Cash, pub rate: fx::Rate, pub side: Side, \
         pub other: super::contracts::money::Money, pub whole: crate::contracts::money::fx::Rate }",
    );
    made.write(
        "src/contracts/money.rs",
        "pub mod fx { #[rpc_runtime::contract(package = \"p\")] pub struct Rate {} } \
         #[contract(package = \"p\")] pub struct Money {}",
    );
    made.write(
        "src/contracts/prelude.rs",
        "pub use side::Side; mod side { #[contract(package = \"p\")] pub enum Side { Buy, Sell } }",
    );
    assert_eq!(made.problems(), "");
    let schema = made.read("protos/p/p.proto");
    for field in [
        "Money paid = 1;",
        "Rate rate = 2;",
        "Side side = 3;",
        "Money other = 4;",
        "Rate whole = 5;",
    ] {
        assert!(schema.contains(field), "{field}\n{schema}");
    }
}

#[test]
fn what_is_detached_is_not_read() {
    let made = Crate::new(&format!(
        "{} #[contract(package = \"p\", detached)] pub struct Detached {{}}",
        message("Kept")
    ));
    assert_eq!(messages(&made), ["Kept"]);
}

#[test]
fn hand_written_gateways_are_in_the_schema_and_have_clients() {
    let made = Crate::new(
        "#[contract(package = \"p\")] pub struct Ping {} pub struct EchoGateway; \
         #[rpc(\"p\")] impl EchoGateway { \
         /// Sends it back.\n #[message(method = \"Echo\", auth)] async fn echo(&self, ping: Ping) -> Result<Ping, Status> { Ok(ping) } \
         fn helper(&self) {} }",
    );
    assert_eq!(made.problems(), "");
    let schema = made.read("protos/p/p.proto");
    assert!(
        schema.contains("service EchoService {\n  // Sends it back.\n  rpc Echo(Ping) returns (Ping);\n}"),
        "{schema}"
    );
    let module = made.module("p");
    assert!(module.contains("pub struct EchoClient"), "{module}");
    assert!(!module.contains("pub struct EchoGateway"), "{module}");
}

#[test]
fn a_root_that_no_module_leads_to_is_an_error_that_says_what_to_add() {
    let made = Crate::new("");
    made.write("src/main.rs", "fn main() {}");
    let problems = made.problems();
    assert!(
        problems.contains("is not a module of this crate; add `mod contracts;`"),
        "{problems}"
    );
    std::fs::remove_file(made.path("src/contracts.rs")).expect("the file");
    assert!(made.problems().contains("does not exist"));
}

#[test]
fn two_methods_with_one_number_fail_naming_both() {
    let made = Crate::new(
        "#[contract(package = \"p\")] pub trait One { #[message(number = 7)] async fn a(&self) -> Result<(), Status>; } \
         #[contract(package = \"p\")] pub trait Two { #[message(number = 7)] async fn b(&self) -> Result<(), Status>; }",
    );
    let problems = made.problems();
    assert!(
        problems.contains(&super::support::error_of("p.TwoService.B")),
        "{problems}"
    );
    assert!(
        problems.contains("`p.OneService/A` and `p.TwoService/B`"),
        "{problems}"
    );
    assert!(problems.contains("#[message(number = …)]"), "{problems}");
}
