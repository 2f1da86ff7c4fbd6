//! Sources with mistakes: the build script never panics, and destroys nothing.

use super::support::Crate;

const GOOD: &str = "#[contract(package = \"task\", controller = \"Task\")]
pub struct TaskContract {
    #[field(min_len = 1)]
    pub label: String,
    #[field(id)]
    pub id: String,
}
";

#[test]
fn a_mistake_keeps_what_was_there() {
    let made = Crate::new(GOOD);
    assert_eq!(made.problems(), "");
    let (schema, module) = (made.read("protos/task/task.proto"), made.module("task"));
    for broken in [
        GOOD.replace("String", "usize"),
        GOOD.replace("pub struct", "pub struct struct"),
        GOOD.replace("min_len", "minimum"),
        GOOD.replace("#[field(id)]", ""),
        GOOD.replace("pub label: String", "pub label: Missing"),
        format!("{GOOD}{GOOD}"),
        "mod gone;".to_owned(),
        "}".to_owned(),
    ] {
        made.write("src/contracts.rs", &broken);
        made.build();
        assert_eq!(made.read("protos/task/task.proto"), schema, "{broken}");
        assert_eq!(made.module("task"), module, "{broken}");
    }
}

#[test]
fn a_mistake_in_one_contract_keeps_nothing_from_another() {
    let search = |request: &str, field: &str, cx: &str| {
        format!(
            "{GOOD}
#[contract(package = \"task\")]
pub struct SearchRequest {{ pub words: String, {field} }}
#[contract(package = \"task\")]
pub struct FindRequest {{ pub words: String }}
#[contract(package = \"task\")]
pub trait Search {{
    async fn search(&self, {cx} request: {request}) -> Result<FindRequest, Status>;
}}
"
        )
    };
    let made = Crate::new(&search("SearchRequest", "", "cx: &Context,"));
    assert_eq!(made.problems(), "");
    let schema = made.read("protos/task/task.proto");
    assert!(
        !made
            .module("task")
            .contains("request: crate::contracts::FindRequest")
    );
    // What the macro reports, what it is handed to report, and the change that has nothing to do with either.
    for mistake in ["pub size: usize,", "pub other: Missing,"] {
        made.write(
            "src/contracts.rs",
            &search("FindRequest", mistake, "cx: &Context,"),
        );
        made.build();
        let module = made.module("task");
        assert!(module.contains("crate::contracts::FindRequest"), "{module}");
        assert!(!module.contains("SearchRequest"), "{module}");
        assert!(module.contains("pub trait TaskService"), "{module}");
        assert_eq!(made.read("protos/task/task.proto"), schema);
    }
}

#[test]
fn a_first_build_with_a_mistake_leaves_something_to_include() {
    let made = Crate::new(&GOOD.replace("min_len", "minimum"));
    made.build();
    assert!(made.module("task").contains("pub trait TaskService"));
    assert_eq!(made.read("protos/task/task.proto"), "<missing>");
    let made = Crate::new(&GOOD.replace("#[field(id)]", ""));
    made.build();
    syn::parse_file(&made.module("task")).expect("what is generated without a key is Rust");
    let made = Crate::new("#[contract(package = \"task\")] pub struct Tuple(String);");
    made.build();
    assert!(made.module("task").starts_with("// @generated"));
}

#[test]
fn the_mistake_is_left_to_the_macro() {
    let made = Crate::new(&GOOD.replace("String", "usize"));
    assert_eq!(made.problems(), "");
}

#[test]
fn no_source_makes_the_build_script_panic() {
    // A mutation of every byte: cut there, doubled there, and replaced by what changes the nesting.
    let made = Crate::new(GOOD);
    for at in (0..GOOD.len()).step_by(3) {
        for mutation in [
            GOOD[..at].to_owned(),
            format!("{}{}", &GOOD[..at], &GOOD[at / 2..]),
            format!("{}{{\"{}", &GOOD[..at], &GOOD[at + 1..]),
            format!("{}<'{}", &GOOD[..at], &GOOD[at..]),
        ] {
            made.write("src/contracts.rs", &mutation);
            made.build();
        }
    }
}

#[test]
fn an_output_folder_that_cannot_be_made_is_one_clear_sentence() {
    let mut made = Crate::new(GOOD);
    made.write("blocked", "");
    made.environment.out_dir = made.path("blocked");
    let fault = crate::run::run(&made.builder, &made.environment).expect_err("a fault");
    assert!(fault.starts_with("the output directory"), "{fault}");
}

#[test]
fn a_number_that_the_name_of_a_method_of_another_service_comes_out_as_is_told_at_the_method_that_has_it() {
    let service = |name: &str, number: u64| {
        format!(
            "#[contract(package = \"task\")]
pub trait {name} {{
    #[message(number = {number:#x})]
    async fn take(&self, cx: &Context) -> Result<(), Status>;
}}
"
        )
    };
    let named = rpc_schema::names::fnv1a64("task.TaskService/AddTask");
    for source in [
        GOOD.to_owned() + &service("Taker", named),
        service("Another", named) + GOOD,
    ] {
        let problems = Crate::new(&source).problems();
        let told: Vec<&str> = problems.lines().collect();
        let name = if source.contains("Taker") {
            "Taker"
        } else {
            "Another"
        };
        let key = rpc_schema::names::fnv1a64(&format!("task.{name}Service.Take"));
        let message = rpc_schema::names::number_of_a_name(
            &format!("task.{name}Service/Take"),
            named,
            "task.TaskService/AddTask",
        );
        assert_eq!(told, [format!("cargo::rustc-env=RPC_ERROR_{key:016x}={message}")]);
    }
    let own = rpc_schema::names::fnv1a64("task.TakerService/Take");
    for fine in [7, own] {
        assert_eq!(
            Crate::new(&(GOOD.to_owned() + &service("Taker", fine))).problems(),
            ""
        );
    }
}

#[test]
fn attributes_that_nothing_reads_are_mistakes_here_as_in_the_macro() {
    let made = Crate::new(GOOD);
    assert_eq!(made.mistakes(), [""; 0]);
    let again = GOOD.replace("pub struct", "#[contract(event)]\npub struct");
    let on_a_field = GOOD.replace("#[field(min_len = 1)]", "#[contract(min_len = 1)]");
    let on_a_handler = format!(
        "{GOOD}
#[rpc(\"task\")]
impl ClockGateway {{
    #[message]
    #[contract(auth)]
    async fn tick(&self, data: TaskContract) -> Result<TaskContract, Status> {{ todo!() }}
}}
"
    );
    for (source, told) in [
        (again, "this has a `#[contract]` already"),
        (on_a_field, "`#[contract]` stands on the item itself"),
        (on_a_handler, "`#[contract]` stands on the item itself"),
    ] {
        made.write("src/contracts.rs", &source);
        let mistakes = made.mistakes();
        assert!(
            matches!(mistakes.as_slice(), [mistake] if mistake.contains(told)),
            "{mistakes:?}"
        );
    }
}
