//! Autobahn's fuzzing client against an echo endpoint on the server's own stack (`tests/autobahn`).
//!
//! The suite runs on Python 2.7 alone, which is why it is a task of its own and not part of `cargo xtask test`.
//!
//! Two cases are expected to be NON-STRICT: 6.4.3 and 6.4.4 send text that is not UTF-8 in pieces of one frame, and would
//! have the connection closed before that frame is whole. Nothing of ours is text, so nothing is gained by that.

use crate::process::{cargo, root, run};
use crate::tools;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

/// How many cases sections 1 to 10 of the pinned suite have: fewer in the report means that it did not finish. Sections
/// 12 and 13 are about compression by an extension, which is not spoken here.
const CASES: usize = 301;

/// The name under which the suite reports.
const AGENT: &str = "rpc-runtime";

/// What a case may come to, from the best; whatever else the suite says counts as the last.
const VERDICTS: [&str; 4] = ["OK", "INFORMATIONAL", "NON-STRICT", "FAILED"];

const FAILED: usize = VERDICTS.len() - 1;

/// The sections as the suite's documentation names them; there is no 8.
const SECTIONS: [(u32, &str); 9] = [
    (1, "framing"),
    (2, "pings and pongs"),
    (3, "reserved bits"),
    (4, "opcodes"),
    (5, "fragmentation"),
    (6, "UTF-8"),
    (7, "closing"),
    (9, "limits and performance"),
    (10, "fragments of its own accord"),
];

/// Runs sections 1 to 10; fails when a case does.
pub(crate) fn autobahn() -> Result<()> {
    let suite = tools::autobahn()?;
    let endpoint = Endpoint::start()?;
    let folder = root().join("target/autobahn");
    let report = folder.join("report");
    // An older report would be taken for this run's, where this run leaves none.
    std::fs::remove_dir_all(&report).ok();
    let cases: Vec<_> = (1..=10).map(|section| format!("{section}.*")).collect();
    let specification = json!({
        "outdir": report,
        "servers": [{ "agent": AGENT, "url": endpoint.url }],
        "cases": cases,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    });
    let file = folder.join("fuzzingclient.json");
    std::fs::write(&file, specification.to_string())?;
    let (suite, file) = (suite.to_string_lossy(), file.to_string_lossy());
    run(&suite, &["-m", "fuzzingclient", "-s", &file])
        .logged(&folder.join("fuzzingclient.log"))
        .context("the suite did not run to its end")?;
    judge(&report)
}

/// Prints the report; fails when it is not whole or has a failure.
fn judge(report: &Path) -> Result<()> {
    let index = std::fs::read_to_string(report.join("index.json")).context("the suite left no report")?;
    let index: Value = serde_json::from_str(&index)?;
    let cases = index[AGENT].as_object().context("the report is empty")?;
    let mut sections = BTreeMap::<u32, [usize; VERDICTS.len()]>::new();
    let mut remarkable = String::new();
    let mut failed = 0;
    for (case, outcome) in cases {
        let section = case.split('.').next().unwrap_or_default().parse()?;
        let said = ["behavior", "behaviorClose"].map(|key| outcome[key].as_str().unwrap_or_default());
        let verdict = said.map(verdict).into_iter().max().unwrap_or(FAILED);
        sections.entry(section).or_default()[verdict] += 1;
        failed += usize::from(verdict == FAILED);
        if verdict > 0 {
            writeln!(
                remarkable,
                "{case}: {}, closing {}, code {}",
                said[0], said[1], outcome["remoteCloseCode"]
            )?;
        }
    }
    println!("\n| section | OK | INFORMATIONAL | NON-STRICT | FAILED |\n|---|---:|---:|---:|---:|");
    for (section, counts) in &sections {
        let name = SECTIONS.iter().find(|(number, _)| number == section);
        let name = name.map_or("", |(_, name)| name);
        let [ok, informational, non_strict, failed] = counts;
        println!("| {section} {name} | {ok} | {informational} | {non_strict} | {failed} |");
    }
    println!(
        "\n{remarkable}\nEach case in full: {}",
        report.join("index.html").display()
    );
    if failed > 0 {
        bail!("{failed} cases failed");
    }
    if cases.len() != CASES {
        bail!("{} cases of {CASES} are in the report", cases.len());
    }
    println!("Autobahn: {CASES} cases, none failed.");
    Ok(())
}

/// Where in [`VERDICTS`] a word of the report stands.
fn verdict(word: &str) -> usize {
    VERDICTS
        .iter()
        .position(|verdict| *verdict == word)
        .unwrap_or(FAILED)
}

/// The running echo endpoint.
#[derive(Debug)]
struct Endpoint {
    process: Child,
    url: String,
}

impl Endpoint {
    fn start() -> Result<Self> {
        cargo(&["build", "-p", "autobahn-echo"]).go()?;
        // On Unix, `cargo run` becomes the program that it runs: the child is the endpoint itself.
        let mut process = cargo(&["run", "--quiet", "-p", "autobahn-echo"])
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().context("standard output was asked for")?;
        let mut endpoint = Self {
            process,
            url: String::new(),
        };
        BufReader::new(output).read_line(&mut endpoint.url)?;
        endpoint.url.truncate(endpoint.url.trim_end().len());
        if endpoint.url.is_empty() {
            bail!("the echo endpoint did not start");
        }
        Ok(endpoint)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // The end of its input ends it; it is made sure of by its own id.
        drop(self.process.stdin.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_the_suite_may_say_and_that_are_not_known_here_are_failures() {
        assert_eq!(
            ["OK", "NON-STRICT", "UNCLEAN", ""].map(verdict),
            [0, 2, FAILED, FAILED]
        );
    }
}
