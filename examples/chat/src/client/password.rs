//! The password, as a person types it or a script gives it. It is never an argument: those are everyone's to see.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::Path;

use crate::failure::{Exit, Failure};

/// More than the longest password, so that a longer one is refused and not cut.
const LONGEST_LINE: u64 = 1024;

/// The password: the first line of a file; without one, asked for without echo where the standard input is a terminal, else the
/// input's first line. A new one is asked for twice.
pub(super) fn read(file: Option<&Path>, is_new: bool) -> Result<String, Failure> {
    let password = match file {
        Some(file) => {
            let opened =
                File::open(file).map_err(|error| cannot_read(&format!("{}: {error}", file.display())))?;
            first_line(BufReader::new(opened))?
        }
        // The lines behind it are what is said: nothing may be read ahead but by the one buffer of the standard input.
        None if !io::stdin().is_terminal() => first_line(io::stdin().lock())?,
        None if is_new => {
            let password = ask("Password: ")?;
            if ask("The same again: ")? != password {
                return Err(Failure::new(Exit::Usage, "the two passwords are not the same"));
            }
            password
        }
        None => ask("Password: ")?,
    };
    if password.is_empty() {
        let text = "there is no password: it is the first line of --password-file, or of the standard input";
        return Err(Failure::new(Exit::Usage, text));
    }
    Ok(password)
}

fn ask(prompt: &str) -> Result<String, Failure> {
    rpassword::prompt_password(prompt).map_err(|error| cannot_read(&error.to_string()))
}

fn first_line(input: impl BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    let mut input = input.take(LONGEST_LINE);
    input
        .read_line(&mut line)
        .map_err(|error| cannot_read(&error.to_string()))?;
    // White space at the ends may be part of a password; the line's end is not.
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn cannot_read(why: &str) -> Failure {
    Failure::new(Exit::Usage, format!("cannot read the password: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password_and_the_others_are_left() {
        for (input, password) in [
            ("open sesame\n", "open sesame"),
            ("open sesame\r\n", "open sesame"),
            (" open sesame ", " open sesame "),
            ("", ""),
        ] {
            assert_eq!(first_line(input.as_bytes()).unwrap(), password);
        }
        let mut input = "open sesame\nhello\n".as_bytes();
        first_line(&mut input).unwrap();
        assert_eq!(input, b"hello\n");
        let long = "x".repeat(4096);
        assert_eq!(first_line(long.as_bytes()).unwrap().len() as u64, LONGEST_LINE);
    }
}
