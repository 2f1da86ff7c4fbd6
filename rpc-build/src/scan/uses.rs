//! Takes `use` declarations apart: one entry for each name that they bring in.

use rpc_schema::names::plain;
use rpc_schema::resolve::Use;
use syn::{ItemExternCrate, ItemUse, UseTree};

/// The names that a `use` brings in.
pub(super) fn collect(item: &ItemUse, uses: &mut Vec<Use>) {
    walk(&item.tree, &mut Vec::new(), uses);
}

/// `extern crate shared as s;`
pub(super) fn collect_crate(item: &ItemExternCrate, uses: &mut Vec<Use>) {
    if let Some((_, rename)) = &item.rename {
        uses.push(Use {
            name: plain(rename),
            path: vec![plain(&item.ident)],
        });
    }
}

fn walk(tree: &UseTree, path: &mut Vec<String>, uses: &mut Vec<Use>) {
    match tree {
        UseTree::Path(part) => {
            path.push(plain(&part.ident));
            walk(&part.tree, path, uses);
            path.pop();
        }
        UseTree::Name(part) if part.ident == "self" => {
            if let Some(name) = path.last() {
                push(name.clone(), path.clone(), uses);
            }
        }
        UseTree::Name(part) => {
            let name = plain(&part.ident);
            push(name.clone(), with(path, name), uses);
        }
        UseTree::Rename(part) if part.rename == "_" => {}
        UseTree::Rename(part) if part.ident == "self" => push(plain(&part.rename), path.clone(), uses),
        UseTree::Rename(part) => push(plain(&part.rename), with(path, plain(&part.ident)), uses),
        UseTree::Glob(_) => push("*".to_owned(), path.clone(), uses),
        UseTree::Group(group) => {
            for tree in &group.items {
                walk(tree, path, uses);
            }
        }
    }
}

fn with(path: &[String], name: String) -> Vec<String> {
    let mut path = path.to_vec();
    path.push(name);
    path
}

fn push(name: String, path: Vec<String>, uses: &mut Vec<Use>) {
    uses.push(Use { name, path });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_use_is_taken_apart() {
        let source = "use crate::money::{self, Money, fx::{Rate as R, *}, Hidden as _};";
        let item: ItemUse = syn::parse_str(source).expect("a use");
        let mut uses = Vec::new();
        collect(&item, &mut uses);
        let told: Vec<String> = uses
            .iter()
            .map(|one| format!("{} = {}", one.name, one.path.join("::")))
            .collect();
        assert_eq!(
            told,
            [
                "money = crate::money",
                "Money = crate::money::Money",
                "R = crate::money::fx::Rate",
                "* = crate::money::fx",
            ]
        );
    }
}
