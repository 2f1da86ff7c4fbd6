//! Guards the wire: compares what the contracts give with what was promised, and brings the `.proto` up to date.
//!
//! The promise is the committed `.proto` (at git's HEAD; without git, the file on disk). What is on disk and equals what
//! the contracts give is accepted: that is how a promise is broken on purpose, by editing the file in the same commit.
//! What is not committed yet may change freely.

mod git;
mod owned;
mod verdict;

pub(crate) use owned::is_ours;

use crate::config::Builder;
use crate::descriptor::{self, Compiled};
use crate::emit::proto::MARK;
use crate::environment::Environment;
use crate::report::Report;
use crate::{breaking, files};
use rpc_schema::resolve::Schema;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The `.proto` of one file of the schema.
#[derive(Debug, Clone)]
pub(crate) struct Emitted {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// How it is imported.
    pub(crate) import_name: String,
    /// What the contracts give.
    pub(crate) text: String,
}

/// What the comparison needs.
pub(crate) struct Guard<'a> {
    pub(crate) builder: &'a Builder,
    pub(crate) environment: &'a Environment,
    pub(crate) schema: &'a Schema,
    pub(crate) emitted: &'a [Emitted],
    pub(crate) compiled: &'a Compiled,
    /// Where imports are looked for.
    pub(crate) folders: &'a [PathBuf],
    /// The age that written files get, older than this build.
    pub(crate) age: Option<SystemTime>,
}

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Files of git that a different verdict would show in; only where there are errors.
    pub(crate) watched: Vec<PathBuf>,
    /// What of it cargo watches.
    pub(crate) watched_by_cargo: Vec<PathBuf>,
}

/// A file that differs from what the contracts give.
struct Stale {
    path: PathBuf,
    import_name: String,
    /// Nothing for a file that no contract is in any more.
    text: Option<String>,
    on_disk: Option<String>,
}

