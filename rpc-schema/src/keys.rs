//! Reads the keys of an attribute: `key`, `key = value` and `key(value, …)`, each at most once.

use crate::diagnostics::Errors;
use crate::names;
use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Token};

/// One key as written.
struct Entry {
    key: Ident,
    value: Given,
}

/// What stands behind a key.
enum Given {
    Nothing,
    Value(Expr),
    List(Vec<Expr>),
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Given::Value(ungrouped(input.parse()?))
        } else if input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            Given::List(
                Punctuated::<Expr, Token![,]>::parse_terminated(&content)?
                    .into_iter()
                    .map(ungrouped)
                    .collect(),
            )
        } else if input.is_empty() || input.peek(Token![,]) {
            Given::Nothing
        } else {
            return Err(input.error(format!(
                "after `{key}` comes `= …`, `(…)` or a comma; write `{key} = …`"
            )));
        };
        Ok(Self { key, value })
    }
}

/// What a `macro_rules!` gave as `$name:literal` or `$name:expr`, without the group around it.
fn ungrouped(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => ungrouped(*group.expr),
        other => other,
    }
}

/// The keys of one attribute, taken one by one.
pub struct Keys {
    entries: Vec<Entry>,
    /// A literal before the keys, as in `#[rpc("task")]`.
    pub leading: Option<LitStr>,
    /// Whether something could not be read, so that a key which seems to be missing may be there, misspelt.
    pub broken: bool,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.entries.iter().map(|entry| &entry.key))
            .finish()
    }
}

struct Syntax {
    leading: Option<LitStr>,
    entries: Vec<Entry>,
}

impl Parse for Syntax {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut leading = None;
        if input.peek(LitStr) {
            leading = Some(input.parse()?);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let entries = Punctuated::<Entry, Token![,]>::parse_terminated(input)?
            .into_iter()
            .collect();
        Ok(Self { leading, entries })
    }
}

impl Keys {
    /// Reads `tokens`, the inside of `#[attribute(…)]`, and reports keys that are unknown or given twice.
    pub fn parse(attribute: &str, known: &[&str], tokens: TokenStream, errors: &mut Errors) -> Self {
        let Some(syntax) = errors.ok(syn::parse2::<Syntax>(tokens)) else {
            return Self {
                entries: Vec::new(),
                leading: None,
                broken: true,
            };
        };
        let mut keys = Self {
            entries: Vec::new(),
            leading: syntax.leading,
            broken: false,
        };
        for entry in syntax.entries {
            let name = entry.key.to_string();
            if !known.contains(&name.as_str()) {
                errors.at(&entry.key, unknown_key(attribute, known, &name));
                keys.broken = true;
            } else if keys.entries.iter().any(|earlier| earlier.key == entry.key) && name != "guard" {
                errors.at(&entry.key, format!("`{name}` is given twice; keep one of them"));
            } else {
                keys.entries.push(entry);
            }
        }
        keys
    }

    /// Adds the keys of a further attribute of the same kind on the same item.
    pub fn append(&mut self, other: Self, errors: &mut Errors) {
        for entry in other.entries {
            if self.entries.iter().any(|earlier| earlier.key == entry.key) && entry.key != "guard" {
                errors.at(
                    &entry.key,
                    format!("`{}` is given twice; keep one of them", entry.key),
                );
            } else {
                self.entries.push(entry);
            }
        }
        self.leading = self.leading.take().or(other.leading);
        self.broken |= other.broken;
    }

    /// Whether a key was given and not taken yet.
    pub fn has(&self, key: &str) -> bool {
        self.span(key).is_some()
    }

    fn take(&mut self, key: &str) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(at))
    }

    /// Where a key stands, if it was given and not taken yet.
    pub fn span(&self, key: &str) -> Option<Span> {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| entry.key.span())
    }

    /// A key without a value: `unique`.
    pub fn flag(&mut self, key: &str, errors: &mut Errors) -> bool {
        match self.take(key) {
            None => false,
            Some(Entry {
                value: Given::Nothing,
                ..
            }) => true,
            Some(Entry {
                value:
                    Given::Value(Expr::Lit(ExprLit {
                        lit: Lit::Bool(value),
                        ..
                    })),
                ..
            }) => value.value,
            Some(entry) => {
                errors.at(&entry.key, format!("`{key}` takes no value; write `{key}`"));
                false
            }
        }
    }

    /// A key with a string: `package = "task"`.
    pub fn string(&mut self, key: &str, example: &str, errors: &mut Errors) -> Option<LitStr> {
        let entry = self.take(key)?;
        match entry.value {
            Given::Value(Expr::Lit(ExprLit {
                lit: Lit::Str(value), ..
            })) => Some(value),
            Given::Value(other) => {
                errors.at(
                    other,
                    format!("`{key}` takes a string; write `{key} = \"{example}\"`"),
                );
                None
            }
            _ => {
                errors.at(
                    &entry.key,
                    format!("`{key}` takes a string; write `{key} = \"{example}\"`"),
                );
                None
            }
        }
    }

    /// A key that may be given several times, each with a string: `guard = "admin", guard = "owner"`.
    pub fn strings(&mut self, key: &str, example: &str, errors: &mut Errors) -> Vec<LitStr> {
        let mut all = Vec::new();
        while self.entries.iter().any(|entry| entry.key == key) {
            all.extend(self.string(key, example, errors));
        }
        all
    }

    /// A key with a whole number that is not negative: `tag = 3`.
    pub fn integer(&mut self, key: &str, example: &str, errors: &mut Errors) -> Option<(u64, Span)> {
        let entry = self.take(key)?;
        let span = entry.key.span();
        match entry.value {
            Given::Value(Expr::Lit(ExprLit {
                lit: Lit::Int(value), ..
            })) => errors
                .ok(value.base10_parse::<u64>())
                .map(|number| (number, value.span())),
            Given::Value(other) => {
                errors.at(
                    other,
                    format!("`{key}` takes a whole number; write `{key} = {example}`"),
                );
                None
            }
            _ => {
                errors.at_span(
                    span,
                    format!("`{key}` takes a whole number; write `{key} = {example}`"),
                );
                None
            }
        }
    }

    /// A key with any expression: `default = false`, `range = 0..=100`.
    pub fn expr(&mut self, key: &str, example: &str, errors: &mut Errors) -> Option<Expr> {
        let entry = self.take(key)?;
        match entry.value {
            Given::Value(value) => Some(value),
            _ => {
                errors.at(
                    &entry.key,
                    format!("`{key}` takes a value; write `{key} = {example}`"),
                );
                None
            }
        }
    }

    /// A key with a list: `reserved(2, "old")`.
    pub fn list(&mut self, key: &str, example: &str, errors: &mut Errors) -> Vec<Expr> {
        let Some(entry) = self.take(key) else {
            return Vec::new();
        };
        match entry.value {
            Given::List(values) => values,
            _ => {
                errors.at(
                    &entry.key,
                    format!("`{key}` takes a list; write `{key}({example})`"),
                );
                Vec::new()
            }
        }
    }
}

fn unknown_key(attribute: &str, known: &[&str], name: &str) -> String {
    match names::closest(name, known.iter().map(|known| (known, known))) {
        Some(candidate) => {
            format!("`#[{attribute}]` has no key `{name}`; did you mean `{candidate}`?")
        }
        None => format!(
            "`#[{attribute}]` has no key `{name}`; it knows {}",
            known.join(", ")
        ),
    }
}
