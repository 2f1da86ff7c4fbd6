//! The trait of a CRUD service: business types in, business types out.

use super::code::{Code, Paths, result};
use rpc_schema::model::Operation;
use rpc_schema::resolve::{CrudDef, MethodDef, ServiceDef};
use rpc_schema::types::Scalar;

/// Adds the trait of a CRUD service.
pub(super) fn emit(code: &mut Code, service: &ServiceDef, crud: &CrudDef, paths: &Paths) {
    code.docs(&service.docs, "");
    code.line("///");
    code.line(&format!(
        "/// Implement it with plain `async fn`s, and give it to [`{}Gateway`].",
        service.stem()
    ));
    if service.deprecated {
        code.line("#[deprecated]");
    }
    code.open(&format!(
        "pub trait {}: ::core::marker::Send + ::core::marker::Sync + 'static {{",
        service.name
    ));
    for (at, (operation, method)) in crud.operations.iter().zip(&service.methods).enumerate() {
        if at > 0 {
            code.blank();
        }
        self::method(code, *operation, method, crud, paths);
    }
    code.close("}");
}

fn method(code: &mut Code, operation: Operation, method: &MethodDef, crud: &CrudDef, paths: &Paths) {
    let item = &crud.rust;
    let id = || format!("id: {}", id_type(crud.id_scalar));
    let mut parameters = vec!["&self".to_owned(), format!("cx: &{}::Context", paths.codegen)];
    let answer = match operation {
        Operation::Add => {
            parameters.push(format!("item: {item}"));
            item.clone()
        }
        Operation::Update => {
            parameters.extend([id(), format!("item: {item}")]);
            item.clone()
        }
        Operation::Delete => {
            parameters.push(id());
            "bool".to_owned()
        }
        Operation::GetAll => format!("::std::vec::Vec<{item}>"),
    };
    code.docs(&method_docs(operation, method), "");
    code.open(&format!("fn {}(", operation.key()));
    for parameter in parameters {
        code.line(&format!("{parameter},"));
    }
    code.close(") -> impl ::core::future::Future<");
    code.lines(&format!("    Output = {},", result(paths, &answer)));
    code.line("> + ::core::marker::Send;");
}

/// What the schema says about the method, and what only the implementor of the trait needs to know.
fn method_docs(operation: Operation, method: &MethodDef) -> Vec<String> {
    let mut docs = method.docs.clone();
    match operation {
        Operation::Add => {
            docs.push("The item comes without an id; the answer has the one that it was given.".to_owned());
        }
        Operation::Delete => {
            docs.clear();
            docs.push("Deletes the item with the given id, and says whether there was one.".to_owned());
        }
        Operation::Update | Operation::GetAll => {}
    }
    docs
}

/// The Rust type of an id.
pub(super) fn id_type(scalar: Scalar) -> &'static str {
    match scalar.rust_name() {
        "String" => "::std::string::String",
        primitive => primitive,
    }
}
