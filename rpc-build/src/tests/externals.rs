//! Contracts of other crates, and hand-written schemas.

use super::support::Crate;

#[test]
fn a_contract_of_another_crate_is_imported() {
    let mut shared = Crate::new(
        "#[contract(package = \"shared\")] pub struct Money { pub units: i64 } \
         #[contract(package = \"shared\")] pub enum Currency { Euro, Franc }",
    );
    shared.environment.crate_name = "shared".to_owned();
    let said = shared.build();
    let manifest = said
        .lines()
        .find_map(|line| line.strip_prefix("cargo::metadata=rpc_contracts="))
        .expect("the manifest is told to dependents");

    let mut made = Crate::new(
        "use shared::contracts::Money; #[contract(package = \"shop\")] pub struct Price { pub amount: Money, \
         pub currency: shared::contracts::Currency }",
    );
    made.environment
        .dependencies
        .insert("DEP_SHARED_RPC_CONTRACTS".to_owned(), manifest.into());
    assert_eq!(made.problems(), "");
    let schema = made.read("protos/shop/shop.proto");
    assert!(schema.contains("import \"shared/shared.proto\";"), "{schema}");
    assert!(schema.contains("shared.Money amount = 1;"), "{schema}");
    assert!(schema.contains("shared.Currency currency = 2;"), "{schema}");
}

#[test]
fn a_contract_nobody_knows_says_how_to_make_it_known() {
    let made = Crate::new("#[contract(package = \"shop\")] pub struct Price { pub amount: shared::Money }");
    let problems = made.problems();
    assert!(
        problems.contains(&super::support::error_of("shop.Price.amount")),
        "{problems}"
    );
    assert!(problems.contains("`links`"), "{problems}");
}

const LEGACY: &str = "syntax = \"proto3\";
package legacy;
import \"google/protobuf/timestamp.proto\";
message Record {
  string type = 1;
  optional uint32 count = 2;
  repeated Part parts = 3;
  map<string, Part> named = 4;
  Kind kind = 5;
  google.protobuf.Timestamp at = 6;
  Record inner = 7;
  oneof source {
    string url = 8;
    Record copy = 9;
  }
  bytes raw = 10;
  message Part {
    string name = 1;
    Part next = 2;
  }
  enum Kind {
    KIND_UNSPECIFIED = 0;
  }
}
";

#[test]
fn messages_of_a_hand_written_schema_are_generated_and_used() {
    let mut made = Crate::new(
        "#[contract(package = \"shop\")] pub struct Price { pub record: crate::Record } \
         #[contract(package = \"shop\")] pub trait Shop { async fn get(&self, r: crate::Record) -> Result<crate::Record, Status>; }",
    );
    made.builder = made
        .builder
        .proto("schemas/legacy/legacy.proto")
        .include("schemas");
    made.write("schemas/legacy/legacy.proto", LEGACY);
    assert_eq!(made.problems(), "");
    assert!(
        made.read("protos/shop/shop.proto")
            .contains("legacy.Record record = 1;")
    );
    let module = made.module("legacy");
    let traits = module
        .split_once("prost_contract!")
        .map_or("", |(_, traits)| traits);
    expect_test::expect_file!["golden/legacy_traits.rs"].assert_eq(traits);
    let shop = made.module("shop");
    assert!(shop.contains("request: crate::Record"), "{shop}");
    assert!(
        made.read("schemas/legacy/legacy.proto") == LEGACY,
        "a person's file is never written"
    );
}

#[test]
fn a_schema_that_does_not_compile_is_told_with_its_place() {
    let mut made = Crate::new("#[contract(package = \"shop\")] pub struct Price {}");
    made.builder = made.builder.proto("legacy.proto");
    made.write("legacy.proto", "syntax = \"proto3\";\nmessage {");
    let problems = made.problems();
    assert!(problems.contains("legacy.proto"), "{problems}");
}

#[test]
fn what_is_emitted_can_be_chosen() {
    let contracts = "#[contract(package = \"task\", controller = \"Task\")]\n\
                     pub struct TaskContract { #[field(id)] pub id: String }";
    let mut made = Crate::new(contracts);
    made.builder = made
        .builder
        .emit(crate::Emit {
            gateways: false,
            service_traits: false,
            ..crate::Emit::default()
        })
        .proto_directory("schemas")
        .descriptor_set_path("set.binpb")
        .type_attribute("task", "#[derive(Eq)]")
        .crate_path("crate::inner");
    assert_eq!(made.problems(), "");
    let module = made.module("task");
    assert!(
        !module.contains("TaskGateway<S>") && !module.contains("trait TaskService"),
        "{module}"
    );
    assert!(
        module.contains("pub struct TaskClient") && module.contains("#[derive(Eq)]"),
        "{module}"
    );
    assert!(
        module.contains("crate::inner::contracts::TaskContract"),
        "{module}"
    );
    assert_ne!(made.read("schemas/task/task.proto"), "<missing>");
    assert!(made.path("set.binpb").is_file());
}
