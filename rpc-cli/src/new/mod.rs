//! `rpc new`: a crate to begin with. `name` says what it may be called, `origin` where it gets the framework from, `files` what is in
//! it, `workspace` whether it is a member of one, and `vcs` whether it gets a git repository; here it is written, and its user told how
//! to go on.

mod files;
mod name;
mod origin;
mod vcs;
mod workspace;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crate::cli::NewArgs;
use crate::failure::{Exit, Failure};
use crate::output::{self, HEAD, NAME, QUIET, one_line};
use name::CrateName;
use origin::Origin;

/// `rpc new`
pub(crate) fn run(args: &NewArgs) -> Result<(), Failure> {
    let name = CrateName::parse(&chosen_name(args)?)?;
    let origin = Origin::of(args)?;
    vacant(&args.folder)?;
    // Before anything is written: what `Cargo.toml` says depends on where the crate really is.
    fs::create_dir_all(&args.folder).map_err(|error| unwritable(&args.folder, &error))?;
    let real = fs::canonicalize(&args.folder).map_err(|error| unwritable(&args.folder, &error))?;
    for (file, text) in files::filled(&name, &origin, &real)? {
        write(&args.folder.join(file), &text)?;
    }
    workspace::settle(&args.folder)?;
    vcs::settle(&args.folder, args.vcs)?;
    tell(&args.folder, &name, &origin)
}

/// What the crate is to be called: what was said, else what its folder is called.
fn chosen_name(args: &NewArgs) -> Result<String, Failure> {
    if let Some(name) = &args.name {
        return Ok(name.clone());
    }
    // `.` and `..` are called what they are when one looks from outside.
    let seen = match args.folder.file_name() {
        Some(_) => args.folder.clone(),
        None => fs::canonicalize(&args.folder).map_err(|error| unwritable(&args.folder, &error))?,
    };
    let name = seen.file_name().map(|name| name.to_string_lossy().into_owned());
    name.ok_or_else(|| {
        Failure::new(Exit::Usage, format!("`{}` has no name", args.folder.display()))
            .hint("--name says what the crate is called")
    })
}

/// Nothing is written where there is anything already.
fn vacant(folder: &Path) -> Result<(), Failure> {
    let occupied = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(unwritable(folder, &error)),
    };
    if occupied {
        let text = format!(
            "there is something in `{}` already, and nothing was written",
            folder.display()
        );
        return Err(Failure::new(Exit::CannotCreate, text)
            .hint("name a folder that is not there yet, or an empty one; --name says what the crate is called if not like its folder"));
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        // Somebody may have been quicker.
        File::create_new(path)?.write_all(text.as_bytes())
    };
    write().map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Exit::CannotCreate,
        format!("{} cannot be made: {error}", path.display()),
    )
}

fn tell(folder: &Path, name: &CrateName, origin: &Origin) -> Result<(), Failure> {
    output::line(&format!(
        "Made {NAME}{}{NAME:#} in {}, with {origin}.\n\n{HEAD}Next:{HEAD:#}",
        name.package(),
        one_line(&folder.display().to_string()),
    ))?;
    if folder != Path::new(".")
        && let Some(word) = for_shell(folder)
    {
        output::line(&format!("  cd {word}"))?;
    }
    for (command, what) in [
        ("cargo run", "the server"),
        (
            r#"rpc call Sign '{"name": "Ada", "text": "Hello!"}'"#,
            "in another terminal",
        ),
        ("rpc subscribe entries", "what is signed from then on"),
        ("cargo run --example client", "the same, and what stands there"),
        ("cargo test", "both in one process"),
    ] {
        output::line(&format!("  {command:50} {QUIET}{what}{QUIET:#}"))?;
    }
    output::line("\nsrc/contracts.rs is where to begin; README.md says what else there is.")
}

/// A path as a shell takes it for one word, and `cd` for a folder. `None` where it cannot be shown as it is.
fn for_shell(path: &Path) -> Option<String> {
    let text = path.to_str().filter(|text| one_line(text) == *text)?;
    // An option, or the folder before.
    let text = match text.starts_with('-') {
        true => format!("./{text}"),
        false => text.to_owned(),
    };
    // What separates folders on Windows means something to other shells.
    let plain =
        |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c) || cfg!(windows) && "\\:".contains(c);
    Some(match text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_word_to_a_shell() {
        for (folder, word) in [
            ("../shop-2/my_app", "../shop-2/my_app"),
            ("my app", "'my app'"),
            ("Ada's", r"'Ada'\''s'"),
            ("$HOME", "'$HOME'"),
            ("~ada", "'~ada'"),
            ("-shop", "./-shop"),
            ("- a", "'./- a'"),
        ] {
            assert_eq!(for_shell(Path::new(folder)).as_deref(), Some(word));
        }
        #[cfg(unix)]
        assert_eq!(for_shell(Path::new(r"a\b")).as_deref(), Some(r"'a\b'"));
        for hidden in ["a\nb", "a\u{202e}b"] {
            assert_eq!(for_shell(Path::new(hidden)), None, "{hidden:?}");
        }
    }
}
