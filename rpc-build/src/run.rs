//! One build, from sources to outputs. All stages meet here, and nowhere else.

use crate::config::Builder;
use crate::descriptor::{self, Compiled};
use crate::documented;
use crate::drift::{self, Emitted, Guard};
use crate::emit::{module, proto};
use crate::environment::Environment;
use crate::externals::{self, Externals};
use crate::hand_written::HandWritten;
use crate::plugin::InBuild;
use crate::present;
use crate::report::Report;
use crate::scan::{self, Scan};
use crate::stamp::{self, Seen};
use crate::{check, files};
use rpc_schema::fingerprint::fingerprint;
use rpc_schema::resolve::{Origin, Scanned, Schema};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Builds what a build script asks for. An error is a fault of the environment; mistakes in contracts are in the report.
pub(crate) fn run(builder: &Builder, environment: &Environment) -> Result<Report, String> {
    let out = environment.out_dir.join("rpc");
    std::fs::create_dir_all(&out).map_err(|error| {
        format!(
            "the output directory `{}` cannot be written: {error}",
            out.display()
        )
    })?;
    let stamp = out.join("stamp.txt");
    let key = files::hash(format!("{builder:?}\n{environment:?}").as_bytes());
    if let Some(report) = stamp::unchanged(&stamp, key) {
        return Ok(report);
    }
    let mut build = Build {
        builder,
        environment,
        out,
        report: Report::default(),
        seen: Seen {
            key,
            ..Seen::default()
        },
    };
    build.run()?;
    let Build { mut report, seen, .. } = build;
    for path in seen
        .inputs
        .iter()
        .filter(|path| path.exists() && !is_of_git(path))
    {
        report.rerun_if_changed(path);
    }
    report.rerun_if_env_changed("CI");
    stamp::leave(&stamp, &seen, &report).map_err(|error| unwritable(&stamp, &error))?;
    Ok(report)
}

fn is_of_git(path: &Path) -> bool {
    path.components().any(|component| component.as_os_str() == ".git")
}

fn unwritable(path: &Path, error: &std::io::Error) -> String {
    format!("`{}` cannot be written: {error}", path.display())
}

struct Build<'a> {
    builder: &'a Builder,
    environment: &'a Environment,
    /// `OUT_DIR/rpc`
    out: PathBuf,
    report: Report,
    seen: Seen,
}

