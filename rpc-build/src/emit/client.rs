//! The clients: one method for each unary call, thin over the runtime's client.

use super::code::{Paths, docs, ident, literal, type_path};
use super::service_trait::id_type;
use rpc_schema::model::{MethodKind, Operation, Parameter};
use rpc_schema::names;
use rpc_schema::resolve::{CrudDef, MethodDef, Origin, ServiceDef, TypeDef};
use std::fmt::Write;

/// Adds the client of a service.
pub(super) fn emit(out: &mut String, service: &ServiceDef, paths: &Paths) {
    let codegen = &paths.codegen;
    let name = format!("{}Client", service.stem());
    let streaming: Vec<&str> = service
        .methods
        .iter()
        .filter(|method| method.kind != MethodKind::Unary)
        .map(|method| method.name.as_str())
        .collect();
    docs(
        out,
        &service.docs,
        &format!("The service `{}`.", service.full_name),
    );
    let _ = writeln!(
        out,
        "///\n/// Calls `{}` over one connection, which clones share.",
        service.full_name
    );
    if !streaming.is_empty() {
        let _ = writeln!(
            out,
            "///\n/// Streaming calls have no methods here yet: {}.",
            streaming
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    if service.deprecated {
        out.push_str("#[deprecated]\n");
    }
    let allow = if service.deprecated {
        "#[allow(deprecated)]\n"
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "#[derive(Debug, Clone)]
         pub struct {name} {{
             client: {codegen}::Client,
         }}

         {allow}impl {name} {{
             /// Connects to a server, such as `ws://127.0.0.1:3000/rpc`.
             ///
             /// # Errors
             ///
             /// When the address is none, nobody answers there, or the server refuses.
             pub async fn connect(url: &str) -> ::core::result::Result<Self, {codegen}::CallError> {{
                 ::core::result::Result::Ok(Self::new({codegen}::Client::connect(url).await?))
             }}

             /// Calls over a connection that is there already; clients of several services may share one.
             pub fn new(client: {codegen}::Client) -> Self {{
                 Self {{ client }}
             }}

             /// The connection.
             pub fn client(&self) -> &{codegen}::Client {{
                 &self.client
             }}
        ",
    );
    let unary = service
        .methods
        .iter()
        .enumerate()
        .filter(|(_, method)| method.kind == MethodKind::Unary);
    for (at, method) in unary {
        match &service.origin {
            Origin::Crud(crud) => crud_method(out, crud.operations[at], method, crud, paths),
            Origin::Trait | Origin::Gateway => self::method(out, method, paths),
        }
    }
    out.push_str("}\n");
}

/// A server of this crate always answers with the item; another might not.
const ITEM: &str = ".try_map(|response: {response}| {
             response
                 .item
                 .ok_or_else(|| {codegen}::Status::internal(\"the answer has no item\"))
         })";

fn crud_method(out: &mut String, operation: Operation, method: &MethodDef, crud: &CrudDef, paths: &Paths) {
    let item = &crud.rust;
    let id = id_type(crud.id_scalar);
    let (request, response) = (type_path(&method.request), type_path(&method.response));
    let some = "::core::option::Option::Some(item)";
    let (parameters, fields, answer, map) = match operation {
        Operation::Add => (
            format!(", item: {item}"),
            format!("item: {some}"),
            item.clone(),
            ITEM,
        ),
        Operation::Update => (
            format!(", id: {id}, item: {item}"),
            format!("id, item: {some}"),
            item.clone(),
            ITEM,
        ),
        Operation::Delete => (
            format!(", id: {id}"),
            "id".to_owned(),
            "bool".to_owned(),
            ".map(|response: {response}| response.success)",
        ),
        Operation::GetAll => (
            String::new(),
            String::new(),
            format!("::std::vec::Vec<{item}>"),
            ".map(|response: {response}| response.items)",
        ),
    };
    docs(out, &method.docs, "");
    let _ = writeln!(
        out,
        "pub fn {}(&self{parameters}) -> {}::UnaryCall<{response}, {answer}> {{",
        operation.key(),
        paths.codegen
    );
    descriptor(out, method, paths);
    let _ = writeln!(
        out,
        "self.client
             .unary(&METHOD, &{request} {{ {fields} }})
             {}
         }}",
        map.replace("{response}", response)
            .replace("{codegen}", &paths.codegen),
    );
}

fn method(out: &mut String, method: &MethodDef, paths: &Paths) {
    let (request, response) = (type_path(&method.request), type_path(&method.response));
    let has_data = method.parameters.contains(&Parameter::Data) || !is_empty(&method.request.ty);
    let (parameter, data) = match has_data {
        true => (format!(", request: {request}"), "request"),
        false => (String::new(), "()"),
    };
    docs(out, &method.docs, &format!("Calls `{}`.", method.full_name));
    if method.options.deprecated {
        out.push_str("#[deprecated]\n");
    }
    let _ = writeln!(
        out,
        "pub fn {}(&self{parameter}) -> {}::UnaryCall<{response}> {{",
        ident(&method.rust_name),
        paths.codegen
    );
    descriptor(out, method, paths);
    let _ = writeln!(out, "self.client.unary(&METHOD, &{data})\n}}");
}

fn is_empty(ty: &TypeDef) -> bool {
    ty.full_name() == Some("google.protobuf.Empty")
}

/// What the runtime needs to know about the method to call it.
fn descriptor(out: &mut String, method: &MethodDef, paths: &Paths) {
    let codegen = &paths.codegen;
    let number = method
        .options
        .number
        .unwrap_or_else(|| names::fnv1a64(&method.full_name));
    let mut options = String::new();
    if method.options.idempotent {
        options.push_str(".idempotent()");
    }
    if method.options.one_way {
        options.push_str(".one_way()");
    }
    let side =
        |ty: &rpc_schema::resolve::TypeRef| format!("<{} as {codegen}::Contract>::descriptor", type_path(ty));
    let _ = writeln!(
        out,
        "static METHOD: {codegen}::MethodDescriptor = {codegen}::MethodDescriptor::new(
             {},
             {},
             {number:#018x},
             {codegen}::MethodKind::Unary,
             {},
             {},
         ){options};",
        literal(&method.name),
        literal(&method.full_name),
        side(&method.request),
        side(&method.response),
    );
}
