//! The events of controllers with `changes`: enums that read like contracts a person would write, because they are some.
//! prost-build would make a struct with an enum inside of them.

use super::code::{Code, Paths, literal};
use rpc_schema::resolve::{FieldDef, MessageDef, Schema, TypeDef};
use std::collections::BTreeMap;

/// The events of all controllers, which no contract is and prost-build is not to make.
pub(super) fn events(schema: &Schema) -> impl Iterator<Item = (&str, &MessageDef)> {
    schema.files.iter().flat_map(|file| {
        let generated = file.messages.iter().filter(|message| is_event(message));
        generated.map(|message| (file.package.as_str(), message))
    })
}

/// Whether a message is the event of a controller.
pub(super) fn is_event(message: &MessageDef) -> bool {
    message.rust.is_none() && message.event
}

/// The events of one package. `contracts` are the Rust paths of full names.
pub(super) fn emit(
    schema: &Schema,
    package: &str,
    contracts: &BTreeMap<String, String>,
    paths: &Paths,
) -> String {
    let mut code = Code::default();
    for (_, message) in events(schema).filter(|(of, _)| *of == package) {
        code.blank();
        event(&mut code, package, message, contracts, paths);
    }
    code.finish()
}

fn event(
    code: &mut Code,
    package: &str,
    message: &MessageDef,
    contracts: &BTreeMap<String, String>,
    paths: &Paths,
) {
    // The contract that it was generated from is checked where it stands, as this one's schema is with it: `detached`.
    let mut keys = vec![format!("package = {}", literal(package)), "event".to_owned()];
    keys.extend(
        message
            .channels
            .iter()
            .map(|channels| format!("channels = {}", literal(channels))),
    );
    keys.push("detached".to_owned());
    code.docs(&message.docs, "");
    code.line(&format!("#[{}::contract({})]", paths.runtime, keys.join(", ")));
    code.line("#[allow(clippy::large_enum_variant)]");
    code.open(&format!("pub enum {} {{", message.name));
    code.line("/// No change, or one that this side does not know.");
    code.line("#[default]");
    code.line("Unset,");
    for field in &message.fields {
        code.docs(&field.docs, "");
        code.line(&format!("#[field(tag = {})]", field.number));
        code.line(&format!("{}({}),", field.rust_name, value(field, contracts)));
    }
    code.close("}");
}

/// A contract's path, or the name of a message of the same module.
fn value<'a>(field: &'a FieldDef, contracts: &'a BTreeMap<String, String>) -> &'a str {
    match &field.ty {
        TypeDef::Scalar(scalar) => scalar.rust_name(),
        TypeDef::Message { full_name, .. } | TypeDef::Enum { full_name, .. } => {
            contracts.get(full_name).map_or_else(
                || full_name.rsplit('.').next().unwrap_or(full_name),
                String::as_str,
            )
        }
    }
}
