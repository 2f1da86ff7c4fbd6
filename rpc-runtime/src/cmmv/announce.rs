//! The script that tells CMMV's clients what there is: indexes, and messages as protobufjs reads them from JSON.
//!
//! The JSON is put together by hand: all that stands in it are names of protobuf, which need no escapes.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    answers::Operation,
    contract::{View, simple_name},
    explicit::Explicit,
};
use crate::contract::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

/// Where types are that a contract's fields have: not beside the contract's messages, whose names may be theirs.
const REFERENCED: &str = "referenced";

/// What no contract may be called, because something else is.
pub(super) const TAKEN: [&str; 3] = ["ws", "wserror", REFERENCED];

const SCRIPT: &str = "(function (global) {\n  try {\n    global.cmmv.addContracts(DATA);\n  } catch (error) {\n    \
                      console.error(\"Error loading contracts:\", error);\n  }\n})(typeof window !== \"undefined\" ? window : global);\n";

/// CMMV's own messages, which have contracts of their own.
const WS: &str = r#""ws":{"nested":{"ws":{"nested":{"WsCall":{"fields":{"contract":{"type":"int32","id":1},"message":{"type":"int32","id":2},"data":{"type":"bytes","id":3}}}}}}}"#;
const WSERROR: &str = r#""wserror":{"nested":{"wserror":{"nested":{"WsError":{"fields":{"message":{"type":"string","id":1},"code":{"type":"int32","id":2},"context":{"type":"string","id":3}}}}}}}"#;

/// The script for some contracts.
pub(super) fn script(views: &[View]) -> String {
    let mut index = String::new();
    let mut contracts = String::new();
    for (number, view) in views.iter().enumerate() {
        let names = view.message_names();
        let types = names
            .iter()
            .enumerate()
            .map(|(number, name)| format!("\"{name}\":{number}"));
        let types = types.collect::<Vec<_>>().join(",");
        let _ = write!(
            index,
            "\"{}\":{{\"index\":{number},\"types\":{{{types}}}}},",
            view.name
        );
        let _ = write!(contracts, "\"{}\":{},", view.name, contract(view));
    }
    let (ws, wserror) = (views.len(), views.len() + 1);
    let _ = write!(
        index,
        r#""ws":{{"index":{ws},"types":{{"WsCall":0}}}},"wserror":{{"index":{wserror},"types":{{"WsError":0}}}}"#
    );
    let data = format!("{{\"index\":{{{index}}},\"contracts\":{{{contracts}{WS},{WSERROR}}}}}");
    SCRIPT.replace("DATA", &data)
}

