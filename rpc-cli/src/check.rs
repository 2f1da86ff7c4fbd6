//! `rpc check`: what a change of schemas breaks, as the build of contracts tells it. That an enum grows which refuses what it does not
//! know is told by the build alone: schemas do not say which enums do.

use rpc_build::promise::{Promise, PromiseError};
use serde_json::json;

use crate::cli::CheckArgs;
use crate::failure::{Exit, Failure};
use crate::output::{self, HEAD, NAME, QUIET, one_line};

/// `rpc check`
pub(crate) fn run(args: &CheckArgs) -> Result<(), Failure> {
    let before = Promise::read(&args.before).map_err(failure)?;
    let after = Promise::read(&args.after).map_err(failure)?;
    let found = before.broken_by(&after);
    for violation in &found {
        let element = violation.element.to_string();
        let rules: Vec<String> = violation.rules.iter().map(ToString::to_string).collect();
        if args.output.json {
            output::line(&output::compact(&json!({
                "element": element,
                "breaking": violation.is_breaking(),
                "rules": rules,
                "problem": violation.problem,
                "help": violation.help,
            })))?;
            continue;
        }
        let what = if violation.is_breaking() {
            "breaking"
        } else {
            "warning"
        };
        output::line(&format!(
            "{HEAD}{what}{HEAD:#} {NAME}{}{NAME:#}: {}\n  {}\n  {QUIET}{}{QUIET:#}",
            one_line(&element),
            one_line(&violation.problem),
            one_line(&violation.help),
            rules.join(", ")
        ))?;
    }
    let breaking = found.iter().filter(|violation| violation.is_breaking()).count();
    match breaking {
        0 => Ok(()),
        1 => Err(Failure::new(
            Exit::Breaks,
            "one change breaks clients or servers that are out there",
        )),
        many => {
            let text = format!("{many} changes break clients or servers that are out there");
            Err(Failure::new(Exit::Breaks, text))
        }
    }
}

fn failure(error: PromiseError) -> Failure {
    let exit = match error {
        PromiseError::Unreadable { .. } => Exit::NoInput,
        _ => Exit::BadData,
    };
    Failure::new(exit, error.to_string())
}
