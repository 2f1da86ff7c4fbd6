//! Proves that `rpc_build::breaking` judges every case of the corpus as buf does, but for the differences that
//! `differences.txt` lists and justifies, and pins every sentence that it says.

use std::collections::BTreeMap;
use std::fs;

use breaking_corpus::{
    Case, Difference, Verdict, compile, folder, judge, read_cases, read_differences, read_verdicts,
};
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use rpc_build::breaking::{Element, Options, Violation, compare};

/// Shows a count in the output of a plain `cargo test`, which keeps what tests print.
macro_rules! report {
    ($($text:tt)*) => {{
        use std::io::Write;
        writeln!(std::io::stderr(), $($text)*).expect("standard error is there");
    }};
}

fn judged() -> Vec<(Case, Vec<Violation>)> {
    let cases = read_cases(&folder().join("cases")).expect("the corpus is well-formed");
    let judge = |case: Case| {
        let violations = judge(&case).unwrap_or_else(|error| panic!("{error}"));
        (case, violations)
    };
    cases.into_iter().map(judge).collect()
}

fn rules(violations: &[Violation]) -> Verdict {
    let breaking = violations.iter().filter(|violation| violation.is_breaking());
    breaking
        .flat_map(|violation| &violation.rules)
        .map(|rule| rule.id().to_owned())
        .collect()
}

#[test]
fn verdicts_are_those_of_buf_but_for_the_listed_differences() {
    let read = |name: &str| fs::read_to_string(folder().join(name)).expect("the file is there");
    let recorded = read_verdicts(&read("verdicts.txt")).expect("verdicts.txt is well-formed");
    let mut listed = read_differences(&read("differences.txt")).expect("differences.txt is well-formed");
    let judged = judged();

    let mut wrong = Vec::new();
    let mut unlike: BTreeMap<&str, usize> = BTreeMap::new();
    for (case, violations) in &judged {
        let name = &case.name;
        let ours = rules(violations);
        let Some(buf) = recorded.get(name) else {
            wrong.push(format!(
                "{name}: buf was not asked; `cargo run -p breaking-corpus -- record`"
            ));
            continue;
        };
        let only_buf: Verdict = buf.difference(&ours).cloned().collect();
        let only_ours: Verdict = ours.difference(buf).cloned().collect();
        let listed = listed.remove(name).unwrap_or_default();
        if (&only_buf, &only_ours) != (&listed.only_buf, &listed.only_ours) {
            wrong.push(format!(
                "{name}: only buf says {only_buf:?}, only rpc-build says {only_ours:?}; differences.txt lists {:?} and \
                 {:?}",
                listed.only_buf, listed.only_ours
            ));
        } else if listed != Difference::default() {
            let kind = if listed.changes_the_verdict(buf) {
                "another verdict"
            } else {
                "the same verdict, other rules"
            };
            *unlike.entry(kind).or_default() += 1;
        }
    }
    wrong.extend(
        listed
            .keys()
            .map(|case| format!("{case}: listed in differences.txt, and no case of the corpus")),
    );
    for case in recorded
        .keys()
        .filter(|name| !judged.iter().any(|(case, _)| case.name == **name))
    {
        wrong.push(format!(
            "{case}: recorded in verdicts.txt, and no case of the corpus"
        ));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let breaking = judged
        .iter()
        .filter(|(_, violations)| !rules(violations).is_empty())
        .count();
    report!(
        "{} cases: {breaking} breaking, {} compatible; {unlike:?}",
        judged.len(),
        judged.len() - breaking
    );
}

/// The two judges of buf.yaml and of rpc-build know the same rules: each of them is broken by some case.
#[test]
fn every_rule_is_broken_by_a_case() {
    let judged = judged();
    let broken: Verdict = judged
        .iter()
        .flat_map(|(_, violations)| violations)
        .flat_map(|violation| &violation.rules)
        .map(|rule| rule.id().to_owned())
        .collect();
    let known = breaking_rules();
    assert_eq!(broken, known, "left: broken by a case; right: known");
    report!("{} rules, each broken by a case", known.len());
}

/// The identifiers in the source of the rules, so that a new one cannot be forgotten here.
fn breaking_rules() -> Verdict {
    let source = include_str!("../../../rpc-build/src/breaking/rule.rs");
    let arms = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Rule::")?.split_once(" => \""));
    arms.filter_map(|(_, rest)| rest.split_once('"'))
        .map(|(rule, _)| rule.to_owned())
        .collect()
}

