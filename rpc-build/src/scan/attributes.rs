//! The attributes of an item as the compiler sees them, after `cfg` and `cfg_attr`.

use super::cfg;
use crate::environment::Cfg;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Token};

/// Whether an item is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Presence {
    /// It is not, whatever the features are.
    Never,
    /// It is with other features.
    Off,
    /// It is.
    Here,
}

/// Expands `cfg_attr`s in place. Says whether the item is there: its `cfg`s hold.
pub(super) fn evaluate(attributes: &mut Vec<Attribute>, cfg: &Cfg) -> Presence {
    if attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("cfg_attr"))
    {
        let mut expanded = Vec::with_capacity(attributes.len());
        for attribute in attributes.drain(..) {
            expand(attribute, cfg, &mut expanded);
        }
        *attributes = expanded;
    }
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .filter_map(|attribute| attribute.parse_args::<Meta>().ok())
        .map(|predicate| {
            if cfg::holds(&predicate, cfg) {
                Presence::Here
            } else if cfg::may_hold(&predicate, cfg) {
                Presence::Off
            } else {
                Presence::Never
            }
        })
        .min()
        .unwrap_or(Presence::Here)
}

fn expand(attribute: Attribute, cfg: &Cfg, expanded: &mut Vec<Attribute>) {
    if !attribute.path().is_ident("cfg_attr") {
        expanded.push(attribute);
        return;
    }
    let Ok(metas) = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
        return;
    };
    let mut metas = metas.into_iter();
    if metas.next().is_none_or(|predicate| !cfg::holds(&predicate, cfg)) {
        return;
    }
    for meta in metas {
        expand(
            Attribute {
                meta,
                ..attribute.clone()
            },
            cfg,
            expanded,
        );
    }
}

/// The value of `#[path = "…"]`.
pub(super) fn path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(path), ..
            }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    })
}
