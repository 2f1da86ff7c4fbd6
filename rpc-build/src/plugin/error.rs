//! What may keep a plugin from generating, each in a sentence that says what to do.

use super::name;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Why a plugin has generated nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum PluginError {
    /// The schemas do not compile, or do not have what was asked for.
    Schema(String),
    /// There is no such program.
    Missing {
        /// As it was looked for.
        program: PathBuf,
    },
    /// The program could not be started, or not be spoken with.
    Start {
        /// The plugin.
        program: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The plugin ran for longer than it may, and was ended.
    TimedOut {
        /// The plugin.
        program: PathBuf,
        /// How long it may run.
        limit: Duration,
    },
    /// The plugin ended with a status other than success.
    Failed {
        /// The plugin.
        program: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// What it said on its standard error.
        messages: String,
    },
    /// What the plugin answered is no answer, or one that cannot be written as it stands.
    Response {
        /// The plugin.
        program: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The plugin reports an error in the schemas.
    Reported {
        /// The plugin.
        program: PathBuf,
        /// In its words.
        message: String,
    },
    /// A generated file could not be read, written or removed.
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(problem) => f.write_str(problem),
            Self::Missing { program } => {
                let wanted = name(program);
                match program.components().count() {
                    1 => write!(f, "there is no program `{wanted}` on the PATH")?,
                    _ => write!(f, "there is no program `{}`", program.display())?,
                }
                match wanted.as_str() {
                    "protoc-gen-es" => f.write_str(
                        "; install it with `npm install --save-dev @bufbuild/protoc-gen-es` and name it by its path, \
                         `node_modules/.bin/protoc-gen-es`",
                    ),
                    _ => f.write_str("; install the plugin, or give the path to it"),
                }
            }
            Self::Start { program, error } => {
                write!(f, "the plugin `{}` cannot be run: {error}", program.display())?;
                match error.kind() {
                    io::ErrorKind::NotFound => f.write_str("; what it is written for is not installed"),
                    _ => Ok(()),
                }
            }
            Self::TimedOut { program, limit } => write!(
                f,
                "the plugin `{}` was ended after {limit:?} without an answer; if it needs longer, give it a `time_limit`",
                name(program)
            ),
            Self::Failed {
                program,
                status,
                messages,
            } => {
                write!(f, "the plugin `{}` failed ({status})", name(program))?;
                if status.code() == Some(127) {
                    // As `env` ends when it does not find what a script is written for.
                    f.write_str("; is what it runs on installed (Node, for a plugin from npm)?")?;
                }
                match messages.trim() {
                    "" => Ok(()),
                    messages => write!(f, ": {messages}"),
                }
            }
            Self::Response { program, problem } => {
                write!(
                    f,
                    "the answer of the plugin `{}` is refused: {problem}",
                    name(program)
                )
            }
            Self::Reported { program, message } => {
                write!(f, "the plugin `{}` reports: {}", name(program), message.trim())
            }
            Self::File { path, error } => write!(f, "`{}`: {error}", path.display()),
        }
    }
}

impl std::error::Error for PluginError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Start { error, .. } | Self::File { error, .. } => Some(error),
            _ => None,
        }
    }
}
