//! The gateways: they read like something a person would write, with the macros that a person uses too.

use super::code::{Code, Paths, access_keys, ident, literal, option_keys, parameters, result, type_path};
use rpc_schema::model::{MethodKind, Operation, Parameter};
use rpc_schema::names;
use rpc_schema::resolve::{ChangesDef, CrudDef, MethodDef, ServiceDef};
use rpc_schema::types::Scalar;

/// The names that every gateway has; a handler of such a name gets another.
const TAKEN: [&str; 2] = ["new", "service"];

/// Adds the gateway of a CRUD service.
pub(super) fn emit_crud(code: &mut Code, package: &str, service: &ServiceDef, crud: &CrudDef, paths: &Paths) {
    open(code, package, service, &service.name, paths);
    for (at, (operation, method)) in crud.operations.iter().zip(&service.methods).enumerate() {
        if at > 0 {
            code.blank();
        }
        crud_method(code, *operation, method, crud, paths);
    }
    code.close("}");
}

/// Adds the gateway of a trait contract.
pub(super) fn emit_trait(
    code: &mut Code,
    package: &str,
    service: &ServiceDef,
    contract: &str,
    paths: &Paths,
) {
    open(code, package, service, contract, paths);
    for (at, method) in service.methods.iter().enumerate() {
        if at > 0 {
            code.blank();
        }
        trait_method(code, method, contract, paths);
    }
    code.close("}");
}

/// The struct, what makes one, and the head of its `#[rpc]` impl.
fn open(code: &mut Code, package: &str, service: &ServiceDef, bound: &str, paths: &Paths) {
    let gateway = format!("{}Gateway", service.stem());
    let link = bound.strip_prefix("::").unwrap_or(bound);
    code.docs(&service.docs, &format!("The service `{}`.", service.full_name));
    code.lines(&format!(
        "///
/// Serves `{}` with an implementation of [`{link}`].
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
",
        service.full_name,
    ));
    code.blank();
    if service.deprecated {
        code.line("#[allow(deprecated)]");
    }
    let mut keys = vec![literal(package)];
    keys.extend(access_keys(&service.access));
    keys.push("generated".to_owned());
    code.line(&format!("#[{}::rpc({})]", paths.runtime, keys.join(", ")));
    code.open(&format!("impl<S: {bound}> {gateway}<S> {{"));
}

fn crud_method(code: &mut Code, operation: Operation, method: &MethodDef, crud: &CrudDef, paths: &Paths) {
    let (request, response) = (type_path(&method.request), type_path(&method.response));
    let codegen = &paths.codegen;
    let data = match operation {
        Operation::GetAll => "_data",
        _ => "data",
    };
    code.docs(&method.docs, "");
    code.line(&format!("#[message({})]", literal(request)));
    let parameters = [
        "&self".to_owned(),
        format!("cx: &{codegen}::Context"),
        format!("{data}: {request}"),
    ];
    code.list(
        &format!("async fn {}", operation.key()),
        &parameters,
        &format!(" -> {} {{", result(paths, response)),
    );
    code.lines(&crud_body(operation, response, crud, codegen));
    code.line("}");
}

/// What the handler of a CRUD call does: calls the service, and where the contract has `changes` publishes what the service
/// answered.
fn crud_body(operation: Operation, response: &str, crud: &CrudDef, codegen: &str) -> String {
    let id = ident(&crud.id);
    // A string is needed twice; a number is copied.
    let clone = if crud.id_scalar == Scalar::String {
        ".clone()"
    } else {
        ""
    };
    let item = format!(
        "    let mut item = data
        .item
        .ok_or_else(|| {codegen}::Status::invalid_argument(\"the item is missing\"))?;"
    );
    let published = |change: &str| match &crud.changes {
        Some(changes) => {
            let event = type_path(&changes.event);
            format!("\n    {codegen}::publish_{change}::<{event}>(cx, &item).await;")
        }
        None => String::new(),
    };
    let answer = format!(
        "    ::core::result::Result::Ok({response} {{
        id: item.{id}{clone},
        item: ::core::option::Option::Some(item),
    }})"
    );
    match operation {
        Operation::Add => format!(
            "{item}
    item.{id} = ::core::default::Default::default();
    let item = self.service.add(cx, item).await?;{}
{answer}",
            published("added")
        ),
        Operation::Update => format!(
            "{item}
    item.{id} = data.id{clone};
    let item = self.service.update(cx, data.id, item).await?;{}
{answer}",
            published("updated")
        ),
        Operation::Delete => {
            let (publish, id) = match &crud.changes {
                Some(changes) => (deletion(changes, codegen), "deleted.id"),
                None => (String::new(), "data.id"),
            };
            format!(
                "    let success = self.service.delete(cx, data.id{clone}).await?;{publish}
    ::core::result::Result::Ok({response} {{
        success,
        id: {id},
    }})"
            )
        }
        Operation::GetAll => format!(
            "    let items = self.service.get_all(cx).await?;
    ::core::result::Result::Ok({response} {{ items }})"
        ),
    }
}

/// Publishes that something is gone, if it was there.
fn deletion(changes: &ChangesDef, codegen: &str) -> String {
    format!(
        "
    let deleted = {} {{ id: data.id }};
    if success {{
        {codegen}::publish_deleted::<{}>(cx, &deleted).await;
    }}",
        type_path(&changes.deleted),
        type_path(&changes.event),
    )
}

fn trait_method(code: &mut Code, method: &MethodDef, contract: &str, paths: &Paths) {
    code.docs(
        &method.docs,
        &format!("Calls [`{}`]({contract}::{}).", method.name, method.rust_name),
    );
    let called = ident(&method.rust_name);
    let handler = match TAKEN.contains(&method.rust_name.as_str()) {
        true => format!("{}_call", method.rust_name),
        false => called.clone(),
    };
    let mut keys = Vec::new();
    if names::upper_camel_case(handler.trim_start_matches("r#")) != method.name {
        keys.push(format!("name = {}", literal(&method.name)));
    }
    keys.extend(option_keys(&method.options));
    match keys.as_slice() {
        [] => code.line("#[message]"),
        keys => code.line(&format!("#[message({})]", keys.join(", "))),
    }
    if method.options.deprecated {
        code.line("#[deprecated]");
    }
    let session = method.parameters.contains(&Parameter::Outgoing);
    // What is streamed may borrow the service and the context, which a crate before edition 2024 has to say.
    let streams = method.kind.server_streams() && !session;
    let generics = if streams { "<'a>" } else { "" };
    let answer = match method.kind {
        _ if session => result(paths, "()"),
        MethodKind::Unary | MethodKind::ClientStreaming => result(paths, type_path(&method.response)),
        MethodKind::ServerStreaming | MethodKind::Bidirectional => format!(
            "::core::result::Result<
    impl {codegen}::Stream<
        Item = {},
    > + ::core::marker::Send + 'a,
    {codegen}::Status,
>",
            result(paths, type_path(&method.response)),
            codegen = paths.codegen,
        ),
    };
    let (mut declared, passed) = parameters(paths, method);
    if streams {
        for parameter in &mut declared {
            *parameter = parameter.replacen('&', "&'a ", 1);
        }
    }
    code.list(
        &format!("async fn {handler}{generics}"),
        &declared,
        &format!(" -> {answer} {{"),
    );
    let passed: String = passed.iter().map(|name| format!(", {name}")).collect();
    code.line(&format!(
        "    <S as {contract}>::{called}(&self.service{passed}).await"
    ));
    code.line("}");
}
