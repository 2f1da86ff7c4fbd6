//! What a field's value must fulfil, and what it defaults to: each checked against the field's type.

use super::refuse_keys;
use crate::diagnostics::Errors;
use crate::keys::Keys;
use crate::model::{Facts, Format, Number, Range, Rule};
use crate::types::{self, Cardinality, FieldType, Scalar, Value};
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

/// Reads the rules of a field.
pub(super) fn rules(keys: &mut Keys, ty: &FieldType, errors: &mut Errors) -> Vec<Rule> {
    let mut rules = Vec::new();
    let scalar = ty.value.scalar();
    let is_string = scalar == Some(Scalar::String);
    let has_length = is_string || scalar == Some(Scalar::Bytes);
    let is_list = matches!(ty.cardinality, Cardinality::Repeated | Cardinality::Map { .. });
    let mut misplaced = |keys: &Keys, names: &[&str], fits: bool, on: &str| {
        if !fits {
            refuse_keys(
                keys,
                names,
                &format!("is for {on}, and this is `{}`", types::text(&ty.rust)),
                errors,
            );
        }
    };
    misplaced(
        keys,
        &["min_len", "max_len"],
        has_length,
        "strings and bytes (`min_items` and `max_items` for lists)",
    );
    misplaced(keys, &["pattern", "format"], is_string, "strings");
    misplaced(keys, &["range"], scalar.is_some_and(Scalar::is_number), "numbers");
    misplaced(
        keys,
        &["min_items", "max_items"],
        is_list,
        "lists and maps (`min_len` and `max_len` for strings)",
    );

    let min_len = keys.integer("min_len", "1", errors);
    let max_len = keys.integer("max_len", "200", errors);
    let min_items = keys.integer("min_items", "1", errors);
    let max_items = keys.integer("max_items", "100", errors);
    for (least, most) in [(&min_len, &max_len), (&min_items, &max_items)] {
        if let (Some((least, _)), Some((most, span))) = (least, most)
            && least > most
        {
            errors.at_span(
                *span,
                format!("nothing is at least {least} and at most {most}; swap them"),
            );
        }
    }
    rules.extend(min_len.map(|(n, _)| Rule::MinLen(n)));
    rules.extend(max_len.map(|(n, _)| Rule::MaxLen(n)));
    if let Some(pattern) = keys.string("pattern", "^[a-z]+$", errors) {
        match regex_syntax::parse(&pattern.value()) {
            Ok(_) => rules.push(Rule::Pattern(pattern.value())),
            Err(error) => errors.at(
                &pattern,
                format!("this is no regular expression: {}", short(&error)),
            ),
        }
    }
    if let Some(format) = keys.string("format", "email", errors) {
        match Format::ALL.into_iter().find(|(_, name)| *name == format.value()) {
            Some((format, _)) => rules.push(Rule::Format(format)),
            None => errors.at(
                &format,
                format!(
                    "there is no format `{}`; it is one of email, uuid, uri, hostname, ip",
                    format.value()
                ),
            ),
        }
    }
    if let Some(expr) = keys.expr("range", "0..=100", errors)
        && let Some(scalar) = scalar.filter(|scalar| scalar.is_number())
    {
        rules.extend(range(&expr, scalar, errors).map(Rule::Range));
    }
    rules.extend(min_items.map(|(n, _)| Rule::MinItems(n)));
    rules.extend(max_items.map(|(n, _)| Rule::MaxItems(n)));
    if keys.flag("required", errors) {
        rules.push(Rule::Required);
    }
    rules
}

fn short(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        other => other.to_string().lines().last().unwrap_or_default().to_owned(),
    }
}

/// `0..=100`, `1..`, `..10.5`.
fn range(expr: &Expr, scalar: Scalar, errors: &mut Errors) -> Option<Range> {
    let Expr::Range(range) = expr else {
        errors.at(expr, "`range` takes a range; write `range = 0..=100`");
        return None;
    };
    let mut bound = |end: &Option<Box<Expr>>| match end.as_deref() {
        None => Some(None),
        Some(end) => match number_literal(end) {
            Some(number) if fits(number, scalar) => Some(Some(normalized(number, scalar))),
            Some(number) => {
                errors.at(
                    end,
                    format!("`{number}` is no `{}`{}", scalar.rust_name(), extent(scalar)),
                );
                None
            }
            None => {
                errors.at(end, "the ends of a range are literal numbers");
                None
            }
        },
    };
    let (from, to) = (bound(&range.start)?, bound(&range.end)?);
    let inclusive = matches!(range.limits, syn::RangeLimits::Closed(_));
    if let (Some(from), Some(to)) = (from, to)
        && (from > to || (from == to && !inclusive))
    {
        let advice = if from == to {
            format!("write `{from}..={to}` to include its end")
        } else {
            "write the lower end first".to_owned()
        };
        errors.at(expr, format!("this range is empty; {advice}"));
        return None;
    }
    if from.is_none() && to.is_none() {
        errors.at(expr, "this range allows everything; leave it out");
        return None;
    }
    Some(Range {
        from,
        to: to.map(|to| (to, inclusive)),
    })
}

