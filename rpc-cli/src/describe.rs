//! `rpc describe`: one symbol, with its docs, its rules and who may call it.

mod rules;

use std::collections::BTreeSet;

use prost_reflect::{
    Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
};
use serde_json::{Value, json};

use crate::cli::DescribeArgs;
use crate::dynamic::declared;
use crate::failure::{Exit, Failure};
use crate::names;
use crate::output::{self, HEAD, NAME, QUIET, one_line};
use crate::schema::{Method, Schema, Service, kind_name, messages_in};
use rules::Rules;

/// `rpc describe`
pub(crate) async fn run(args: &DescribeArgs) -> Result<(), Failure> {
    let schema = Schema::find(&args.server).await?;
    let (text, json) = describe(&schema, &args.symbol).await?;
    match args.output.json {
        true => output::line(&output::compact(&json))?,
        false => output::line(&text)?,
    }
    if let Schema::Asked { client, .. } = &schema {
        crate::connect::close(client).await;
    }
    Ok(())
}

/// What a symbol is.
enum Symbol<'a> {
    Service(&'a Service),
    Method(&'a Method),
    /// A message or an enum, as far as is known before its schema is there.
    Type(String),
}

/// Finds what is called so, or as much of the end as is unambiguous.
fn find<'a>(schema: &'a Schema, symbol: &str) -> Result<Symbol<'a>, Failure> {
    let services = schema.services().iter();
    let methods = || schema.services().iter().flat_map(|service| &service.methods);
    let known = services.map(|service| (service.full_name.clone(), Symbol::Service(service)));
    let known = known.chain(methods().map(|method| (method.full_name(), Symbol::Method(method))));
    let known = known.chain(
        types(schema)
            .into_iter()
            .map(|name| (name.clone(), Symbol::Type(name))),
    );
    if let Some(found) = names::meant(symbol, known)? {
        return Ok(found);
    }
    Ok(match schema.method(symbol) {
        Ok(method) => Symbol::Method(method),
        Err(_) => Symbol::Type(symbol.to_owned()),
    })
}

/// The types that are known without asking for their schemas.
fn types(schema: &Schema) -> BTreeSet<String> {
    if let Schema::Given { pool, .. } = schema {
        return names_in(pool).collect();
    }
    let methods = schema.services().iter().flat_map(|service| &service.methods);
    methods
        .flat_map(|method| [method.request_type.clone(), method.response_type.clone()])
        .collect()
}

async fn describe(schema: &Schema, symbol: &str) -> Result<(String, Value), Failure> {
    let name = match find(schema, symbol)? {
        Symbol::Service(service) => return Ok((service_text(service), service_json(service))),
        Symbol::Method(method) => return Ok((method_text(method), method_json(method))),
        Symbol::Type(name) => name,
    };
    if let Some(described) = of_type(schema, &name).await? {
        return Ok(described);
    }
    // It may be the end of a name, or almost one, that only the schemas know: of what lies in a request, or is an event.
    let types = all_types(schema).await?;
    let pairs = types.iter().map(|name| (name.clone(), name));
    if let Some(name) = names::meant(symbol, pairs)?
        && let Some(described) = of_type(schema, name).await?
    {
        return Ok(described);
    }
    let methods = schema.services().iter().flat_map(|service| &service.methods);
    let services = schema.services().iter().map(|service| service.full_name.clone());
    let known = services.chain(methods.map(Method::full_name)).chain(types);
    Err(names::no_such("service, method, message or enum", symbol, known))
}

/// A message or an enum of this full name, if there is one.
async fn of_type(schema: &Schema, name: &str) -> Result<Option<(String, Value)>, Failure> {
    Ok(schema.pool_of(name).await?.and_then(|pool| of_pool(&pool, name)))
}

