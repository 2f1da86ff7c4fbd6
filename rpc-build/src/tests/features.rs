//! Contracts behind features: promised always, there sometimes.

use super::support::Crate;

const TASK: &str = "#[contract(package = \"task\")] pub struct Task { pub label: String }\n";
const EXTRA: &str = "#[cfg(feature = \"extra\")]\nmod extra;\n";

/// A crate whose contracts are committed as a build with the feature `extra` gives them.
fn committed(contracts: &str, more: &str) -> Crate {
    let mut made = Crate::new(contracts);
    made.write("src/contracts/extra.rs", more);
    made.environment.cfg.features.insert("EXTRA".to_owned());
    made.git(&["init", "-q"]);
    assert_eq!(made.problems(), "");
    made.commit();
    made
}

fn off(made: &mut Crate) {
    made.environment.cfg.features.clear();
}

#[test]
fn a_contract_whose_feature_is_off_is_promised_and_not_there() {
    let mut made = committed(
        &format!(
            "{EXTRA}{TASK}#[cfg(feature = \"extra\")] use crate::contracts::extra::Mood;\n\
             #[cfg(feature = \"extra\")] #[contract(package = \"task\", controller = \"Note\", changes = \"notes\")]\n\
             pub struct NoteContract {{ #[field(id)] pub id: String, pub mood: Mood }}\n"
        ),
        "#[contract(package = \"task\")] pub enum Mood { Good, Bad }\n\
         #[contract(package = \"task\")] pub trait Bell { async fn ring(&self, cx: &Context) -> Result<(), Status>; }",
    );
    let schema = made.read("protos/task/task.proto");
    assert!(
        schema.contains("message AddNoteRequest")
            && schema.contains("message NoteChanged")
            && schema.contains("enum Mood"),
        "{schema}"
    );
    let on = made.build();
    assert!(made.module("task").contains("pub trait NoteService"));
    off(&mut made);
    made.environment.ci = true;
    assert_eq!(made.problems(), "");
    let module = made.module("task");
    for gone in ["Note", "Bell", "Mood"] {
        assert!(!module.contains(gone), "{module}");
    }
    let facts = |text: &str| text.matches("RPC_CONTRACT_").count();
    assert_eq!((facts(&on), facts(&made.build())), (4, 1));
    made.environment.ci = false;
    assert_eq!(made.problems(), "");
    assert_eq!(made.read("protos/task/task.proto"), schema);
}

#[test]
fn of_exclusive_alternatives_the_one_that_is_there_wins() {
    let mut made = committed(
        "#[cfg(feature = \"extra\")] mod extra;\n#[cfg(not(feature = \"extra\"))] #[path = \"plain.rs\"] mod extra;\n",
        TASK,
    );
    made.write(
        "src/plain.rs",
        &TASK.replace("label: String", "label: String, pub done: bool"),
    );
    assert_eq!(made.problems(), "");
    assert!(!made.read("protos/task/task.proto").contains("bool done"));
    off(&mut made);
    assert_eq!(made.problems(), "");
    assert!(made.read("protos/task/task.proto").contains("bool done"));
}

#[test]
fn what_breaks_a_promise_while_its_feature_is_off_is_printed() {
    let mut made = committed(&format!("{EXTRA}{TASK}"), &TASK.replace("Task", "Note"));
    off(&mut made);
    made.write(
        "src/contracts/extra.rs",
        &TASK.replace("Task", "Note").replace("String", "bool"),
    );
    let problems = made.problems();
    assert!(
        problems.starts_with("cargo::error=`task.Note.label`, whose feature is off in this build: "),
        "{problems}"
    );
}

#[test]
fn a_mistake_in_a_contract_whose_feature_is_off_is_printed() {
    let mut made = committed(&format!("{EXTRA}{TASK}"), "");
    off(&mut made);
    made.write(
        "src/contracts/extra.rs",
        "#[contract(package = \"task\")] pub struct Note(String);",
    );
    let problems = made.problems();
    assert!(
        problems.starts_with("cargo::error=a contract behind a feature that is off"),
        "{problems}"
    );
    made.write("src/contracts/extra.rs", "struct");
    let problems = made.problems();
    assert!(
        problems.contains("its feature is off in this build"),
        "{problems}"
    );
}

#[test]
fn tests_and_other_targets_are_no_features() {
    let made = Crate::new(&format!(
        "{TASK}#[cfg(test)] {}#[cfg(all(windows, feature = \"extra\"))] {}",
        TASK.replace("Task", "Note"),
        TASK.replace("Task", "Pane"),
    ));
    assert_eq!(made.problems(), "");
    let schema = made.read("protos/task/task.proto");
    assert!(!schema.contains("Note") && !schema.contains("Pane"), "{schema}");
}
