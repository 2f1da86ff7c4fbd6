//! What a person or a script reads: a table or JSON, with everything escaped that would move a terminal's cursor.

use std::fmt::Write;

use rpc_runtime::text::{is_hidden, one_line};
use serde_json::{Value, json};

use crate::contracts::TasksContract;
use crate::contracts::auth::{ListUsersResponse, Role, User};

/// How much of an id is shown, unless more is needed to tell two apart.
const SHORT_ID: usize = 8;

/// The tasks as a table, one line each.
pub(crate) fn table(tasks: &[TasksContract]) -> String {
    if tasks.is_empty() {
        return "no tasks\n".to_owned();
    }
    let width = id_width(tasks);
    let mut table = format!("{:width$}  DONE  LABEL\n", "ID");
    for task in tasks {
        let _ = writeln!(
            table,
            "{:width$}  {}   {}{}",
            short_id(&task.id, width),
            if task.checked { "[x]" } else { "[ ]" },
            one_line(&task.label),
            if task.removed { "  (removed)" } else { "" },
        );
    }
    table
}

/// What was done to a task: `added 3f2a91c0  Buy milk`.
pub(crate) fn done(what: &str, task: &TasksContract) -> String {
    format!(
        "{what} {}  {}\n",
        short_id(&task.id, SHORT_ID),
        one_line(&task.label)
    )
}

/// The tasks as a JSON array.
pub(crate) fn json_list(tasks: &[TasksContract]) -> String {
    ascii(&Value::from_iter(tasks.iter().map(object)))
}

/// A task as a JSON object.
pub(crate) fn json_object(task: &TasksContract) -> String {
    ascii(&object(task))
}

/// What was done to a task as a JSON object, on one line.
pub(crate) fn json_change(what: &str, task: &TasksContract) -> String {
    let mut line = object(task);
    line["what"] = what.into();
    escaped(&line.to_string())
}

/// Who somebody is: `ada (administrator)`.
pub(crate) fn user(user: &User) -> String {
    let role = match user.role {
        Role::Admin => " (administrator)",
        Role::Member => "",
    };
    format!("{}{role}\n", one_line(&user.name))
}

/// The same as a JSON object; nobody is `null`.
pub(crate) fn user_json(user: Option<&User>) -> String {
    ascii(&user.map_or(Value::Null, user_object))
}

/// All users as a table, one line each, and at its end the list that anonymous clients share.
pub(crate) fn users(list: &ListUsersResponse) -> String {
    let mut table = String::from("TASKS  USER\n");
    for entry in &list.users {
        let _ = write!(table, "{:5}  {}", entry.tasks, user(&entry.user));
    }
    let _ = writeln!(table, "{:5}  -", list.anonymous_tasks);
    table
}

/// The same as a JSON object.
pub(crate) fn users_json(list: &ListUsersResponse) -> String {
    let users = list.users.iter().map(|entry| {
        let mut object = user_object(&entry.user);
        object["tasks"] = entry.tasks.into();
        object
    });
    ascii(&json!({
        "users": Value::from_iter(users),
        "anonymous_tasks": list.anonymous_tasks,
    }))
}

fn user_object(user: &User) -> Value {
    json!({
        "id": user.id,
        "name": user.name,
        "role": match user.role {
            Role::Admin => "admin",
            Role::Member => "member",
        },
    })
}

fn object(task: &TasksContract) -> Value {
    json!({
        "id": task.id,
        "label": task.label,
        "checked": task.checked,
        "removed": task.removed,
    })
}

/// JSON whose strings have no hidden characters either. They can stand in strings only, where `\u` means the same.
fn ascii(value: &Value) -> String {
    escaped(&format!("{value:#}"))
}

fn escaped(json: &str) -> String {
    let mut escaped = String::new();
    for character in json.chars() {
        if is_hidden(character) && character != '\n' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped.push('\n');
    escaped
}

/// How many characters of the ids tell all of them apart, and no fewer than [`SHORT_ID`].
fn id_width(tasks: &[TasksContract]) -> usize {
    let mut ids: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
    ids.sort_unstable();
    let alike = ids.windows(2).map(|pair| {
        let (one, other) = (pair[0].chars(), pair[1].chars());
        one.zip(other).take_while(|(one, other)| one == other).count()
    });
    alike.max().map_or(SHORT_ID, |alike| SHORT_ID.max(alike + 1))
}

fn short_id(id: &str, width: usize) -> String {
    one_line(&id.chars().take(width).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn task(id: &str, label: &str) -> TasksContract {
        TasksContract {
            id: id.into(),
            label: label.into(),
            ..Default::default()
        }
    }

    #[test]
    fn json_says_the_same_as_the_label_without_hidden_characters() {
        let json = json_object(&task("1", "\u{1b}[31m \u{9b}2J \u{202e} \u{e0041} 🙂 \" \\"));
        expect![[r#"
            {
              "id": "1",
              "label": "\u001b[31m \u009b2J \u202e \udb40\udc41 🙂 \" \\",
              "checked": false,
              "removed": false
            }
        "#]]
        .assert_eq(&json);
        let read: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["label"], "\u{1b}[31m \u{9b}2J \u{202e} \u{e0041} 🙂 \" \\");
    }

    #[test]
    fn ids_are_as_long_as_it_takes_to_tell_them_apart() {
        let mut tasks = vec![task("0123456789a", "one"), task("fedcba98765", "two")];
        expect![[r"
            ID        DONE  LABEL
            01234567  [ ]   one
            fedcba98  [ ]   two
        "]]
        .assert_eq(&table(&tasks));
        tasks[1].id = "0123456788a".into();
        tasks[1].checked = true;
        tasks[0].removed = true;
        expect![[r"
            ID          DONE  LABEL
            0123456789  [ ]   one  (removed)
            0123456788  [x]   two
        "]]
        .assert_eq(&table(&tasks));
    }
}
