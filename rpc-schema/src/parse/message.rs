//! `#[contract]` on a struct.

use super::{access, common, event, field, refuse_generics, refuse_keys, reserved, type_name};
use crate::channels::{self, Segment};
use crate::diagnostics::Errors;
use crate::keys::Keys;
use crate::model::{Crud, Field, Message, Operation};
use crate::names;
use crate::types::Cardinality;
use syn::{Fields, ItemStruct};

/// Reads a struct.
pub(super) fn parse(keys: &mut Keys, item: &ItemStruct, errors: &mut Errors) -> Option<Message> {
    let controller = type_name(keys, "controller", "Task", errors);
    let name = type_name(keys, "message", "TaskList", errors)
        .or_else(|| controller.clone())
        .unwrap_or_else(|| names::plain(&item.ident));
    let common = common(keys, &item.attrs, &item.ident, name, errors);
    let (event, channels) = event(keys, errors);
    let mut message = Message {
        ident: item.ident.clone(),
        common,
        fields: Vec::new(),
        skipped: Vec::new(),
        unset: None,
        oneof: false,
        unit: matches!(item.fields, Fields::Unit),
        reserved: reserved(keys, 1..=field::MAX_NUMBER, errors),
        crud: None,
        event,
        channels,
    };
    if controller.is_none() {
        refuse_keys(
            keys,
            &["auth", "guard", "operations"],
            "is about a service's calls; add `controller = \"…\"`, or move it to a trait",
            errors,
        );
        refuse_keys(
            keys,
            &["changes"],
            "is about what a controller's calls do; add `controller = \"…\"`, or leave it out",
            errors,
        );
    }
    let operations = operations(keys, errors);
    let changes = controller
        .as_ref()
        .and_then(|_| changes(keys, &operations, errors));
    let access = access(keys, errors);
    if refuse_generics(&item.generics, "contract", errors) {
        return None;
    }
    let complete = match &item.fields {
        Fields::Named(fields) => {
            let known = errors.iter().count();
            field::parse_all(
                &mut message,
                fields.named.iter().map(field::Source::of_field),
                errors,
            );
            errors.iter().count() == known
        }
        Fields::Unit => true,
        Fields::Unnamed(fields) => {
            errors.at(
                fields,
                format!("a contract's fields have names, which stand in its schema; write `struct {} {{ pub …: … }}`", item.ident),
            );
            return None;
        }
    };
    check_ids(&message.fields, errors);
    if let Some(controller) = controller {
        if let Some(field) = message
            .fields
            .iter()
            .find(|field| field.facts.id && !field.rules.is_empty())
        {
            errors.at(
                &field.ident,
                "a controller's id has no rules: the service assigns it, and what a client sends with `add` is \
                 ignored; remove them, and check ids in the service",
            );
        }
        if complete && !message.fields.iter().any(|field| field.facts.id) {
            let advice = match message.fields.iter().find(|field| field.name == "id") {
                Some(field) => format!("put `#[field(id)]` on `{}`", field.ident),
                None => "add `#[field(id)] pub id: String`".to_owned(),
            };
            errors.at(
                &item.ident,
                format!(
                    "`{}` has a controller, so its records need a key; {advice}",
                    item.ident
                ),
            );
        }
        message.crud = Some(Crud {
            controller,
            operations,
            access,
            changes,
        });
    }
    Some(message)
}

/// Which calls a controller has; all of them unless said otherwise.
fn operations(keys: &mut Keys, errors: &mut Errors) -> Vec<Operation> {
    let given = keys.list("operations", "add, get_all", errors);
    if given.is_empty() {
        return Operation::ALL
            .into_iter()
            .map(|(operation, _)| operation)
            .collect();
    }
    let mut operations = Vec::new();
    for expr in given {
        let name = match &expr {
            syn::Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
            _ => None,
        };
        match Operation::ALL
            .into_iter()
            .find(|(_, key)| name.as_deref() == Some(key))
        {
            Some((operation, _)) if !operations.contains(&operation) => operations.push(operation),
            Some((_, key)) => errors.at(&expr, format!("`{key}` is given twice; keep one of them")),
            None => errors.at(&expr, "`operations` knows add, update, delete and get_all"),
        }
    }
    operations.sort_unstable();
    operations
}

/// The channel that is told of changes: one, because nobody knows a parameter's value where something is deleted.
fn changes(keys: &mut Keys, operations: &[Operation], errors: &mut Errors) -> Option<String> {
    let channel = keys.string("changes", "tasks", errors)?;
    let name = channel.value();
    match channels::parse(&name) {
        Err(mistake) => errors.at(&channel, mistake),
        Ok(segments) => {
            let parameter = segments.iter().find_map(|segment| match segment {
                Segment::Parameter(name) => Some(*name),
                Segment::Literal(_) => None,
            });
            if let Some(parameter) = parameter {
                errors.at(
                    &channel,
                    format!(
                        "all changes go to one channel, and nothing says what `{{{parameter}}}` is; name the channel, like \
                         `changes = \"tasks\"`, or publish from the service"
                    ),
                );
            } else if !operations.iter().any(|operation| operation.changes()) {
                errors.at(
                    &channel,
                    "none of the `operations` changes anything; add `add`, `update` or `delete`, or leave `changes` out",
                );
            }
        }
    }
    Some(name)
}

fn check_ids(fields: &[Field], errors: &mut Errors) {
    let mut ids = fields.iter().filter(|field| field.facts.id);
    let first = ids.next();
    for field in ids {
        let first = first.map(|field| &field.ident).unwrap_or(&field.ident);
        errors.at(
            &field.ident,
            format!("`{first}` is the id already; a contract has one `#[field(id)]`"),
        );
    }
    if let Some(field) = first {
        use crate::types::Scalar::{Int32, Int64, String, Uint32, Uint64};
        let fits = matches!(field.ty.cardinality, Cardinality::Singular)
            && matches!(
                field.ty.value.scalar(),
                Some(String | Int32 | Int64 | Uint32 | Uint64)
            );
        if !fits {
            errors.at(
                &field.ty.rust,
                "an id is a `String` or a whole number (`i32`, `i64`, `u32`, `u64`)",
            );
        }
    }
}
