//! Spells out the service of a contract with `controller`: its messages, its methods, and with `changes` its event.

use super::schema::{
    ChangesDef, CrudDef, FieldDef, Label, MessageDef, MethodDef, Origin, ServiceDef, TypeDef, TypeRef,
};
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
    let changes = crud.changes.as_ref().map(|channel| {
        let (deleted, event) = (derive.deleted(), derive.changed(channel));
        let changes = ChangesDef {
            event: derive.type_ref(&event),
            deleted: derive.type_ref(&deleted),
        };
        messages.extend([event, deleted]);
        Box::new(changes)
    });
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
            changes,
        }),
    };
    (messages, service)
}

/// The names that a controller gives, within its package: its service's and its messages'.
pub(super) fn names(crud: &Crud) -> Vec<String> {
    let mut names = vec![format!("{}Service", crud.controller)];
    names.extend(message_names(crud));
    names
}

/// The names of the messages that a controller gives, within its package.
pub(super) fn message_names(crud: &Crud) -> Vec<String> {
    let mut names = Vec::new();
    for operation in &crud.operations {
        for end in ["Request", "Response"] {
            names.push(format!("{}{}{end}", operation.prefix(), crud.controller));
        }
    }
    if crud.changes.is_some() {
        names.extend([changed_name(&crud.controller), deleted_name(&crud.controller)]);
    }
    names
}

/// `TaskChanged`.
fn changed_name(controller: &str) -> String {
    format!("{controller}Changed")
}

/// `DeletedTask`.
fn deleted_name(controller: &str) -> String {
    format!("Deleted{controller}")
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

    /// The event. It has all members whatever the operations are: a service may tell of what it changes by itself, and
    /// an operation that comes or goes changes no message.
    fn changed(&self, channel: &str) -> MessageDef {
        let name = self.controller;
        let deleted = TypeDef::message(
            &format!("{}.{}", self.package, deleted_name(name)),
            Some(self.file),
        );
        // The numbers are the runtime's too, which encodes an event without making one: `hub::change` has them.
        let member = |variant: &str, number, ty, docs: String| FieldDef {
            rust_name: variant.to_owned(),
            docs: vec![docs],
            ..self.field(
                &names::snake_case(variant),
                number,
                Label::Singular,
                ty,
                Vec::new(),
            )
        };
        let members = vec![
            member(
                "Added",
                1,
                self.item(),
                format!("The {name} that was added, with its id."),
            ),
            member("Updated", 2, self.item(), format!("The {name} as it is now.")),
            member("Deleted", 3, deleted, format!("The {name} that is gone.")),
        ];
        MessageDef {
            oneof: true,
            event: true,
            channels: Some(channel.to_owned()),
            ..self.message(
                changed_name(name),
                format!("A change of a {name}, published on the channel `{channel}`."),
                members,
                Vec::new(),
            )
        }
    }

    fn deleted(&self) -> MessageDef {
        let name = self.controller;
        self.message(
            deleted_name(name),
            format!("Says which {name} was deleted."),
            vec![self.field("id", 1, Label::Singular, self.id.clone(), Vec::new())],
            Vec::new(),
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
            channels: None,
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
