//! Passwords, as a person types them or a script gives them. They are never arguments: those are everyone's to see.

use std::io::{self, BufRead, IsTerminal};

use crate::failure::{Exit, Failure};

/// More than the longest password, so that a longer one is refused and not cut.
const LONGEST_LINE: u64 = 1024;

/// The password: asked for without echo where the standard input is a terminal, else its first line. A new one is asked for
/// twice.
pub(super) fn read(new: bool) -> Result<String, Failure> {
    let password = if !io::stdin().is_terminal() {
        first_line(io::stdin().lock())
    } else if new {
        let password = ask("Password: ")?;
        if ask("The same again: ")? != password {
            return Err(Failure::new(Exit::Usage, "the two passwords are not the same"));
        }
        Ok(password)
    } else {
        ask("Password: ")
    }?;
    if password.is_empty() {
        let text = "there is no password: it is the first line of the standard input";
        return Err(Failure::new(Exit::Usage, text));
    }
    Ok(password)
}

fn ask(prompt: &str) -> Result<String, Failure> {
    rpassword::prompt_password(prompt).map_err(|error| cannot_read(&error))
}

fn first_line(input: impl BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    input
        .take(LONGEST_LINE)
        .read_line(&mut line)
        .map_err(|error| cannot_read(&error))?;
    // White space at the ends may be part of a password; the line's end is not.
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn cannot_read(error: &io::Error) -> Failure {
    Failure::new(Exit::Usage, format!("cannot read the password: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password_without_the_lines_end() {
        for (input, password) in [
            ("open sesame\n", "open sesame"),
            ("open sesame\r\nmore\n", "open sesame"),
            (" open sesame ", " open sesame "),
            ("", ""),
        ] {
            assert_eq!(first_line(input.as_bytes()).unwrap(), password);
        }
        let long = "x".repeat(4096);
        assert_eq!(first_line(long.as_bytes()).unwrap().len() as u64, LONGEST_LINE);
    }
}
