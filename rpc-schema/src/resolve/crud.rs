//! Spells out the service of a contract with `controller`: its messages and its methods.

use super::schema::{CrudDef, FieldDef, Label, MessageDef, MethodDef, Origin, ServiceDef, TypeDef, TypeRef};
use crate::model::{Crud, Message, MethodKind, MethodOptions, Operation, Parameter, Reserved, Rule};
use crate::names;
use crate::types::Scalar;

/// The messages and the service of one controller. The field numbers are CMMV's, so that its clients read them.
pub(super) fn derive(
    message: &Message,
    crud: &Crud,
    rust: &str,
    file: &str,
) -> (Vec<MessageDef>, ServiceDef) {
    let controller = &crud.controller;
    let package = &message.common.package;
    let id = message.fields.iter().find(|field| field.facts.id);
    let id_scalar = id
        .and_then(|field| field.ty.value.scalar())
        .unwrap_or(Scalar::String);
    let derive = Derive {
        package,
        controller,
        contract: message.common.full_name(),
        file,
        id: TypeDef::Scalar(id_scalar),
    };
    let mut messages = Vec::new();
    let mut methods = Vec::new();
    for operation in &crud.operations {
        let (request, response) = derive.messages(*operation);
        let stem = format!("{}{controller}", operation.prefix());
        methods.push(MethodDef {
            full_name: format!("{package}.{controller}Service/{stem}"),
            name: stem,
            rust_name: operation.key().to_owned(),
            docs: vec![derive.docs(*operation)],
            kind: MethodKind::Unary,
            parameters: vec![Parameter::Context, Parameter::Data],
            request: derive.type_ref(&request),
            response: derive.type_ref(&response),
            options: MethodOptions::default(),
        });
        messages.extend([request, response]);
    }
    let service = ServiceDef {
        name: format!("{controller}Service"),
        full_name: format!("{package}.{controller}Service"),
        rust: None,
        docs: vec![format!(
            "Adds, updates, deletes and lists what `{}` describes.",
            message.common.name
        )],
        methods,
        access: crud.access.clone(),
        deprecated: message.common.deprecated,
        origin: Origin::Crud(CrudDef {
            contract: message.common.full_name(),
            rust: rust.to_owned(),
            id: id.map(|field| names::plain(&field.ident)).unwrap_or_default(),
            id_scalar,
            operations: crud.operations.clone(),
        }),
    };
    (messages, service)
}

/// The names that a controller gives, within its package: its service's and its messages'.
pub(super) fn names(crud: &Crud) -> Vec<String> {
    let mut names = vec![format!("{}Service", crud.controller)];
    for operation in &crud.operations {
        for end in ["Request", "Response"] {
            names.push(format!("{}{}{end}", operation.prefix(), crud.controller));
        }
    }
    names
}

struct Derive<'a> {
    package: &'a str,
    controller: &'a str,
    contract: String,
    file: &'a str,
    id: TypeDef,
}

impl Derive<'_> {
    fn docs(&self, operation: Operation) -> String {
        let name = self.controller;
        match operation {
            Operation::Add => format!("Adds a {name}; the service assigns its id."),
            Operation::Update => format!("Replaces the {name} with the given id."),
            Operation::Delete => {
                format!("Deletes the {name} with the given id; `success` is false if there was none.")
            }
            Operation::GetAll => format!("Lists every {name}."),
        }
    }

    fn messages(&self, operation: Operation) -> (MessageDef, MessageDef) {
        let id = || self.field("id", 1, Label::Singular, self.id.clone(), Vec::new());
        let item = |number, rules| self.field("item", number, Label::Singular, self.item(), rules);
        let (request, response, reserved) = match operation {
            Operation::Add => (
                vec![item(1, vec![Rule::Required])],
                vec![id(), item(2, Vec::new())],
                Vec::new(),
            ),
            Operation::Update => (
                vec![id(), item(2, vec![Rule::Required])],
                vec![id(), item(2, Vec::new())],
                Vec::new(),
            ),
            Operation::Delete => {
                let success = self.field(
                    "success",
                    1,
                    Label::Singular,
                    TypeDef::Scalar(Scalar::Bool),
                    Vec::new(),
                );
                let id_after = self.field("id", 3, Label::Singular, self.id.clone(), Vec::new());
                (vec![id()], vec![success, id_after], vec![(2, 2)])
            }
            Operation::GetAll => (
                Vec::new(),
                vec![self.field("items", 1, Label::Repeated, self.item(), Vec::new())],
                Vec::new(),
            ),
        };
        let stem = format!("{}{}", operation.prefix(), self.controller);
        (
            self.message(
                format!("{stem}Request"),
                format!("What `{stem}` is called with."),
                request,
                Vec::new(),
            ),
            self.message(
                format!("{stem}Response"),
                format!("What `{stem}` answers."),
                response,
                reserved,
            ),
        )
    }

    fn item(&self) -> TypeDef {
        TypeDef::message(&self.contract, Some(self.file))
    }

    fn type_ref(&self, message: &MessageDef) -> TypeRef {
        TypeRef {
            ty: TypeDef::message(&message.full_name, Some(self.file)),
            rust: message.name.clone(),
        }
    }

    fn message(
        &self,
        name: String,
        docs: String,
        fields: Vec<FieldDef>,
        reserved: Vec<(i64, i64)>,
    ) -> MessageDef {
        MessageDef {
            full_name: format!("{}.{name}", self.package),
            name,
            rust: None,
            docs: vec![docs],
            fields,
            oneof: false,
            reserved: Reserved {
                numbers: reserved,
                names: Vec::new(),
            },
            event: false,
            deprecated: false,
        }
    }

    fn field(&self, name: &str, number: u32, label: Label, ty: TypeDef, rules: Vec<Rule>) -> FieldDef {
        FieldDef {
            name: name.to_owned(),
            rust_name: name.to_owned(),
            number,
            docs: vec![field_docs(name).to_owned()],
            label,
            ty,
            id: false,
            deprecated: false,
            rules,
        }
    }
}

/// What a field of a CRUD message holds.
fn field_docs(name: &str) -> &'static str {
    match name {
        "id" => "The item's id.",
        "item" => "The item itself.",
        "items" => "All items.",
        _ => "Whether there was such an item.",
    }
}
