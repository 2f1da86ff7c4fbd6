//! The clients: one method for each call, thin over the runtime's client.

use super::code::{Code, Paths, ident, literal, result, type_path};
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
        code.blank();
        match &service.origin {
            Origin::Crud(crud) => crud_method(code, crud.operations[at], method, crud, paths),
            Origin::Trait | Origin::Gateway => self::method(code, method, service, paths),
        }
    }
    code.close("}");
}

/// The struct, and what every client has.
fn head(code: &mut Code, service: &ServiceDef, paths: &Paths) {
    let codegen = &paths.codegen;
    let name = format!("{}Client", service.stem());
    code.docs(&service.docs, &format!("The service `{}`.", service.full_name));
    code.line("///");
    code.line(&format!(
        "/// Calls `{}` over one connection, which clones share.",
        service.full_name
    ));
    code.line("/// Nothing is sent before a call is awaited; dropping the future of one cancels it.");
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

fn method(code: &mut Code, method: &MethodDef, service: &ServiceDef, paths: &Paths) {
    let codegen = &paths.codegen;
    let (request, response) = (type_path(&method.request), type_path(&method.response));
    code.docs(&method.docs, &format!("Calls `{}`.", method.full_name));
    if let Some(about) = about(method) {
        code.line("///");
        about.lines().for_each(|line| code.line(&format!("/// {line}")));
    }
    deprecated(code, method);
    let name = method_name(method);
    if method.parameters.contains(&Parameter::Outgoing) {
        return session(code, &name, method, service, paths);
    }
    let has_data = method.parameters.contains(&Parameter::Data) || !is_empty(&method.request.ty);
    let mut parameters = vec!["&self".to_owned()];
    if method.kind.client_streams() {
        parameters.push(format!(
            "requests: impl {codegen}::Stream<Item = {request}> + ::core::marker::Send + 'static"
        ));
    } else if has_data {
        parameters.push(format!("request: {request}"));
    }
    let (call, function) = match method.kind {
        MethodKind::Unary => ("UnaryCall", "unary"),
        MethodKind::ServerStreaming => ("StreamingCall", "server_streaming"),
        MethodKind::ClientStreaming => ("ClientStreamingCall", "client_streaming"),
        MethodKind::Bidirectional => ("StreamingCall", "bidirectional"),
    };
    code.list(
        &format!("pub fn {name}"),
        &parameters,
        &format!(" -> {codegen}::{call}<{response}> {{"),
    );
    descriptor(code, method, paths);
    let data = match (method.kind.client_streams(), has_data) {
        (true, _) => "requests",
        (false, true) => "&request",
        (false, false) => "&()",
    };
    code.line(&format!("    self.client.{function}(&METHOD, {data})"));
    code.line("}");
}

/// The name of the client's method.
fn method_name(method: &MethodDef) -> String {
    match TAKEN.contains(&method.rust_name.as_str()) {
        true => format!("{}_call", method.rust_name),
        false => ident(&method.rust_name),
    }
}

fn deprecated(code: &mut Code, method: &MethodDef) {
    if method.options.deprecated {
        code.line("#[deprecated]");
    }
}

/// A session's methods take a closure, which is given the ends that the server's method has, reversed. There are two, as
/// the runtime has: a closure that is to be called again has to be asked for as one.
fn session(code: &mut Code, name: &str, method: &MethodDef, service: &ServiceDef, paths: &Paths) {
    let codegen = &paths.codegen;
    let (request, response) = (type_path(&method.request), type_path(&method.response));
    let mut again = format!("{}_with_reconnect", name.trim_start_matches("r#"));
    // A method of the contract keeps its name.
    while service.methods.iter().any(|other| method_name(other) == again) {
        again.push_str("_call");
    }
    for (name, call, bound, function) in [
        (name, "SessionCall", "FnOnce", "session"),
        (&again, "ReconnectingSession", "FnMut", "session_with_reconnect"),
    ] {
        if bound == "FnMut" {
            code.blank();
            code.lines(&format!(
                "/// The same as [`{0}`](Self::{0}), and runs `run` again, on a new call, when the connection was lost and is back.",
                method_name(method)
            ));
            deprecated(code, method);
        }
        code.lines(&format!(
            "pub fn {name}<F, Fut, T>(
    &self,
    run: F,
) -> {codegen}::{call}<{request}, {response}, F>
where
    F: {bound}(
        {codegen}::Outgoing<{request}>,
        {codegen}::Streaming<{response}>,
    ) -> Fut,
    Fut: ::core::future::Future<
        Output = {},
    >,
{{",
            result(paths, "T"),
        ));
        descriptor(code, method, paths);
        code.line(&format!("    self.client.{function}(&METHOD, run)"));
        code.line("}");
    }
}

/// What awaiting a call gives and dropping it does, where that is not what it is of every unary call.
fn about(method: &MethodDef) -> Option<&'static str> {
    Some(match method.kind {
        _ if method.parameters.contains(&Parameter::Outgoing) => {
            "Awaiting runs `run` with both ends of the call and gives what it returns, once the server's method has ended, too.
An error that it returns, and dropping the future, cancel the call."
        }
        MethodKind::Unary if method.options.one_way => {
            "Nothing comes back: awaiting ends when the request is on its way, and does not tell what became of it, nor that it
has left a program that ends right then."
        }
        MethodKind::Unary => return None,
        MethodKind::ServerStreaming => {
            "Awaiting gives the stream of responses once the server has opened it. Dropping the stream cancels the call."
        }
        MethodKind::ClientStreaming => {
            "Awaiting sends `requests` as the server takes them, and gives its response, which may come before they end.
Dropping the future cancels the call, and drops `requests`."
        }
        MethodKind::Bidirectional => {
            "Awaiting sends `requests` as the server takes them, and gives the stream of responses once the server has
opened it. Dropping the stream cancels the call, and drops `requests`."
        }
    })
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
    let kind = match method.kind {
        MethodKind::Unary => "Unary",
        MethodKind::ServerStreaming => "ServerStreaming",
        MethodKind::ClientStreaming => "ClientStreaming",
        MethodKind::Bidirectional => "Bidirectional",
    };
    let mut options = String::new();
    if let Some(deadline) = method.options.deadline {
        let duration = match (deadline.as_secs(), deadline.subsec_millis()) {
            (seconds, 0) => format!("from_secs({seconds})"),
            _ => format!("from_millis({})", deadline.as_millis()),
        };
        options.push_str(&format!("\n    .deadline(::core::time::Duration::{duration})"));
    }
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
        {codegen}::MethodKind::{kind},
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