/// Every type that the schemas of services and events name. They are asked for one by one, because those of several crates may
/// contradict each other; what there is no schema of, or a broken one, is left out.
async fn all_types(schema: &Schema) -> Result<BTreeSet<String>, Failure> {
    let mut found = types(schema);
    let Schema::Asked { services, .. } = schema else {
        return Ok(found);
    };
    let mut symbols = schema.events().await?;
    symbols.extend(services.iter().map(|service| service.full_name.clone()));
    for symbol in symbols {
        match schema.pool_of(&symbol).await {
            Ok(pool) => found.extend(pool.iter().flat_map(names_in)),
            Err(failure) if failure.exit == Exit::BadData => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(found)
}

/// The full names of the messages and enums of a pool.
fn names_in(pool: &DescriptorPool) -> impl Iterator<Item = String> {
    messages_in(pool).chain(pool.all_enums().map(|item| item.full_name().to_owned()))
}

fn of_pool(pool: &DescriptorPool, symbol: &str) -> Option<(String, Value)> {
    if let Some(message) = pool.get_message_by_name(symbol) {
        return Some((message_text(&message), message_json(&message)));
    }
    let item = pool.get_enum_by_name(symbol)?;
    Some((enum_text(&item), enum_json(&item)))
}

fn service_text(service: &Service) -> String {
    let mut text = comment(&service.docs, "");
    text.push_str(&format!(
        "{HEAD}service {}{HEAD:#} {{",
        one_line(&service.full_name)
    ));
    for method in &service.methods {
        text.push('\n');
        text.push_str(&comment(&method.docs, "  "));
        text.push_str(&format!("  {}", signature(method)));
    }
    text.push_str("\n}");
    text
}

fn method_text(method: &Method) -> String {
    let mut text = comment(&method.docs, "");
    text.push_str(&format!("{}\n", signature(method)));
    let service = one_line(&method.service);
    text.push_str(&format!(
        "  of       {service}\n  kind     {}\n",
        kind_name(method.kind)
    ));
    text.push_str(&format!("  number   {:#018x}", method.number));
    if let Some(access) = access_text(method) {
        text.push_str(&format!("\n  asks for {access}"));
    }
    if let Some(deadline) = method.deadline {
        text.push_str(&format!("\n  deadline {deadline:?}"));
    }
    if method.idempotent {
        text.push_str("\n  idempotent: may be called twice");
    }
    if method.one_way {
        text.push_str("\n  one way: nothing is sent back");
    }
    text
}

fn signature(method: &Method) -> String {
    use rpc_runtime::contract::MethodKind::{Bidirectional, ServerStreaming};
    let stream = |streams: bool| if streams { "stream " } else { "" };
    let answers = matches!(method.kind, ServerStreaming | Bidirectional);
    format!(
        "rpc {NAME}{}{NAME:#}({}{}) returns ({}{})",
        one_line(&method.name),
        stream(method.takes_stream()),
        one_line(&method.request_type),
        stream(answers),
        one_line(&method.response_type),
    )
}

/// What a method asks of those who call it, if anything.
pub(crate) fn access_text(method: &Method) -> Option<String> {
    let auth = method.auth.then(|| "authentication".to_owned());
    let guards = method
        .guards
        .iter()
        .map(|guard| format!("guard {}", one_line(guard)));
    let asks: Vec<String> = auth.into_iter().chain(guards).collect();
    (!asks.is_empty()).then(|| asks.join(", "))
}

pub(crate) fn service_json(service: &Service) -> Value {
    json!({
        "service": service.full_name,
        "docs": service.docs,
        "methods": service.methods.iter().map(method_json).collect::<Vec<_>>(),
    })
}

pub(crate) fn method_json(method: &Method) -> Value {
    json!({
        "method": method.full_name(),
        "name": method.name,
        "number": method.number.to_string(),
        "kind": kind_name(method.kind),
        "requestType": method.request_type,
        "responseType": method.response_type,
        "docs": method.docs,
        "auth": method.auth,
        "guards": method.guards,
        "deadlineSeconds": method.deadline.map(|time| time.as_secs_f64()),
        "idempotent": method.idempotent,
        "oneWay": method.one_way,
    })
}

fn message_text(message: &MessageDescriptor) -> String {
    let file = message.parent_file();
    let mut text = comment(&comments(&file, message.path()), "");
    text.push_str(&format!(
        "{HEAD}message {}{HEAD:#} {{",
        one_line(message.full_name())
    ));
    for field in declared(message) {
        text.push('\n');
        text.push_str(&comment(&comments(&file, field.path()), "  "));
        let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        let oneof = oneof.map_or_else(String::new, |oneof| format!("oneof {}: ", one_line(oneof.name())));
        let (kind, name) = (type_of(&field), one_line(field.name()));
        let number = field.number();
        text.push_str(&format!(
            "  {QUIET}{oneof}{QUIET:#}{kind} {NAME}{name}{NAME:#} = {number}"
        ));
        if let Some(rules) = Rules::of(&field) {
            text.push_str(&format!("  {QUIET}{}{QUIET:#}", one_line(&rules.words())));
        }
    }
    text.push_str("\n}");
    text
}

fn message_json(message: &MessageDescriptor) -> Value {
    let file = message.parent_file();
    let fields = declared(message).into_iter().map(|field| {
        let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        json!({
            "name": field.name(),
            "jsonName": field.json_name(),
            "number": field.number(),
            "type": type_of(&field),
            "oneof": oneof.map(|oneof| oneof.name().to_owned()),
            "docs": comments(&file, field.path()),
            "rules": Rules::of(&field).and_then(|rules| rules.json()),
        })
    });
    json!({
        "message": message.full_name(),
        "docs": comments(&file, message.path()),
        "fields": fields.collect::<Vec<_>>(),
    })
}

/// A field's type, as a schema writes it.
fn type_of(field: &FieldDescriptor) -> String {
    if field.is_map()
        && let Kind::Message(entry) = field.kind()
    {
        let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
        return format!("map<{}, {}>", kind_text(&key.kind()), kind_text(&value.kind()));
    }
    let kind = kind_text(&field.kind());
    match field.cardinality() {
        Cardinality::Repeated => format!("repeated {kind}"),
        Cardinality::Required => format!("required {kind}"),
        Cardinality::Optional => {
            let explicit = field.containing_oneof().is_some_and(|oneof| oneof.is_synthetic());
            if explicit {
                format!("optional {kind}")
            } else {
                kind
            }
        }
    }
}

fn kind_text(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => one_line(message.full_name()),
        Kind::Enum(item) => one_line(item.full_name()),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

fn enum_text(item: &EnumDescriptor) -> String {
    let file = item.parent_file();
    let mut text = comment(&comments(&file, item.path()), "");
    text.push_str(&format!("{HEAD}enum {}{HEAD:#} {{", one_line(item.full_name())));
    for value in item.values() {
        text.push('\n');
        text.push_str(&comment(&comments(&file, value.path()), "  "));
        let name = one_line(value.name());
        text.push_str(&format!("  {NAME}{name}{NAME:#} = {}", value.number()));
    }
    text.push_str("\n}");
    text
}

fn enum_json(item: &EnumDescriptor) -> Value {
    let file = item.parent_file();
    let values = item.values().map(|value| {
        json!({
            "name": value.name(),
            "number": value.number(),
            "docs": comments(&file, value.path()),
        })
    });
    json!({
        "enum": item.full_name(),
        "docs": comments(&file, item.path()),
        "values": values.collect::<Vec<_>>(),
    })
}

/// The comment in front of what has this path in a file, without marks.
pub(crate) fn comments(file: &FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let place = info
        .into_iter()
        .flat_map(|info| &info.location)
        .find(|place| place.path == path);
    let lines = place.map_or("", |place| place.leading_comments()).lines();
    let lines: Vec<&str> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n").trim_end().to_owned()
}

/// Docs as a comment, with a line break behind.
fn comment(docs: &str, indent: &str) -> String {
    let line = |line: &str| format!("{indent}{QUIET}// {}{QUIET:#}\n", one_line(line));
    docs.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docs_become_comments_line_by_line() {
        let shown = comment("One.\nTwo \u{1b}[1m.", "  ");
        let plain = anstream::adapter::strip_str(&shown).to_string();
        assert_eq!(plain, "  // One.\n  // Two \\u{1b}[1m.\n");
        assert_eq!(comment("", "  "), "");
    }
}
