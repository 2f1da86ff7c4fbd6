//! `record` asks the pinned buf about every case and writes `verdicts.txt`; `check` fails where the file says
//! something else; `lint` runs the same buf over all `.proto` files of the repository. They need npm once; the Rust tests
//! read only the file.

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use breaking_corpus::{Buf, BufError, Case, Verdict, folder, read_cases, read_verdicts, write_verdicts};

fn main() -> ExitCode {
    let command = env::args().nth(1);
    let result = match command.as_deref() {
        Some("record") => record(),
        Some("check") => check(),
        Some("lint") => lint(),
        _ => Err("usage: breaking-corpus record | check | lint".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn record() -> Result<(), Box<dyn Error>> {
    let (buf, verdicts) = ask()?;
    fs::write(
        folder().join("verdicts.txt"),
        write_verdicts(buf.version(), &verdicts),
    )?;
    Ok(())
}

fn check() -> Result<(), Box<dyn Error>> {
    let (buf, verdicts) = ask()?;
    let recorded = fs::read_to_string(folder().join("verdicts.txt"))?;
    if recorded == write_verdicts(buf.version(), &verdicts) {
        return Ok(());
    }
    let recorded = read_verdicts(&recorded)?;
    for (case, verdict) in &verdicts {
        if recorded.get(case) != Some(verdict) {
            eprintln!(
                "{case}: buf says {verdict:?}, recorded is {:?}",
                recorded.get(case)
            );
        }
    }
    Err("verdicts.txt is not what buf says; look at the difference, then `cargo run -p breaking-corpus -- record`".into())
}

fn lint() -> Result<(), Box<dyn Error>> {
    let buf = Buf::install()?;
    buf.lint()?;
    println!("buf {}: nothing to remark", buf.version());
    Ok(())
}

/// Asks buf about every case, on as many threads as there are cores.
fn ask() -> Result<(Buf, BTreeMap<String, Verdict>), Box<dyn Error>> {
    let cases = read_cases(&folder().join("cases"))?;
    let buf = Buf::install()?;
    let next = AtomicUsize::new(0);
    let answers: Mutex<BTreeMap<String, Result<Verdict, BufError>>> = Mutex::default();
    let work = || {
        while let Some(case) = next_case(&cases, &next) {
            let answer = buf.judge(case);
            if let Ok(mut answers) = answers.lock() {
                answers.insert(case.name.clone(), answer);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let answers = answers.into_inner().map_err(|_| "a thread panicked")?;
    let verdicts: BTreeMap<String, Verdict> = answers
        .into_iter()
        .map(|(case, answer)| Ok((case, answer?)))
        .collect::<Result<_, BufError>>()?;
    let breaking = verdicts.values().filter(|rules| !rules.is_empty()).count();
    println!(
        "buf {}: {} cases, {breaking} breaking, {} compatible",
        buf.version(),
        verdicts.len(),
        verdicts.len() - breaking
    );
    Ok((buf, verdicts))
}

fn next_case<'a>(cases: &'a [Case], next: &AtomicUsize) -> Option<&'a Case> {
    cases.get(next.fetch_add(1, Ordering::Relaxed))
}
