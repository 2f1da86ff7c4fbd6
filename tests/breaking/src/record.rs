//! The recorded verdicts of buf, and the table of the differences.

use std::collections::BTreeMap;

use crate::Verdict;

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct RecordError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A case on which buf and rpc-build do not agree, and why that is right.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Rules that only buf says are broken.
    pub only_buf: Verdict,
    /// Rules that only rpc-build says are broken.
    pub only_ours: Verdict,
    /// Why.
    pub because: String,
}

impl Difference {
    /// Whether the two judges differ in what matters: whether the change may be made.
    #[must_use]
    pub fn changes_the_verdict(&self, buf: &Verdict) -> bool {
        let ours_is_empty = self.only_ours.is_empty() && buf.is_subset(&self.only_buf);
        buf.is_empty() != ours_is_empty
    }
}

/// Writes `case: RULE RULE` per case, or `case: compatible`, under the version of buf that said so.
#[must_use]
pub fn write_verdicts(version: &str, verdicts: &BTreeMap<String, Verdict>) -> String {
    let mut text = format!(
        "# The verdicts of buf {version} on the cases, by `cargo run -p breaking-corpus -- record`.\n"
    );
    for (case, rules) in verdicts {
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        let verdict = if rules.is_empty() {
            "compatible".to_owned()
        } else {
            rules.join(" ")
        };
        text.push_str(&format!("{case}: {verdict}\n"));
    }
    text
}

/// Reads what [`write_verdicts`] wrote.
///
/// # Errors
///
/// On a line of another form.
pub fn read_verdicts(text: &str) -> Result<BTreeMap<String, Verdict>, RecordError> {
    let mut verdicts = BTreeMap::new();
    for (line, content) in lines(text) {
        let (case, rules) = content.split_once(": ").ok_or(RecordError {
            line,
            reason: "not `case: verdict`",
        })?;
        let rules = rules
            .split(' ')
            .filter(|&rule| rule != "compatible")
            .map(str::to_owned)
            .collect();
        if verdicts.insert(case.to_owned(), rules).is_some() {
            return Err(RecordError {
                line,
                reason: "the case is there twice",
            });
        }
    }
    Ok(verdicts)
}

/// Reads the table of differences: a line with the case, lines with `only buf: RULE …` and `only ours: RULE …`, and a
/// line with `because: …`; the last three indented.
///
/// # Errors
///
/// On a line of another form, and where the reason is missing.
pub fn read_differences(text: &str) -> Result<BTreeMap<String, Difference>, RecordError> {
    let mut differences: BTreeMap<String, Difference> = BTreeMap::new();
    let mut case: Option<String> = None;
    for (line, content) in lines(text) {
        let fail = |reason| RecordError { line, reason };
        let Some(detail) = content.strip_prefix("    ") else {
            let name = content.trim_end().to_owned();
            if differences.insert(name.clone(), Difference::default()).is_some() {
                return Err(fail("the case is there twice"));
            }
            case = Some(name);
            continue;
        };
        let difference = case
            .as_ref()
            .and_then(|case| differences.get_mut(case))
            .ok_or(fail("a detail without a case"))?;
        let rules = |rules: &str| rules.split_whitespace().map(str::to_owned).collect();
        match detail.split_once(": ") {
            Some(("only buf", list)) => difference.only_buf = rules(list),
            Some(("only ours", list)) => difference.only_ours = rules(list),
            Some(("because", reason)) => difference.because = reason.to_owned(),
            _ => return Err(fail("not `only buf: `, `only ours: ` or `because: `")),
        }
    }
    match differences
        .values()
        .any(|difference| difference.because.is_empty())
    {
        true => Err(RecordError {
            line: 0,
            reason: "a difference without a reason",
        }),
        false => Ok(differences),
    }
}

/// The lines that say something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
}
