//! Writes Rust. Templates are written formatted, because a formatter for what 200 contracts give costs more than all the
//! rest of a build; a test holds the result against one.

use rpc_schema::model::{Access, MethodOptions, Parameter};
use rpc_schema::names::is_keyword;
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

/// How long a line may be.
const WIDTH: usize = 100;

/// Lines so far, and how deep the next one is.
#[derive(Debug, Default)]
pub(super) struct Code {
    out: String,
    depth: usize,
}

impl Code {
    pub(super) fn line(&mut self, line: &str) {
        if !line.is_empty() {
            for _ in 0..self.depth {
                self.out.push_str("    ");
            }
            self.out.push_str(line);
        }
        self.out.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.out.push('\n');
    }

    /// Lines as they are, below the present depth.
    pub(super) fn lines(&mut self, lines: &str) {
        lines.lines().for_each(|line| self.line(line));
    }

    pub(super) fn open(&mut self, line: &str) {
        self.line(line);
        self.depth += 1;
    }

    pub(super) fn close(&mut self, line: &str) {
        self.depth -= 1;
        self.line(line);
    }

    /// A doc comment, or `otherwise` where the contract has none.
    pub(super) fn docs(&mut self, docs: &[String], otherwise: &str) {
        if docs.is_empty() {
            self.line(&format!("/// {otherwise}"));
        }
        for line in docs {
            self.line(format!("/// {line}").trim_end());
        }
    }

    /// `head(one, two) tail`, on one line or with one argument on each. A tail may go over several lines.
    pub(super) fn list(&mut self, head: &str, items: &[String], tail: &str) {
        let short = format!("{head}({}){tail}", items.join(", "));
        if self.depth * 4 + short.len() <= WIDTH && !tail.contains('\n') {
            self.line(&short);
            return;
        }
        self.open(&format!("{head}("));
        for item in items {
            self.line(&format!("{item},"));
        }
        self.depth -= 1;
        self.lines(&format!("){tail}"));
    }

    pub(super) fn finish(self) -> String {
        self.out
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

/// A Rust identifier for a name that may be a keyword; `self`, `super` and `crate`, which cannot be written so, are no names.
pub(super) fn ident(name: &str) -> String {
    match is_keyword(name) {
        true => format!("r#{name}"),
        false => name.to_owned(),
    }
}

/// The parameters of a handler, with `&self`, and what it hands on.
pub(super) fn parameters(paths: &Paths, method: &MethodDef) -> (Vec<String>, Vec<&'static str>) {
    let mut declared = vec!["&self".to_owned()];
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
        declared.push(format!("{name}: {ty}"));
        passed.push(name);
    }
    (declared, passed)
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
        let mut key = String::new();
        let _ = write!(key, "number = {number:#x}");
        keys.push(key);
    }
    if !options.transports.is_empty() {
        let names: Vec<String> = options.transports.iter().map(|name| literal(name)).collect();
        keys.push(format!("transports({})", names.join(", ")));
    }
    keys
}