/// A contract's messages, one level below the root: there CMMV's client looks for those that it makes functions of.
fn contract(view: &View) -> String {
    let mut types = Types {
        view,
        explicit: Explicit {
            item: view.item,
            limit: usize::MAX,
        },
        known: BTreeMap::new(),
    };
    let item = view.item_name();
    let fields = types.fields(view.item);
    let id = type_name(types.explicit.id_kind());
    let mut messages = format!("\"{item}\":{fields},");
    let list = view.list_name();
    let _ = write!(
        messages,
        r#""{list}":{{"fields":{{"items":{{"rule":"repeated","type":"{item}","id":1}}}}}}"#
    );
    for operation in Operation::ALL {
        let of_item = |number| format!(r#""item":{{"type":"{item}","id":{number}}}"#);
        let of_id = |number| format!(r#""id":{{"type":"{id}","id":{number}}}"#);
        let (request, response) = match operation {
            Operation::Add => (of_item(1), format!("{},{}", of_id(1), of_item(2))),
            Operation::Update => (
                format!("{},{}", of_id(1), of_item(2)),
                format!("{},{}", of_id(1), of_item(2)),
            ),
            Operation::Delete => (
                of_id(1),
                format!(
                    r#""success":{{"type":"bool","id":1}},"affected":{{"type":"int32","id":2}},{}"#,
                    of_id(3)
                ),
            ),
            Operation::GetAll => (String::new(), format!(r#""items":{{"type":"{list}","id":1}}"#)),
        };
        let names = (view.request_name(operation), view.response_name(operation));
        let _ = write!(messages, r#","{}":{{"fields":{{{request}}}}}"#, names.0);
        let _ = write!(messages, r#","{}":{{"fields":{{{response}}}}}"#, names.1);
    }
    let mut namespaces = format!(r#""{}":{{"nested":{{{messages}}}}}"#, view.name);
    if !types.known.is_empty() {
        let known: Vec<_> = types
            .known
            .iter()
            .map(|(name, (_, json))| format!("\"{name}\":{json}"))
            .collect();
        let _ = write!(
            namespaces,
            r#","{REFERENCED}":{{"nested":{{{}}}}}"#,
            known.join(",")
        );
    }
    format!("{{\"nested\":{{{namespaces}}}}}")
}

/// The types of one contract.
struct Types<'a> {
    view: &'a View,
    explicit: Explicit,
    /// Those that its fields have, by their names in `REFERENCED`: their full names and their JSON.
    known: BTreeMap<String, (&'static str, String)>,
}

impl Types<'_> {
    /// A message as JSON; what its fields have becomes known.
    fn fields(&mut self, message: &'static MessageDescriptor) -> String {
        let mut fields = Vec::new();
        let mut oneofs = Vec::new();
        let explicit = self.explicit;
        for field in message.fields.iter().filter(|field| explicit.has(message, field)) {
            fields.push(format!("\"{}\":{{{}}}", field.name, self.field(field)));
            if let Cardinality::Optional = field.cardinality {
                oneofs.push(format!(r#""_{0}":{{"oneof":["{0}"]}}"#, field.name));
            }
        }
        if let Some(oneof) = message.oneof {
            let members: Vec<_> = message
                .fields
                .iter()
                .map(|field| format!("\"{}\"", field.name))
                .collect();
            oneofs.push(format!(r#""{oneof}":{{"oneof":[{}]}}"#, members.join(",")));
        }
        let oneofs = match oneofs.is_empty() {
            true => String::new(),
            false => format!(r#""oneofs":{{{}}},"#, oneofs.join(",")),
        };
        format!("{{{oneofs}\"fields\":{{{}}}}}", fields.join(","))
    }

    fn field(&mut self, field: &FieldDescriptor) -> String {
        let (kind, number) = (self.kind(field.kind), field.number);
        match field.cardinality {
            Cardinality::Singular | Cardinality::Member => format!(r#""type":"{kind}","id":{number}"#),
            Cardinality::Optional => {
                format!(r#""type":"{kind}","id":{number},"options":{{"proto3_optional":true}}"#)
            }
            Cardinality::Repeated => format!(r#""rule":"repeated","type":"{kind}","id":{number}"#),
            Cardinality::Map(key) => {
                format!(r#""keyType":"{}","type":"{kind}","id":{number}"#, type_name(key))
            }
        }
    }

    /// The name of a type, which is known from then on.
    fn kind(&mut self, kind: Kind) -> String {
        let full_name = match kind {
            Kind::Message(descriptor) => descriptor().full_name,
            Kind::Enum(descriptor) => descriptor().full_name,
            scalar => return type_name(scalar).to_owned(),
        };
        if full_name == self.view.item.full_name {
            return format!(".{}.{}", self.view.name, simple_name(full_name));
        }
        // Flat, because a name says it all, but for two such as `a_b.C` and `a.b.C`.
        let mut name = full_name.replace('.', "_");
        while self
            .known
            .get(&name)
            .is_some_and(|(known, _)| *known != full_name)
        {
            name.push('_');
        }
        if !self.known.contains_key(&name) {
            // Known before it is looked into: it may hold itself.
            self.known.insert(name.clone(), (full_name, String::new()));
            let json = match kind {
                Kind::Message(descriptor) => self.fields(descriptor()),
                Kind::Enum(descriptor) => values(descriptor()),
                _ => String::new(),
            };
            self.known.insert(name.clone(), (full_name, json));
        }
        format!(".{REFERENCED}.{name}")
    }
}

fn values(descriptor: &EnumDescriptor) -> String {
    let values = descriptor
        .values
        .iter()
        .map(|value| format!("\"{}\":{}", value.name, value.number));
    format!("{{\"values\":{{{}}}}}", values.collect::<Vec<_>>().join(","))
}

/// The name of a scalar type.
fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "bool",
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Uint32 => "uint32",
        Kind::Uint64 => "uint64",
        Kind::Sint32 => "sint32",
        Kind::Sint64 => "sint64",
        Kind::Fixed32 => "fixed32",
        Kind::Fixed64 => "fixed64",
        Kind::Sfixed32 => "sfixed32",
        Kind::Sfixed64 => "sfixed64",
        Kind::Float => "float",
        Kind::Double => "double",
        Kind::String => "string",
        Kind::Bytes | Kind::Message(_) => "bytes",
        Kind::Enum(_) => "int32",
    }
}
