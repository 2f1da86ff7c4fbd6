//! The gateways: they read like something a person would write, with the macros that a person uses too.

use super::code::{Paths, access_keys, docs, ident, literal, option_keys, parameters, result, type_path};
use rpc_schema::model::{MethodKind, Operation};
use rpc_schema::names;
use rpc_schema::resolve::{CrudDef, MethodDef, ServiceDef};
use rpc_schema::types::Scalar;
use std::fmt::Write;

/// Adds the gateway of a CRUD service.
pub(super) fn emit_crud(
    out: &mut String,
    package: &str,
    service: &ServiceDef,
    crud: &CrudDef,
    paths: &Paths,
) {
    open(out, package, service, &service.name, paths);
    for (operation, method) in crud.operations.iter().zip(&service.methods) {
        crud_method(out, *operation, method, crud, paths);
    }
    out.push_str("}\n");
}

/// Adds the gateway of a trait contract.
pub(super) fn emit_trait(
    out: &mut String,
    package: &str,
    service: &ServiceDef,
    contract: &str,
    paths: &Paths,
) {
    open(out, package, service, contract, paths);
    for method in &service.methods {
        trait_method(out, method, contract, paths);
    }
    out.push_str("}\n");
}

/// The struct, what makes one, and the head of its `#[rpc]` impl.
fn open(out: &mut String, package: &str, service: &ServiceDef, bound: &str, paths: &Paths) {
    let gateway = format!("{}Gateway", service.stem());
    let link = bound.strip_prefix("::").unwrap_or(bound);
    let deprecated = if service.deprecated {
        "#[allow(deprecated)]\n"
    } else {
        ""
    };
    docs(
        out,
        &service.docs,
        &format!("The service `{}`.", service.full_name),
    );
    let _ = writeln!(
        out,
        "///
         /// Serves `{full_name}` with an implementation of [`{link}`].
         #[derive(Debug, Clone)]
         pub struct {gateway}<S> {{
             service: S,
         }}

         impl<S> {gateway}<S> {{
             /// A gateway to this implementation of the service.
             pub fn new(service: S) -> Self {{
                 Self {{ service }}
             }}

             /// The implementation.
             pub fn service(&self) -> &S {{
                 &self.service
             }}
         }}
         {deprecated}",
        full_name = service.full_name,
    );
    let mut keys = vec![literal(package)];
    keys.extend(access_keys(&service.access));
    keys.push("generated".to_owned());
    let _ = writeln!(
        out,
        "#[{}::rpc({})]\nimpl<S: {bound}> {gateway}<S> {{",
        paths.runtime,
        keys.join(", ")
    );
}

fn crud_method(out: &mut String, operation: Operation, method: &MethodDef, crud: &CrudDef, paths: &Paths) {
    let (request, response) = (type_path(&method.request), type_path(&method.response));
    docs(out, &method.docs, "");
    let _ = writeln!(out, "#[message({})]", literal(request));
    let codegen = &paths.codegen;
    let data = if operation == Operation::GetAll {
        "_data"
    } else {
        "data"
    };
    let _ = writeln!(
        out,
        "async fn {}(&self, cx: &{codegen}::Context, {data}: {request}) -> {} {{",
        operation.key(),
        result(paths, response),
    );
    let id = ident(&crud.id);
    // A string is needed twice; a number is copied.
    let clone = if crud.id_scalar == Scalar::String {
        ".clone()"
    } else {
        ""
    };
    let item = format!(
        "let mut item = data
             .item
             .ok_or_else(|| {codegen}::Status::invalid_argument(\"the item is missing\"))?;"
    );
    let _ = match operation {
        Operation::Add => writeln!(
            out,
            "{item}
             item.{id} = ::core::default::Default::default();
             let item = self.service.add(cx, item).await?;
             ::core::result::Result::Ok({response} {{
                 id: item.{id}{clone},
                 item: ::core::option::Option::Some(item),
             }})"
        ),
        Operation::Update => writeln!(
            out,
            "{item}
             item.{id} = data.id{clone};
             let item = self.service.update(cx, data.id, item).await?;
             ::core::result::Result::Ok({response} {{
                 id: item.{id}{clone},
                 item: ::core::option::Option::Some(item),
             }})"
        ),
        Operation::Delete => writeln!(
            out,
            "let success = self.service.delete(cx, data.id{clone}).await?;
             ::core::result::Result::Ok({response} {{
                 success,
                 id: data.id,
             }})"
        ),
        Operation::GetAll => writeln!(
            out,
            "let items = self.service.get_all(cx).await?;
             ::core::result::Result::Ok({response} {{ items }})"
        ),
    };
    out.push_str("}\n");
}

fn trait_method(out: &mut String, method: &MethodDef, contract: &str, paths: &Paths) {
    docs(
        out,
        &method.docs,
        &format!("Calls [`{}`]({contract}::{}).", method.name, method.rust_name),
    );
    let mut keys = Vec::new();
    if names::upper_camel_case(&method.rust_name) != method.name {
        keys.push(format!("name = {}", literal(&method.name)));
    }
    keys.extend(option_keys(&method.options));
    match keys.as_slice() {
        [] => out.push_str("#[message]\n"),
        keys => {
            let _ = writeln!(out, "#[message({})]", keys.join(", "));
        }
    }
    if method.options.deprecated {
        out.push_str("#[deprecated]\n");
    }
    if method.kind != MethodKind::Unary {
        out.push_str("#[allow(dead_code)]\n");
    }
    let session = method
        .parameters
        .contains(&rpc_schema::model::Parameter::Outgoing);
    let answer = match method.kind {
        _ if session => "()".to_owned(),
        MethodKind::Unary | MethodKind::ClientStreaming => type_path(&method.response).to_owned(),
        MethodKind::ServerStreaming | MethodKind::Bidirectional => format!(
            "impl {}::Stream<Item = {}> + ::core::marker::Send",
            paths.codegen,
            result(paths, type_path(&method.response))
        ),
    };
    let (declared, passed) = parameters(paths, method);
    let name = ident(&method.rust_name);
    let comma = if passed.is_empty() { "" } else { ", " };
    let _ = writeln!(
        out,
        "async fn {name}(&self{declared}) -> {} {{
             <S as {contract}>::{name}(&self.service{comma}{passed}).await
         }}",
        result(paths, &answer),
    );
}