fn number_literal(expr: &Expr) -> Option<Number> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Int(value), ..
        }) => value.base10_parse().ok().map(Number::Whole),
        Expr::Lit(ExprLit {
            lit: Lit::Float(value),
            ..
        }) => value.base10_parse().ok().map(Number::Fraction),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => number_literal(expr).map(|number| match number {
            Number::Whole(value) => Number::Whole(-value),
            Number::Fraction(value) => Number::Fraction(-value),
        }),
        Expr::Group(group) => number_literal(&group.expr),
        Expr::Paren(paren) => number_literal(&paren.expr),
        _ => None,
    }
}

fn fits(number: Number, scalar: Scalar) -> bool {
    match (number, scalar.bounds()) {
        (_, None) => scalar.is_float(),
        (Number::Fraction(_), Some(_)) => false,
        (Number::Whole(value), Some((least, greatest))) => (least..=greatest).contains(&value),
    }
}

/// `, which is a whole number from 0 to 4294967295`.
fn extent(scalar: Scalar) -> String {
    match scalar.bounds() {
        Some((least, greatest)) => format!(", which is a whole number from {least} to {greatest}"),
        None => String::new(),
    }
}

/// A whole number on a float is that float.
#[allow(clippy::cast_precision_loss, reason = "a literal such as `0` or `100`")]
fn normalized(number: Number, scalar: Scalar) -> Number {
    match number {
        Number::Whole(value) if scalar.is_float() => Number::Fraction(value as f64),
        other => other,
    }
}

/// Checks that the facts fit the type.
pub(super) fn check_facts(facts: &Facts, ty: &FieldType, errors: &mut Errors) {
    let single = matches!(ty.cardinality, Cardinality::Singular | Cardinality::Optional);
    if (facts.unique || facts.index) && !single {
        errors.at(
            &ty.rust,
            "`unique` and `index` are about one value, and this is a list or map",
        );
    }
    let Some(default) = &facts.default else { return };
    if !single {
        errors.at(default, "a list or map is empty by default; leave `default` out");
        return;
    }
    let wanted = match (&ty.value, default_kind(default)) {
        (Value::Scalar(Scalar::Bool), Given::Bool) | (Value::Scalar(Scalar::String), Given::Text) => return,
        (Value::Scalar(Scalar::Bytes) | Value::ByteVec, Given::Bytes) => return,
        (Value::Scalar(scalar), Given::Number(number)) if scalar.is_number() && fits(number, *scalar) => {
            return;
        }
        (Value::Named(_), Given::Path) => return,
        (Value::Scalar(Scalar::Bool), _) => "write `default = true` or `default = false`".to_owned(),
        (Value::Scalar(Scalar::String), _) => "write a string, `default = \"…\"`".to_owned(),
        (Value::Scalar(Scalar::Bytes) | Value::ByteVec, _) => {
            "write a byte string, `default = b\"…\"`".to_owned()
        }
        (Value::Scalar(scalar), _) => format!("write a literal `{}`{}", scalar.rust_name(), extent(*scalar)),
        (Value::Named(path), _) => format!(
            "write a value of an enum, `default = {}::…`",
            types::path_text(path)
        ),
        (Value::Unit, _) => "leave `default` out".to_owned(),
    };
    errors.at(
        default,
        format!(
            "`{}` cannot be the default of `{}`; {wanted}",
            types::text(default),
            types::text(&ty.rust)
        ),
    );
}

enum Given {
    Bool,
    Text,
    Bytes,
    Number(Number),
    Path,
    Other,
}

fn default_kind(expr: &Expr) -> Given {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(_), ..
        }) => Given::Bool,
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => Given::Text,
        Expr::Lit(ExprLit {
            lit: Lit::ByteStr(_), ..
        }) => Given::Bytes,
        Expr::Path(_) => Given::Path,
        other => number_literal(other).map_or(Given::Other, Given::Number),
    }
}
