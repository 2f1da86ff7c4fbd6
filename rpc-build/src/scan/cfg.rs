//! Evaluates `cfg` predicates as the compiler is going to, from what cargo tells build scripts.

use crate::environment::Cfg;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, Meta, Token};

/// Whether a predicate holds. One that cannot be read holds: the compiler is going to complain about it.
pub(super) fn holds(predicate: &Meta, cfg: &Cfg) -> bool {
    let Some(name) = predicate.path().get_ident().map(ToString::to_string) else {
        return true;
    };
    match predicate {
        Meta::Path(_) => match name.as_str() {
            "true" => true,
            "false" | "test" | "doc" | "doctest" | "miri" => false,
            flag => cfg.flags.contains(flag),
        },
        Meta::NameValue(pair) => {
            let Expr::Lit(ExprLit {
                lit: Lit::Str(value), ..
            }) = &pair.value
            else {
                return true;
            };
            let value = value.value();
            match name.as_str() {
                "feature" => cfg.features.contains(&feature_variable(&value)),
                _ => cfg.values.contains(&(name, value)),
            }
        }
        Meta::List(list) => {
            let Ok(inner) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
                // `cfg(true)` and `cfg(false)` are literals, which are no metas.
                return !list.tokens.to_string().contains("false");
            };
            let mut inner = inner.iter().map(|one| holds(one, cfg));
            match name.as_str() {
                "all" => inner.all(|one| one),
                "any" => inner.any(|one| one),
                "not" => !inner.next().unwrap_or(false),
                _ => true,
            }
        }
    }
}

/// Whether a predicate holds with some choice of features: everything else is as it is.
pub(super) fn may_hold(predicate: &Meta, cfg: &Cfg) -> bool {
    decided(predicate, cfg) != Some(false)
}

/// What a predicate is whatever the features are; nothing where it depends on them.
fn decided(predicate: &Meta, cfg: &Cfg) -> Option<bool> {
    match predicate {
        Meta::NameValue(pair) if pair.path.is_ident("feature") => None,
        Meta::List(list) => {
            let parsed = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let Ok(inner) = parsed else {
                return Some(holds(predicate, cfg));
            };
            let inner: Vec<Option<bool>> = inner.iter().map(|one| decided(one, cfg)).collect();
            let name = list.path.get_ident().map(ToString::to_string);
            let ends = match name.as_deref() {
                Some("not") => return inner.first().copied().unwrap_or(Some(false)).map(|one| !one),
                Some("all") => false,
                Some("any") => true,
                _ => return Some(true),
            };
            if inner.contains(&Some(ends)) {
                Some(ends)
            } else if inner.contains(&None) {
                None
            } else {
                Some(!ends)
            }
        }
        _ => Some(holds(predicate, cfg)),
    }
}

/// Cargo writes the feature `sqlite-store` as `CARGO_FEATURE_SQLITE_STORE`.
fn feature_variable(feature: &str) -> String {
    feature.to_ascii_uppercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cfg() -> Cfg {
        let mut cfg = Cfg::default();
        cfg.add("UNIX", "");
        cfg.add("TARGET_OS", "linux");
        cfg.add("TARGET_FEATURE", "fxsr,sse2");
        cfg.features.insert("SQLITE_STORE".to_owned());
        cfg
    }

    #[test]
    fn predicates_hold_as_cargo_says() {
        for (predicate, expected) in [
            ("unix", true),
            ("windows", false),
            ("test", false),
            ("not(test)", true),
            ("doc", false),
            ("feature = \"sqlite-store\"", true),
            ("feature = \"postgres\"", false),
            ("target_os = \"linux\"", true),
            ("target_os = \"macos\"", false),
            ("target_feature = \"sse2\"", true),
            ("all()", true),
            ("any()", false),
            ("all(unix, not(feature = \"postgres\"))", true),
            ("any(windows, target_os = \"macos\")", false),
            ("not(any(windows, all(unix, feature = \"sqlite-store\")))", false),
        ] {
            let parsed: Meta = syn::parse_str(predicate).expect("a predicate");
            assert_eq!(holds(&parsed, &cfg()), expected, "{predicate}");
        }
    }

    #[test]
    fn only_what_other_features_bring_may_hold() {
        for (predicate, expected) in [
            ("feature = \"postgres\"", true),
            ("not(feature = \"sqlite-store\")", true),
            ("all(unix, feature = \"postgres\")", true),
            ("all(windows, feature = \"postgres\")", false),
            ("any(windows, feature = \"postgres\")", true),
            ("all(test, feature = \"postgres\")", false),
            ("not(any(unix, feature = \"postgres\"))", false),
            ("test", false),
            ("any()", false),
            ("all()", true),
        ] {
            let parsed: Meta = syn::parse_str(predicate).expect("a predicate");
            assert_eq!(may_hold(&parsed, &cfg()), expected, "{predicate}");
        }
    }
}
