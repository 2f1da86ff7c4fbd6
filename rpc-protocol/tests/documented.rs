//! The page about the wire says what the code does.

use rpc_protocol::{CloseCode, method_number};

const PAGE: &str = include_str!("../../docs/wire.md");

#[test]
fn the_page_lists_every_close_code_and_whether_a_client_comes_back() {
    for code in CloseCode::ALL {
        let row = PAGE
            .lines()
            .find(|line| line.starts_with(&format!("| {code} |")))
            .unwrap_or_else(|| panic!("no row for {code}"));
        let wanted = if code.may_return() {
            "| comes back |"
        } else {
            "| final |"
        };
        assert!(row.ends_with(wanted), "{row}");
    }
}

#[test]
fn the_page_gives_the_numbers_of_methods() {
    for name in ["a", "foobar", "task.TaskService/AddTask"] {
        let row = format!("| `{name}` | `{:#018x}` |", method_number(name));
        assert!(PAGE.contains(&row), "{row}");
    }
}
