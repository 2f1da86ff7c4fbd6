//! Packages and files: what names everything else.

use super::{Comparison, Element, Rule};

/// A package that is gone, and a file that changed its package.
pub(super) fn check_packages(cx: &mut Comparison<'_>) {
    let (before, after) = (cx.before, cx.after);
    for &package in &before.packages {
        if after.packages.contains(package) || cx.is_removed(package) {
            continue;
        }
        cx.breaking(
            vec![Rule::PackageNoDelete],
            Element::Package {
                name: package.to_owned(),
            },
            None,
            format!("package `{package}` is gone, with all its messages and services"),
            "bring its contracts back, or delete its `.proto` in the same commit to break with it on purpose"
                .to_owned(),
        );
    }
    for (&path, old) in &before.files {
        let Some(new) = after.files.get(path) else {
            continue;
        };
        if old.package() == new.package() {
            continue;
        }
        let element = Element::File {
            path: path.to_owned(),
        };
        cx.breaking(
            vec![Rule::FileSamePackage],
            element.clone(),
            Some(element),
            format!(
                "file `{path}` was in package `{}` and is now in `{}`; every message and method in it has another name",
                old.package(),
                new.package()
            ),
            format!("write #[contract(package = {:?})] again", old.package()),
        );
    }
}