impl Build<'_> {
    fn run(&mut self) -> Result<(), String> {
        let mut scan = scan::scan(self.builder, self.environment);
        let age = scan.files.iter().filter_map(|file| files::age(file)).max();
        self.seen.inputs.append(&mut scan.files);
        let externals = externals::read(self.environment);
        self.seen.inputs.extend(externals.files.iter().cloned());
        self.report.absent(&scan.absent);
        for scanned in &scan.items {
            let name = scanned.item.common().full_name();
            if !scan.absent.contains(&name) {
                self.report.contract(&name, &fingerprint(&scanned.item));
            }
        }
        for error in &scan.errors {
            self.report.error(error);
        }
        let hand_written = HandWritten::read(self.builder, self.environment);
        self.seen.inputs.extend(hand_written.files.iter().cloned());
        let schema = self.resolve(&mut scan, &externals, &hand_written);
        let sources = Sources::new(self.builder, self.environment, &schema, &externals, &hand_written);
        self.seen
            .inputs
            .extend(sources.emitted.iter().map(|emitted| emitted.path.clone()));
        let compiled = descriptor::compile(&sources.names, &sources.texts, &sources.folders);
        if let Ok(compiled) = &compiled {
            self.seen.inputs.extend(compiled.read.iter().cloned());
        }
        let broken = scan.broken || self.report.has_errors();
        match compiled {
            Ok(compiled) if !broken => {
                let outcome = Guard {
                    builder: self.builder,
                    environment: self.environment,
                    schema: &schema,
                    emitted: &sources.emitted,
                    compiled: &compiled,
                    folders: &sources.folders,
                    age,
                }
                .check(&mut self.report);
                self.seen.inputs.extend(outcome.watched);
                for path in outcome.watched_by_cargo {
                    self.report.rerun_if_changed(&path);
                }
                let modules = self.modules(&schema, &scan.absent, &sources, &compiled, &externals)?;
                self.write(
                    &present::of(&schema, &scan.absent),
                    &sources,
                    &compiled,
                    &externals,
                    modules,
                    age,
                )?;
                self.plugins(&sources, &compiled, age);
                Ok(())
            }
            compiled => {
                if let (Err(error), false) = (&compiled, broken) {
                    self.report.error(&format!(
                        "the contracts do not give a schema that compiles: {error}"
                    ));
                }
                self.keep_or_stub(&schema, &scan, &sources, compiled.ok().as_ref(), &externals)
            }
        }
    }

    /// Pass 2, and the checks over all services. Problems go to the report.
    fn resolve(&mut self, scan: &mut Scan, externals: &Externals, hand_written: &HandWritten) -> Schema {
        let mut types = externals.types.clone();
        types.extend(hand_written.types.iter().cloned());
        let scanned = Scanned {
            modules: std::mem::take(&mut scan.modules),
            items: std::mem::take(&mut scan.items),
            externals: types,
            crate_path: self.builder.crate_path.clone(),
        };
        let (schema, problems) = rpc_schema::resolve::resolve(&scanned);
        for problem in problems.iter().chain(&check::method_numbers(&schema)) {
            self.report.problem(&problem.key, &problem.message);
        }
        schema
    }

    fn modules(
        &self,
        schema: &Schema,
        absent: &BTreeSet<String>,
        sources: &Sources,
        compiled: &Compiled,
        externals: &Externals,
    ) -> Result<BTreeMap<String, String>, String> {
        let mut contracts: BTreeMap<String, String> = schema
            .files
            .iter()
            .flat_map(|file| {
                let messages = file
                    .messages
                    .iter()
                    .filter_map(|message| Some((message.full_name.clone(), message.rust.clone()?)));
                let enums = file
                    .enums
                    .iter()
                    .map(|item| (item.full_name.clone(), item.rust.clone()));
                messages.chain(enums)
            })
            .collect();
        for external in &externals.types {
            contracts.insert(
                external.full_name.clone(),
                format!("::{}", external.rust_path.join("::")),
            );
        }
        // What is not there has no Rust type, and must not get one: nothing that is there names it.
        for name in present::absent(schema, absent) {
            contracts.entry(name).or_insert_with(|| "()".to_owned());
        }
        let schema = &present::of(schema, absent);
        module::emit(schema, compiled, &sources.names, &contracts, self.builder).map_err(|error| {
            format!("the generated code is not valid, which is a mistake of rpc-build: {error}")
        })
    }

    fn write(
        &mut self,
        schema: &Schema,
        sources: &Sources,
        compiled: &Compiled,
        externals: &Externals,
        modules: BTreeMap<String, String>,
        age: Option<SystemTime>,
    ) -> Result<(), String> {
        let mut included = BTreeMap::new();
        for (package, text) in modules {
            let path = self.out.join(format!("{package}.rs"));
            self.output(&path, text.as_bytes())?;
            included.insert(package, path);
        }
        self.report.modules(&included);
        let set = documented::encode(compiled)?;
        let path = self.out.join("descriptor_set.binpb");
        self.output(&path, &set)?;
        self.report.descriptor_set(&path);
        if let Some(path) = &self.builder.descriptor_set_path {
            let path = files::normal(&self.environment.manifest_dir.join(path));
            if path.starts_with(&self.environment.out_dir) {
                self.output(&path, &set)?;
            } else {
                drift::keep_in_sources(self.environment, &path, &set, age, &mut self.report);
                self.seen.inputs.insert(path);
            }
        }
        let protos = self.out.join("protos");
        for emitted in &sources.emitted {
            self.output(&protos.join(&emitted.import_name), emitted.text.as_bytes())?;
        }
        let folders: Vec<&Path> = std::iter::once(protos.as_path())
            .chain(externals.folders.iter().map(PathBuf::as_path))
            .collect();
        let manifest = externals::manifest(
            schema,
            &self.environment.crate_name,
            &self.builder.crate_path,
            &folders,
        );
        let path = self.out.join("contracts.txt");
        self.output(&path, manifest.as_bytes())?;
        self.report
            .metadata(externals::METADATA, &path.display().to_string());
        Ok(())
    }

    /// Something cannot be read yet. What can be is generated all the same, so that a mistake in one contract is no error
    /// at what another brings; the macro makes hollow what has mistakes. Where names would be missing, what was generated
    /// before stays, or there is as much as can be told: `include_gateway!` adds no errors of its own.
    fn keep_or_stub(
        &mut self,
        schema: &Schema,
        scan: &Scan,
        sources: &Sources,
        compiled: Option<&Compiled>,
        externals: &Externals,
    ) -> Result<(), String> {
        let mut packages: BTreeSet<String> = schema.packages().into_iter().map(str::to_owned).collect();
        packages.extend(scan.broken_packages.iter().cloned());
        // A file that does not parse names no package: what was generated from it before is there all the same.
        packages.extend(files::stems(&self.out, "rs"));
        let mut included = BTreeMap::new();
        // The code of a service whose records have no key would not even parse.
        let mut sound = schema.clone();
        for file in &mut sound.files {
            file.services
                .retain(|service| !matches!(&service.origin, Origin::Crud(crud) if crud.id.is_empty()));
        }
        let partial = compiled
            .and_then(|compiled| {
                self.modules(&sound, &scan.absent, sources, compiled, externals)
                    .ok()
            })
            .unwrap_or_default();
        for package in packages
            .iter()
            .filter(|package| rpc_schema::names::is_package(package))
        {
            let path = self.out.join(format!("{package}.rs"));
            included.insert(package.clone(), path.clone());
            let is_complete = !scan.incomplete
                && !scan.incomplete_packages.contains(package)
                && partial.contains_key(package);
            if !is_complete && path.is_file() {
                self.seen.outputs.insert(path);
                continue;
            }
            let text = partial
                .get(package)
                .cloned()
                .unwrap_or_else(|| module::empty(package));
            self.output(&path, text.as_bytes())?;
        }
        self.report.modules(&included);
        let set = self.out.join("descriptor_set.binpb");
        if set.is_file() {
            self.seen.outputs.insert(set.clone());
        } else {
            // Nothing is in it, and nothing runs that could miss it.
            self.output(&set, &[])?;
        }
        self.report.descriptor_set(&set);
        let manifest = self.out.join("contracts.txt");
        if manifest.is_file() {
            self.report
                .metadata(externals::METADATA, &manifest.display().to_string());
        }
        Ok(())
    }

    /// Not while something is wrong: what was generated before stays, as the `.proto` do.
    fn plugins(&mut self, sources: &Sources, compiled: &Compiled, age: Option<SystemTime>) {
        let build = InBuild {
            environment: self.environment,
            compiled,
            names: &sources.names,
            age,
        };
        for plugin in &self.builder.plugins {
            if !self.report.has_errors() {
                self.seen.inputs.extend(build.run(plugin, &mut self.report));
            }
        }
    }

    fn output(&mut self, path: &Path, content: &[u8]) -> Result<(), String> {
        files::write_if_changed(path, content).map_err(|error| unwritable(path, &error))?;
        self.seen.outputs.insert(path.to_path_buf());
        Ok(())
    }
}

