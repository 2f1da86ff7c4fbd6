//! The clients: one method for each unary call, thin over the runtime's client.

use super::code::{Code, Paths, ident, literal, type_path};
use super::service_trait::id_type;
use rpc_schema::model::{MethodKind, Operation, Parameter};
use rpc_schema::names;
use rpc_schema::resolve::{CrudDef, MethodDef, Origin, ServiceDef, TypeDef, TypeRef};

/// The names that every client has; a call of such a name gets another.
const TAKEN: [&str; 3] = ["connect", "new", "client"];

/// Adds the client of a service.
pub(super) fn emit(code: &mut Code, service: &ServiceDef, paths: &Paths) {
    head(code, service, paths);
    for (at, method) in service.methods.iter().enumerate() {
        if method.kind != MethodKind::Unary {
            continue;
        }
        code.blank();
        match &service.origin {
            Origin::Crud(crud) => crud_method(code, crud.operations[at], method, crud, paths),
            Origin::Trait | Origin::Gateway => self::method(code, method, paths),
        }
    }
    code.close("}");
}

/// The struct, and what every client has.
fn head(code: &mut Code, service: &ServiceDef, paths: &Paths) {
    let codegen = &paths.codegen;
    let name = format!("{}Client", service.stem());
    let streaming: Vec<String> = service
        .methods
        .iter()
        .filter(|method| method.kind != MethodKind::Unary)
        .map(|method| format!("`{}`", method.name))
        .collect();
    code.docs(&service.docs, &format!("The service `{}`.", service.full_name));
    code.line("///");
    code.line(&format!(
        "/// Calls `{}` over one connection, which clones share.",
        service.full_name
    ));
    if !streaming.is_empty() {
        code.line("///");
        code.line(&format!(
            "/// Streaming calls have no methods here yet: {}.",
            streaming.join(", ")
        ));
    }
    if service.deprecated {
        code.line("#[deprecated]");
    }
    code.lines(&format!(
        "#[derive(Debug, Clone)]
pub struct {name} {{
    client: {codegen}::Client,
}}
"
    ));
    code.blank();
    if service.deprecated {
        code.line("#[allow(deprecated)]");
    }
    code.open(&format!("impl {name} {{"));
    code.lines(&format!(
        "/// Connects to a server, such as `ws://127.0.0.1:3000/rpc`.
///
/// # Errors
///
/// When the address is none, nobody answers there, or the server refuses.
pub async fn connect(url: &str) -> ::core::result::Result<Self, {codegen}::CallError> {{
    let client = {codegen}::Client::connect(url).await?;
    ::core::result::Result::Ok(Self::new(client))
}}

/// Calls over a connection that is there already; clients of several services may share one.
pub fn new(client: {codegen}::Client) -> Self {{
    Self {{ client }}
}}

/// The connection.
pub fn client(&self) -> &{codegen}::Client {{
    &self.client
}}"
    ));
}

fn crud_method(code: &mut Code, operation: Operation, method: &MethodDef, crud: &CrudDef, paths: &Paths) {
    let item = &crud.rust;
    let (request, response) = (type_path(&method.request), type_path(&method.response));
    let mut parameters = vec!["&self".to_owned()];
    let mut fields = Vec::new();
    if matches!(operation, Operation::Update | Operation::Delete) {
        parameters.push(format!("id: {}", id_type(crud.id_scalar)));
        fields.push("id");
    }
    if matches!(operation, Operation::Add | Operation::Update) {
        parameters.push(format!("item: {item}"));
        fields.push("item: ::core::option::Option::Some(item)");
    }
    let (answer, map) = match operation {
        // A server of this crate always answers with the item; another might not.
        Operation::Add | Operation::Update => (
            item.clone(),
            format!(
                "try_map(|response: {response}| {{
    response
        .item
        .ok_or_else(|| {}::Status::internal(\"the answer has no item\"))
}})",
                paths.codegen
            ),
        ),
        Operation::Delete => (
            "bool".to_owned(),
            format!("map(|response: {response}| response.success)"),
        ),
        Operation::GetAll => (
            format!("::std::vec::Vec<{item}>"),
            format!("map(|response: {response}| response.items)"),
        ),
    };
    code.docs(&method.docs, "");
    code.list(
        &format!("pub fn {}", operation.key()),
        &parameters,
        &format!(" -> {}::UnaryCall<{response}, {answer}> {{", paths.codegen),
    );
    descriptor(code, method, paths);
    let fields = match fields.as_slice() {
        [] => String::new(),
        fields => format!(" {} ", fields.join(", ")),
    };
    code.line(&format!("    let request = {request} {{{fields}}};"));
    code.line("    self.client");
    code.line("        .unary(&METHOD, &request)");
    let map = format!(".{map}");
    code.lines(
        &map.lines()
            .map(|line| format!("        {line}\n"))
            .collect::<String>(),
    );
    code.line("}");
}

fn method(code: &mut Code, method: &MethodDef, paths: &Paths) {
    let (request, response) = (type_path(&method.request), type_path(&method.response));
    let has_data = method.parameters.contains(&Parameter::Data) || !is_empty(&method.request.ty);
    let mut parameters = vec!["&self".to_owned()];
    if has_data {
        parameters.push(format!("request: {request}"));
    }
    code.docs(&method.docs, &format!("Calls `{}`.", method.full_name));
    if method.options.deprecated {
        code.line("#[deprecated]");
    }
    let name = match TAKEN.contains(&method.rust_name.as_str()) {
        true => format!("{}_call", method.rust_name),
        false => ident(&method.rust_name),
    };
    code.list(
        &format!("pub fn {name}"),
        &parameters,
        &format!(" -> {}::UnaryCall<{response}> {{", paths.codegen),
    );
    descriptor(code, method, paths);
    let data = if has_data { "request" } else { "()" };
    code.line(&format!("    self.client.unary(&METHOD, &{data})"));
    code.line("}");
}

fn is_empty(ty: &TypeDef) -> bool {
    ty.full_name() == Some("google.protobuf.Empty")
}

/// What the runtime needs to know about the method to call it.
fn descriptor(code: &mut Code, method: &MethodDef, paths: &Paths) {
    let codegen = &paths.codegen;
    let number = method
        .options
        .number
        .unwrap_or_else(|| names::fnv1a64(&method.full_name));
    let mut options = String::new();
    if method.options.idempotent {
        options.push_str("\n    .idempotent()");
    }
    if method.options.one_way {
        options.push_str("\n    .one_way()");
    }
    code.lines(&format!(
        "    static METHOD: {codegen}::MethodDescriptor = {codegen}::MethodDescriptor::new(
        {},
        {},
        {number:#018x},
        {codegen}::MethodKind::Unary,
        {},
        {},
    ){options};",
        literal(&method.name),
        literal(&method.full_name),
        side(&method.request, paths),
        side(&method.response, paths),
    ));
}

/// The function that gives the descriptor of a request or response.
fn side(ty: &TypeRef, paths: &Paths) -> String {
    format!("<{} as {}::Contract>::descriptor", type_path(ty), paths.codegen)
}
