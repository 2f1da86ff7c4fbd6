//! The trait of a CRUD service: business types in, business types out.

use super::code::{Paths, docs, result};
use rpc_schema::model::Operation;
use rpc_schema::resolve::{CrudDef, MethodDef, ServiceDef};
use rpc_schema::types::Scalar;
use std::fmt::Write;

/// Adds the trait of a CRUD service.
pub(super) fn emit(out: &mut String, service: &ServiceDef, crud: &CrudDef, paths: &Paths) {
    docs(out, &service.docs, "");
    let _ = writeln!(
        out,
        "///\n/// Implement it with plain `async fn`s, and give it to [`{}Gateway`].",
        service.stem()
    );
    if service.deprecated {
        out.push_str("#[deprecated]\n");
    }
    let _ = writeln!(
        out,
        "pub trait {}: ::core::marker::Send + ::core::marker::Sync + 'static {{",
        service.name
    );
    for (operation, method) in crud.operations.iter().zip(&service.methods) {
        self::method(out, *operation, method, crud, paths);
    }
    out.push_str("}\n");
}

fn method(out: &mut String, operation: Operation, method: &MethodDef, crud: &CrudDef, paths: &Paths) {
    let item = &crud.rust;
    let id = id_type(crud.id_scalar);
    let (parameters, answer) = match operation {
        Operation::Add => (format!(", item: {item}"), item.clone()),
        Operation::Update => (format!(", id: {id}, item: {item}"), item.clone()),
        Operation::Delete => (format!(", id: {id}"), "bool".to_owned()),
        Operation::GetAll => (String::new(), format!("::std::vec::Vec<{item}>")),
    };
    docs(out, &method_docs(operation, method), "");
    let _ = writeln!(
        out,
        "fn {}(&self, cx: &{}::Context{parameters}) -> impl ::core::future::Future<Output = {}> + ::core::marker::Send;",
        operation.key(),
        paths.codegen,
        result(paths, &answer),
    );
}

/// What the schema says about the method, and what only the implementor of the trait needs to know.
fn method_docs(operation: Operation, method: &MethodDef) -> Vec<String> {
    let mut docs = method.docs.clone();
    match operation {
        Operation::Add => {
            docs.push("The item comes without an id; the answer has the one that it was given.".to_owned())
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