/// All `.proto` text of this build, and where the rest is looked for.
struct Sources {
    emitted: Vec<Emitted>,
    /// What is compiled, by import name.
    names: BTreeSet<String>,
    texts: BTreeMap<String, String>,
    folders: Vec<PathBuf>,
}

impl Sources {
    fn new(
        builder: &Builder,
        environment: &Environment,
        schema: &Schema,
        externals: &Externals,
        hand_written: &HandWritten,
    ) -> Self {
        let manifest = &environment.manifest_dir;
        let emitted: Vec<Emitted> = schema
            .files
            .iter()
            .map(|file| Emitted {
                path: builder.proto_file(manifest, &file.path),
                import_name: file.import_name.clone(),
                text: proto::emit(file),
            })
            .collect();
        let mut texts: BTreeMap<String, String> = emitted
            .iter()
            .map(|emitted| (emitted.import_name.clone(), emitted.text.clone()))
            .collect();
        texts.extend(
            hand_written
                .texts
                .iter()
                .map(|(name, text)| (name.clone(), text.clone())),
        );
        let mut folders: Vec<PathBuf> = builder
            .includes
            .iter()
            .map(|folder| manifest.join(folder))
            .collect();
        folders.push(manifest.join(&builder.proto_directory));
        folders.extend(externals.folders.iter().cloned());
        Self {
            names: texts.keys().cloned().collect(),
            emitted,
            texts,
            folders,
        }
    }
}