/// A build that changes nothing must say nothing, whatever order the compiler gives the files in.
#[test]
fn no_side_breaks_itself() {
    for case in read_cases(&folder().join("cases")).expect("the corpus is well-formed") {
        for side in [&case.before, &case.after] {
            let set = compile(side).unwrap_or_else(|error| panic!("{}: {error}", case.name));
            let mut turned = set.clone();
            turned.file.reverse();
            let violations = compare(&set, &turned, &Options::default());
            assert!(violations.is_empty(), "{}: {violations:?}", case.name);
        }
    }
}

/// Nobody changes one contract into another that has nothing to do with it; the comparison survives it all the same, and
/// every field that it points at is there.
#[test]
fn any_two_sides_can_be_compared() {
    let cases = read_cases(&folder().join("cases")).expect("the corpus is well-formed");
    let sides: Vec<_> = cases
        .iter()
        .flat_map(|case| [&case.before, &case.after])
        .collect();
    let sets: Vec<_> = sides
        .iter()
        .map(|side| compile(side).expect("a side compiles"))
        .collect();
    let mut findings = 0;
    for (at, before) in sets.iter().enumerate() {
        for step in 1..=16 {
            let after = &sets[(at * 7 + step * 23) % sets.len()];
            for violation in compare(before, after, &Options::default()) {
                findings += 1;
                if let Some(Element::Field { message, number, .. }) = &violation.anchor {
                    assert!(has_field(after, message, *number), "{violation:?}");
                }
            }
        }
    }
    report!("{} comparisons, {findings} findings", sets.len() * 16);
}

fn has_field(set: &FileDescriptorSet, message: &str, number: i32) -> bool {
    let extends = |file: &FileDescriptorProto| {
        file.extension
            .iter()
            .any(|field| field.number() == number && field.extendee() == format!(".{message}"))
    };
    set.file.iter().any(|file| {
        let prefix = format!("{}.", file.package());
        let mut path = message.strip_prefix(&prefix).unwrap_or_default().split('.');
        let mut found = file
            .message_type
            .iter()
            .find(|it| Some(it.name()) == path.clone().next());
        path.next();
        for part in path {
            found = found.and_then(|it| it.nested_type.iter().find(|nested| nested.name() == part));
        }
        extends(file) || found.is_some_and(|it| it.field.iter().any(|field| field.number() == number))
    })
}

#[test]
fn every_finding_can_be_pointed_at() {
    for (case, violations) in judged() {
        for violation in violations {
            let text = violation.to_string();
            assert!(violation.rule().is_some(), "{}: no rule", case.name);
            assert!(
                !text.contains("  ") && !text.ends_with('.'),
                "{}: {text}",
                case.name
            );
            assert!(
                !violation.element.full_name().is_empty(),
                "{}: no name",
                case.name
            );
        }
    }
}

#[test]
fn sentences() {
    let mut text = String::new();
    for (case, violations) in judged() {
        if violations.is_empty() {
            continue;
        }
        text.push_str(&format!("=== {}\n", case.name));
        for violation in violations {
            let place = match &violation.anchor {
                Some(anchor) => format!("at {anchor}"),
                None => "without a place".to_owned(),
            };
            text.push_str(&format!(
                "{:?} {:?} {place}\n    {}\n    help: {}\n",
                violation.severity, violation.element, violation.problem, violation.help
            ));
        }
        text.push('\n');
    }
    expect_test::expect_file!["../sentences.txt"].assert_eq(&text);
}
