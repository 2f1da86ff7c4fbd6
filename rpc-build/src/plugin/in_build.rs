//! A plugin in a build script: what it generates from the contracts is kept like their `.proto`.

use super::{DescriptorSet, Plugin, PluginError};
use crate::descriptor::Compiled;
use crate::drift;
use crate::environment::Environment;
use crate::files;
use crate::report::Report;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::SystemTime;

/// What a plugin in a build script works on.
pub(crate) struct InBuild<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) compiled: &'a Compiled,
    /// The `.proto` of the crate.
    pub(crate) names: &'a BTreeSet<String>,
    /// The age of the newest source.
    pub(crate) age: Option<SystemTime>,
}

impl InBuild<'_> {
    /// Runs a plugin; gives the files that a later build has to look at.
    pub(crate) fn run(&self, plugin: &Plugin, report: &mut Report) -> Vec<PathBuf> {
        let base = &self.environment.manifest_dir;
        let folder = files::normal(&base.join(&plugin.out_dir));
        let in_sources = !folder.starts_with(&self.environment.out_dir);
        if in_sources && !drift::is_ours(self.environment) {
            return Vec::new();
        }
        match plugin.is_on_path() {
            true => report.rerun_if_env_changed("PATH"),
            // Also where it is missing, so that it is noticed when it is there.
            false => report.rerun_if_changed(&plugin.program(base)),
        }
        match self.generate(plugin, in_sources, report) {
            Ok(seen) => seen,
            // Who builds without Node goes on with what is committed.
            Err(error @ PluginError::Missing { .. }) if in_sources && !self.environment.ci => {
                report.warning(&format!(
                    "{error}; until then, what it generated for `{}` stays as it is",
                    plugin.out_dir.display()
                ));
                Vec::new()
            }
            Err(error) => {
                report.error(&error.to_string());
                Vec::new()
            }
        }
    }

    fn generate(
        &self,
        plugin: &Plugin,
        in_sources: bool,
        report: &mut Report,
    ) -> Result<Vec<PathBuf>, PluginError> {
        let base = &self.environment.manifest_dir;
        let schemas = DescriptorSet::of(self.compiled, self.names.clone())?;
        let plan = plugin.plan(&schemas, base)?;
        if in_sources && self.environment.ci {
            for difference in plan.differences()? {
                report.error(&format!(
                    "{difference}, and a build with `CI` set changes nothing; run `cargo build` without it, and commit the file"
                ));
            }
            return Ok(plan.paths());
        }
        let generated = plan.write()?;
        for line in generated.messages.lines() {
            report.warning(line);
        }
        if let (Some(age), true) = (self.age, in_sources) {
            for path in &generated.written {
                files::set_age(path, age);
            }
        }
        Ok(generated.files)
    }
}
