//! Runs protoc plugins on schemas, without protoc.
//!
//! A plugin reads a `CodeGeneratorRequest` on its standard input and answers a `CodeGeneratorResponse`: files for a folder.
//! This module owns what a plugin is asked and what becomes of its answer; what it generates is its own affair.
//!
//! ```no_run
//! use rpc_build::plugin::{DescriptorSet, Plugin};
//!
//! let schemas = DescriptorSet::compile(["protos"], ["library/library.proto"])?;
//! Plugin::new("page/node_modules/.bin/protoc-gen-es")
//!     .parameter("target=ts,import_extension=js")
//!     .out_dir("page/src/gen")
//!     .run(&schemas)?;
//! # Ok::<(), rpc_build::plugin::PluginError>(())
//! ```
//!
//! In a build script, [`Builder::plugin`](crate::Builder::plugin) runs one on the contracts of the crate.

mod error;
mod imports;
mod in_build;
mod output;
mod process;
mod request;
mod response;
mod schemas;

pub use error::PluginError;
pub use output::{Difference, Generated};
pub use schemas::DescriptorSet;

pub(crate) use in_build::InBuild;

use output::Plan;
use process::Limits;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a plugin may run, unless [`Plugin::time_limit`] says otherwise: 60 seconds.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How many bytes a plugin may answer: 256 MiB. More is an error.
pub const MAX_RESPONSE: usize = 256 << 20;

/// A protoc plugin, and what it is asked for.
///
/// What it says on its standard error is kept for [`Generated::messages`] and for errors, up to 64 KiB.
#[derive(Debug, Clone)]
#[must_use = "nothing is generated until the plugin is run"]
pub struct Plugin {
    program: PathBuf,
    arguments: Vec<OsString>,
    parameter: String,
    out_dir: PathBuf,
    files: BTreeSet<String>,
    with_imports: bool,
    without_imports: BTreeSet<String>,
    time_limit: Duration,
}

impl Plugin {
    /// A plugin by its program: a name is looked for on the `PATH`, anything with a separator in it is a path, and relative to
    /// the current directory (in a build script, to the crate).
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            parameter: String::new(),
            out_dir: PathBuf::from("gen"),
            files: BTreeSet::new(),
            with_imports: false,
            without_imports: BTreeSet::new(),
            time_limit: TIME_LIMIT,
        }
    }

    /// Hands the program an argument. Plugins take none of their own; a plugin that is a script of an interpreter may be named
    /// by one: `Plugin::new("node").argument("plugin.js")`.
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// What protoc calls `--NAME_opt`: options in the plugin's own words, usually separated by commas.
    pub fn parameter(mut self, parameter: impl Into<String>) -> Self {
        self.parameter = parameter.into();
        self
    }

    /// The folder that generated files go to; `gen` unless said otherwise. It is made if it is missing.
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out_dir = folder.into();
        self
    }

    /// Generates for this file alone, by its name as an `import` writes it. May be called several times. Without, all files that
    /// the [`DescriptorSet`] was made of are generated for; those that they import are not.
    pub fn file(mut self, name: impl Into<String>) -> Self {
        self.files.insert(name.into());
        self
    }

    /// Generates for imported files too, except `google/protobuf/…`, which plugins bring themselves.
    pub fn with_imports(mut self) -> Self {
        self.with_imports = true;
        self
    }

    /// Leaves out an import that is there for its custom options alone, so that generated code does not depend on code for it.
    /// The options stay in the descriptors that the plugin sees, as bytes.
    ///
    /// `buf/validate/validate.proto` is such a file: protovalidate for TypeScript reads the rules out of the options without it,
    /// and a page that does not check them is spared some 15 kB. It is an error if a field, or a method, has a type of the file.
    pub fn without_import(mut self, name: impl Into<String>) -> Self {
        self.without_imports.insert(name.into());
        self
    }

    /// How long the plugin may run before it is ended, which is an error; [`TIME_LIMIT`] unless said otherwise. Programs that
    /// it has started itself are not ended.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Runs the plugin and brings its folder up to date. Blocks until it ends.
    ///
    /// Files are written only where they differ. A list beside them, `.PLUGIN.files`, says which files are the plugin's: one
    /// that it no longer generates is removed by the next run, and any other file in the folder is left alone.
    ///
    /// # Errors
    ///
    /// Nothing is written when the plugin is missing, fails, runs out of time, reports an error or answers what cannot be
    /// written as it stands; see [`PluginError`].
    pub fn run(&self, schemas: &DescriptorSet) -> Result<Generated, PluginError> {
        self.plan(schemas, Path::new(""))?.write()
    }

    /// Runs the plugin and writes nothing: gives each file that [`run`](Self::run) would change.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn check(&self, schemas: &DescriptorSet) -> Result<Vec<Difference>, PluginError> {
        self.plan(schemas, Path::new(""))?.differences()
    }

    /// Runs the plugin, with paths relative to `base`.
    fn plan(&self, schemas: &DescriptorSet, base: &Path) -> Result<Plan, PluginError> {
        let schemas = schemas.without_imports(&self.without_imports)?;
        let files = schemas.files_to_generate(&self.files, self.with_imports)?;
        let request = request::encode(&schemas, &files, &self.parameter);
        let program = self.program(base);
        let answered = process::run(&program, &self.arguments, request, self.limits())?;
        let generated = response::read(&program, &answered, &schemas, &files)?;
        Ok(Plan::new(
            base.join(&self.out_dir),
            &program,
            generated,
            answered.messages,
        ))
    }

    fn limits(&self) -> Limits {
        Limits {
            time: self.time_limit,
            response: MAX_RESPONSE,
        }
    }

    /// What is started: a bare name is left to the `PATH`.
    fn program(&self, base: &Path) -> PathBuf {
        match self.is_on_path() {
            true => self.program.clone(),
            false => base.join(&self.program),
        }
    }

    /// Whether the program is looked for on the `PATH`.
    fn is_on_path(&self) -> bool {
        self.program.components().count() == 1 && !self.program.starts_with(".")
    }
}

/// The plugin's name, for messages and for its list: that of its program, without an extension.
fn name(program: &Path) -> String {
    program
        .file_stem()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned()
}
