//! Names as people write them: as much of the end as is unambiguous, and with slips.

use rpc_schema::names::closest;

use crate::failure::{Exit, Failure};

/// What a name means: what is called so, else what ends so, if it is one thing alone. `None` where nothing does.
///
/// # Errors
///
/// Where several end so.
pub(crate) fn meant<T>(
    name: &str,
    known: impl IntoIterator<Item = (String, T)>,
) -> Result<Option<T>, Failure> {
    let mut found = Vec::new();
    for (full_name, it) in known {
        if full_name == name {
            return Ok(Some(it));
        }
        let rest = full_name.strip_suffix(name);
        if rest.is_some_and(|rest| rest.ends_with(['/', '.'])) {
            found.push((full_name, it));
        }
    }
    if found.len() > 1 {
        let names: Vec<String> = found.into_iter().map(|(name, _)| name).collect();
        let text = format!("`{name}` may be {}", names.join(" or "));
        return Err(Failure::new(Exit::Usage, text).hint("write as much of the name as tells them apart"));
    }
    Ok(found.pop().map(|(_, it)| it))
}

/// What there is not, with what may have been meant.
pub(crate) fn no_such(what: &str, name: &str, known: impl IntoIterator<Item = String>) -> Failure {
    let failure = Failure::new(Exit::Usage, format!("there is no {what} `{name}` here"));
    let last = |name: &str| name.rsplit(['/', '.']).next().unwrap_or_default().to_lowercase();
    let known = known.into_iter().map(|known| (last(&known), known));
    match closest(&last(name), known) {
        Some(close) => failure.hint(format!("did you mean `{close}`?")),
        None => failure.hint("`rpc list` shows what there is"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_its_end_and_nothing_is_guessed() {
        let known = || ["a.Said", "b.Said", "b.Unsaid", "Said.c"].map(|name| (name.to_owned(), name));
        assert_eq!(meant("a.Said", known()).unwrap(), Some("a.Said"));
        assert_eq!(meant("Unsaid", known()).unwrap(), Some("b.Unsaid"));
        assert_eq!(
            meant("said", known()).unwrap(),
            None,
            "a part of a word is no end"
        );
        let failure = meant("Said", known()).unwrap_err();
        assert_eq!(failure.to_string(), "`Said` may be a.Said or b.Said");
    }

    #[test]
    fn what_there_is_not_is_a_mistake_of_the_command_line_with_what_was_meant() {
        let failure = no_such("message", "task.Tsk", ["task.Task".to_owned()]);
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.hinted().as_deref(), Some("did you mean `task.Task`?"));
    }
}
