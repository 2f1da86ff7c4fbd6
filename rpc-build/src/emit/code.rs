//! Pieces that all emitters of Rust share. They write plain text: it is parsed once, and formatted, as a whole module.

use rpc_schema::model::{Access, MethodOptions, Parameter};
use rpc_schema::resolve::{MethodDef, TypeRef};
use std::fmt::Write;

/// Where generated code finds things.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    /// `::rpc_runtime`
    pub(crate) runtime: String,
    /// `::rpc_runtime::codegen`
    pub(crate) codegen: String,
}

/// A doc comment, or `otherwise` where the contract has none.
pub(super) fn docs(out: &mut String, docs: &[String], otherwise: &str) {
    if docs.is_empty() {
        let _ = writeln!(out, "/// {otherwise}");
        return;
    }
    for line in docs {
        let _ = writeln!(out, "/// {line}");
    }
}

/// A type as the generated module names it.
pub(super) fn type_path(ty: &TypeRef) -> &str {
    ty.rust.strip_prefix("::core::primitive::").unwrap_or(&ty.rust)
}

/// A string literal.
pub(super) fn literal(text: &str) -> String {
    format!("{text:?}")
}

/// The type of a handler's answer.
pub(super) fn result(paths: &Paths, ty: &str) -> String {
    format!("::core::result::Result<{ty}, {}::Status>", paths.codegen)
}

/// The words that cannot be names; `self`, `super` and `crate` never are.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// A Rust identifier for a name that may be a keyword.
pub(super) fn ident(name: &str) -> String {
    match KEYWORDS.contains(&name) {
        true => format!("r#{name}"),
        false => name.to_owned(),
    }
}

/// The parameters of a handler, after `&self`, and what it hands on.
pub(super) fn parameters(paths: &Paths, method: &MethodDef) -> (String, String) {
    let mut declared = String::new();
    let mut passed = Vec::new();
    for parameter in &method.parameters {
        let codegen = &paths.codegen;
        let (name, ty) = match parameter {
            Parameter::Context => ("cx", format!("&{codegen}::Context")),
            Parameter::Data if method.kind.client_streams() => (
                "requests",
                format!("{codegen}::Streaming<{}>", type_path(&method.request)),
            ),
            Parameter::Data => ("request", type_path(&method.request).to_owned()),
            Parameter::Outgoing => (
                "responses",
                format!("{codegen}::Outgoing<{}>", type_path(&method.response)),
            ),
        };
        let _ = write!(declared, ", {name}: {ty}");
        passed.push(name);
    }
    (declared, passed.join(", "))
}

/// The keys that `#[message(…)]` and `#[rpc(…)]` share.
pub(super) fn access_keys(access: &Access) -> Vec<String> {
    let mut keys = Vec::new();
    if access.auth {
        keys.push("auth".to_owned());
    }
    keys.extend(
        access
            .guards
            .iter()
            .map(|guard| format!("guard = {}", literal(guard))),
    );
    keys
}

/// The keys of `#[message(…)]` for a method's options.
pub(super) fn option_keys(options: &MethodOptions) -> Vec<String> {
    let mut keys = access_keys(&options.access);
    if let Some(deadline) = options.deadline {
        let text = match (deadline.as_secs(), deadline.subsec_millis()) {
            (seconds, 0) => format!("{seconds}s"),
            _ => format!("{}ms", deadline.as_millis()),
        };
        keys.push(format!("deadline = {}", literal(&text)));
    }
    for (flag, name) in [
        (options.idempotent, "idempotent"),
        (options.one_way, "one_way"),
        (options.spawn, "spawn"),
    ] {
        if flag {
            keys.push(name.to_owned());
        }
    }
    if let Some(number) = options.number {
        keys.push(format!("number = {number:#x}"));
    }
    if !options.transports.is_empty() {
        let names: Vec<String> = options.transports.iter().map(|name| literal(name)).collect();
        keys.push(format!("transports({})", names.join(", ")));
    }
    keys
}
