//! Names that are declared gone. Protobuf reserves numbers and names only inside a message or an enum; for a message,
//! an enum, a service or a method, the emitted `.proto` says it in a comment: `// removed: Task`.

use std::collections::BTreeSet;

use super::{Comparison, Element, Rule};

/// The start of the comment, after the slashes.
const MARKER: &str = "removed:";

/// The full names that the comments of one `.proto` declare gone, for [`Options`](super::Options).
///
/// A marker is a line of its own: `// removed: Task`, `// removed: TaskService/AddTask`, several separated by commas.
/// The names are relative to the package of the file, and come back with it: `task.Task`, `task.TaskService/AddTask`.
/// Anything else in the file is left to the compiler.
///
/// ```
/// let source = "package task;\n// removed: Note, TaskService/PinTask\n";
/// let removed = rpc_build::breaking::removed_names(source);
/// assert!(removed.contains("task.Note") && removed.contains("task.TaskService/PinTask"));
/// ```
#[must_use]
pub fn removed_names(source: &str) -> BTreeSet<String> {
    let package = source
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("package ")?.split(';').next())
        .map_or("", str::trim);
    let markers = source.lines().filter_map(|line| {
        line.trim_start()
            .strip_prefix("//")?
            .trim_start()
            .strip_prefix(MARKER)
    });
    markers
        .flat_map(|names| names.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| {
            if package.is_empty() {
                name.to_owned()
            } else {
                format!("{package}.{name}")
            }
        })
        .collect()
}

/// A message, an enum or a service that is not there any more, which `problem` says: it must have been declared gone. Of what went with
/// its package or its message, only the outermost is a finding.
pub(super) fn check_deleted(
    cx: &mut Comparison<'_>,
    rule: Rule,
    element: Element,
    package: &str,
    problem: String,
) {
    let name = element.full_name();
    let parent = name.rsplit_once('.').map_or("", |(parent, _)| parent);
    let has_parent = cx.after.messages.contains_key(parent);
    let went_with_more =
        !cx.after.packages.contains(package) || (cx.before.messages.contains_key(parent) && !has_parent);
    if went_with_more || cx.is_removed(&name) {
        return;
    }
    let anchor = has_parent.then(|| Element::message(parent));
    let short = name
        .strip_prefix(package)
        .map_or(name.as_str(), |rest| rest.trim_start_matches('.'));
    let help = format!(
        "bring the contract back, or say that it is gone with #[contract(removed({short:?}))] on a contract of \
         package `{package}`"
    );
    cx.breaking(vec![rule], element, anchor, problem, help);
}

/// A declaration must stay, and must be true.
pub(super) fn check_removed(cx: &mut Comparison<'_>) {
    let options = cx.options;
    for name in options.removed_before.difference(&options.removed) {
        let element = element_named(cx, name);
        cx.breaking(
            vec![Rule::RemovedNoDelete],
            element.clone(),
            exists(cx, name).then_some(element),
            format!(
                "`{name}` was declared gone and no longer is; clients from before know another thing by this name"
            ),
            format!("keep #[contract(removed({:?}))], and use another name for what is new", short_name(cx, name)),
        );
    }
    for name in &options.removed {
        if exists(cx, name) {
            let element = element_named(cx, name);
            cx.breaking(
                vec![Rule::RemovedStillPresent],
                element.clone(),
                Some(element),
                format!("`{name}` is declared gone and is still there"),
                format!(
                    "take {:?} out of removed(…), or delete the contract",
                    short_name(cx, name)
                ),
            );
        }
    }
}

fn exists(cx: &Comparison<'_>, name: &str) -> bool {
    let after = cx.after;
    match name.split_once('/') {
        Some((service, method)) => after
            .services
            .get(service)
            .is_some_and(|found| found.it.method.iter().any(|other| other.name() == method)),
        None => {
            after.messages.contains_key(name)
                || after.enums.contains_key(name)
                || after.services.contains_key(name)
        }
    }
}

/// What a declared name stands for. Of a name that is on neither side nothing but the name is known: it was a message
/// more likely than anything else.
fn element_named(cx: &Comparison<'_>, name: &str) -> Element {
    if let Some((service, method)) = name.split_once('/') {
        return Element::method(service, method);
    }
    for index in [cx.after, cx.before] {
        if index.enums.contains_key(name) {
            return Element::enumeration(name);
        }
        if index.services.contains_key(name) {
            return Element::service(name);
        }
    }
    Element::message(name)
}

/// The name within its package, which is how `removed(…)` on the contract writes it.
fn short_name<'n>(cx: &Comparison<'_>, name: &'n str) -> &'n str {
    let packages = cx.after.packages.iter().chain(&cx.before.packages);
    let within = packages.filter_map(|package| name.strip_prefix(package)?.strip_prefix('.'));
    within.min_by_key(|rest| rest.len()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        removed_names(source).into_iter().collect()
    }

    #[test]
    fn a_marker_is_a_comment_line_of_its_own() {
        let source = "  package acme.v1 ;\n\t//removed:A\n// removed: B ,, S/M\nmessage C {} // removed: D\n// not removed: E\n";
        assert_eq!(names(source), ["acme.v1.A", "acme.v1.B", "acme.v1.S/M"]);
    }

    #[test]
    fn names_without_a_package_stay_as_they_are() {
        assert_eq!(names("// removed: A"), ["A"]);
    }

    #[test]
    fn the_package_may_follow_the_marker() {
        assert_eq!(names("// removed: A\r\npackage task;\r\n"), ["task.A"]);
    }
}