impl Guard<'_> {
    /// Compares, reports, and writes where that is right.
    pub(crate) fn check(&self, report: &mut Report) -> Outcome {
        if !is_ours(self.environment) {
            return Outcome::default();
        }
        let stale = self.stale();
        if stale.is_empty() {
            return Outcome::default();
        }
        let paths: Vec<&Path> = stale.iter().map(|stale| stale.path.as_path()).collect();
        let committed = git::committed(&self.environment.manifest_dir, &paths);
        let has_git = committed.is_some();
        let promised: Vec<Option<String>> = match committed {
            Some(committed) => committed
                .into_iter()
                .zip(&stale)
                .map(|(known, stale)| match known {
                    git::Known::Committed(text) => Some(text),
                    git::Known::New => None,
                    git::Known::Elsewhere => stale.on_disk.clone(),
                })
                .collect(),
            None => stale.iter().map(|stale| stale.on_disk.clone()).collect(),
        };
        let mut broken = self.breaks(&stale, &promised, report);
        // Edited by hand in the same commit: then the edited file is the promise.
        let edited = has_git
            && stale
                .iter()
                .zip(&promised)
                .any(|(stale, promised)| stale.on_disk.is_some() && stale.on_disk != *promised);
        if edited && !broken.is_empty() {
            let on_disk: Vec<Option<String>> = stale
                .iter()
                .zip(&promised)
                .map(|(stale, promised)| stale.on_disk.clone().or_else(|| promised.clone()))
                .collect();
            if self.breaks(&stale, &on_disk, &mut Report::default()).is_empty() {
                broken.clear();
            }
        }
        if broken.is_empty() {
            self.bring_up_to_date(&stale, report);
        } else {
            for (key, mut message) in broken {
                if !has_git {
                    message.push_str(
                        " (compared with the file on disk, as this is no git repository; edit it there if it was never \
                         published)",
                    );
                }
                match key {
                    Some(key) => report.problem(&key, &message),
                    None => report.error(&message),
                }
            }
        }
        if report.has_errors() {
            let head = git::head(&self.environment.manifest_dir);
            return Outcome {
                watched: head.files,
                watched_by_cargo: head.watched,
            };
        }
        Outcome::default()
    }

    /// The files that differ, and those of ours that no contract is in any more.
    fn stale(&self) -> Vec<Stale> {
        let mut stale = Vec::new();
        let mut known = BTreeSet::new();
        for emitted in self.emitted {
            let path = files::normal(&emitted.path);
            let on_disk = std::fs::read_to_string(&path).ok();
            if on_disk.as_deref() != Some(&emitted.text) {
                stale.push(Stale {
                    path: path.clone(),
                    import_name: emitted.import_name.clone(),
                    text: Some(emitted.text.clone()),
                    on_disk,
                });
            }
            known.insert(path);
        }
        let directory = files::normal(&self.environment.manifest_dir.join(&self.builder.proto_directory));
        let mut left = Vec::new();
        // What lies outside of the crate may be another crate's: it is not for this one to miss, or to delete.
        if directory.starts_with(files::normal(&self.environment.manifest_dir)) {
            ours_below(&directory, &mut left);
        }
        for (path, text) in left {
            if known.contains(&path) {
                continue;
            }
            let import_name = path
                .strip_prefix(&directory)
                .unwrap_or(&path)
                .to_string_lossy()
                .replace('\\', "/");
            stale.push(Stale {
                path,
                import_name,
                text: None,
                on_disk: Some(text),
            });
        }
        stale
    }

    /// What the contracts break of a promise: each with the key of the item to show it at, if one is left.
    fn breaks(
        &self,
        stale: &[Stale],
        promised: &[Option<String>],
        report: &mut Report,
    ) -> Vec<(Option<String>, String)> {
        if promised.iter().all(Option::is_none) {
            return Vec::new();
        }
        // Files that did not change are there to be imported; they need no comparing.
        let mut texts: BTreeMap<String, String> = self
            .emitted
            .iter()
            .map(|emitted| (emitted.import_name.clone(), emitted.text.clone()))
            .collect();
        let mut names = BTreeSet::new();
        for (stale, promised) in stale.iter().zip(promised) {
            match promised {
                Some(promised) => {
                    texts.insert(stale.import_name.clone(), promised.clone());
                    names.insert(stale.import_name.clone());
                }
                None => {
                    texts.remove(&stale.import_name);
                }
            }
        }
        let before = match descriptor::compile(&names, &texts, self.folders) {
            Ok(before) => before,
            Err(error) => {
                return vec![(
                    None,
                    format!(
                        "the committed schema does not compile, so nothing can be compared with it: {error}"
                    ),
                )];
            }
        };
        let removed = |texts: &mut dyn Iterator<Item = &String>| -> BTreeSet<String> {
            texts.flat_map(|text| breaking::removed_names(text)).collect()
        };
        let options = breaking::Options {
            removed: removed(&mut self.emitted.iter().map(|emitted| &emitted.text)),
            removed_before: removed(&mut texts.values()),
            closed_enums: self
                .schema
                .files
                .iter()
                .flat_map(|file| &file.enums)
                .filter(|item| !item.open)
                .map(|item| item.full_name.clone())
                .collect(),
        };
        let own: BTreeSet<String> = self
            .emitted
            .iter()
            .map(|emitted| emitted.import_name.clone())
            .collect();
        let after = prost_types::FileDescriptorSet {
            file: self.compiled.files(&own).cloned().collect(),
        };
        let before = prost_types::FileDescriptorSet {
            file: before.files(&names).cloned().collect(),
        };
        let mut broken = Vec::new();
        for violation in breaking::compare(&before, &after, &options) {
            if violation.is_breaking() {
                let names = verdict::files_before(&violation.element, &before);
                let files: Vec<String> = stale
                    .iter()
                    .filter(|stale| names.contains(&stale.import_name.as_str()))
                    .map(|stale| self.shown(&stale.path))
                    .collect();
                let told = self.told(&violation, &files.join(" and "));
                broken.push((verdict::key(&violation, self.schema), told));
            } else {
                report.warning(&violation.to_string());
            }
        }
        broken
    }

    /// The violation, and how to make it on purpose, given the files that what it is about was in.
    fn told(&self, violation: &breaking::Violation, before: &str) -> String {
        if matches!(violation.element, breaking::Element::Package { .. }) && !before.is_empty() {
            // Of a package it says already that the file is to be deleted.
            return format!("{violation}; the package is in {before}");
        }
        let owner = violation.anchor.as_ref().and_then(breaking::Element::owner);
        let file = match owner.and_then(|owner| verdict::file(owner, self.schema)) {
            Some(file) => self.shown(&self.builder.proto_file(&self.environment.manifest_dir, file)),
            None if !before.is_empty() => before.to_owned(),
            None => format!("the `.proto` below {}", self.shown(&self.builder.proto_directory)),
        };
        format!("{violation}; to break it on purpose, edit {file} in the same commit")
    }

    fn shown(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.environment.manifest_dir).unwrap_or(path);
        format!("`{}`", path.display())
    }

    /// The change is compatible: write it, or say why not.
    fn bring_up_to_date(&self, stale: &[Stale], report: &mut Report) {
        for stale in stale {
            let shown = stale
                .path
                .strip_prefix(&self.environment.manifest_dir)
                .unwrap_or(&stale.path)
                .display();
            if self.environment.ci {
                report.error(&match stale.text {
                    Some(_) => format!(
                        "`{shown}` is not what the contracts give, and a build with `CI` set changes nothing; run `cargo build` \
                         without it, and commit the file"
                    ),
                    None => format!(
                        "no contract is in `{shown}` any more, and a build with `CI` set changes nothing; run `cargo build` \
                         without it, and commit that the file is gone"
                    ),
                });
                continue;
            }
            let done = match &stale.text {
                Some(text) => files::write_if_changed(&stale.path, text.as_bytes()).map(|_| {
                    if let Some(age) = self.age {
                        files::set_age(&stale.path, age);
                    }
                }),
                None => std::fs::remove_file(&stale.path),
            };
            if let Err(error) = done {
                report.warning(&format!(
                    "`{shown}` is not what the contracts give, and cannot be brought up to date: {error}"
                ));
            }
        }
    }
}

/// Writes a file that a build script wants in the sources, beside the `.proto`: by the same rules, and never while
/// something is wrong.
pub(crate) fn keep_in_sources(
    environment: &Environment,
    path: &Path,
    content: &[u8],
    age: Option<SystemTime>,
    report: &mut Report,
) {
    let present = std::fs::read(path).is_ok_and(|present| present == content);
    if present || !is_ours(environment) {
        return;
    }
    let shown = path
        .strip_prefix(&environment.manifest_dir)
        .unwrap_or(path)
        .display();
    if environment.ci {
        report.error(&format!(
            "`{shown}` is not what the contracts give, and a build with `CI` set changes nothing; run `cargo build` without \
             it, and commit the file"
        ));
        return;
    }
    if report.has_errors() {
        return;
    }
    match files::write_if_changed(path, content) {
        Ok(_) => {
            if let Some(age) = age {
                files::set_age(path, age);
            }
        }
        Err(error) => report.warning(&format!(
            "`{shown}` is not what the contracts give, and cannot be brought up to date: {error}"
        )),
    }
}

/// The `.proto` files below a folder that were written here.
fn ours_below(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            ours_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "proto")
            && let Ok(text) = std::fs::read_to_string(&path)
            && text.starts_with(MARK)
        {
            found.push((path, text));
        }
    }
}
