//! What a build script can ask for. Nothing here reads or writes anything.

use crate::environment::Environment;
use crate::plugin::Plugin;
use std::path::{Path, PathBuf};

/// What is generated for a package, beside its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Emit {
    /// The traits of CRUD services.
    pub service_traits: bool,
    /// The gateways of CRUD services and trait contracts. They need the traits.
    pub gateways: bool,
    /// The clients of all services.
    pub clients: bool,
}

impl Default for Emit {
    fn default() -> Self {
        Self {
            service_traits: true,
            gateways: true,
            clients: true,
        }
    }
}

/// What a build script asks for. Begin with [`contracts`](crate::contracts) or [`configure`](crate::configure), end
/// with [`run`](Self::run).
#[derive(Debug, Clone)]
#[must_use = "nothing is built until `run` is called"]
pub struct Builder {
    pub(crate) roots: Vec<PathBuf>,
    pub(crate) crate_roots: Vec<PathBuf>,
    pub(crate) proto_directory: PathBuf,
    pub(crate) protos: Vec<PathBuf>,
    pub(crate) includes: Vec<PathBuf>,
    pub(crate) extern_paths: Vec<(String, String)>,
    pub(crate) type_attributes: Vec<(String, String)>,
    pub(crate) descriptor_set_path: Option<PathBuf>,
    pub(crate) plugins: Vec<Plugin>,
    pub(crate) generated_paths: Vec<(String, String)>,
    pub(crate) emit: Emit,
    pub(crate) crate_path: String,
    pub(crate) runtime_path: String,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            crate_roots: Vec::new(),
            proto_directory: PathBuf::from("protos"),
            protos: Vec::new(),
            includes: Vec::new(),
            extern_paths: Vec::new(),
            type_attributes: Vec::new(),
            descriptor_set_path: None,
            plugins: Vec::new(),
            generated_paths: Vec::new(),
            emit: Emit::default(),
            crate_path: "crate".to_owned(),
            runtime_path: "::rpc_runtime".to_owned(),
        }
    }
}

impl Builder {
    /// Reads the contracts in this file and in the modules below it. May be called for several files.
    pub fn contracts(mut self, root: impl Into<PathBuf>) -> Self {
        self.roots.push(root.into());
        self
    }

    /// Where the crate begins, if neither at `src/lib.rs` nor at `src/main.rs`. May be called several times.
    pub fn crate_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.crate_roots.push(root.into());
        self
    }

    /// Where `.proto` files without a `proto_path` of their own are kept; `protos` unless said otherwise.
    ///
    /// Crates may share a folder outside of theirs, such as `../protos`. A file there is compared and written like any
    /// other, and never deleted: one that no contract is in any more may be another crate's.
    pub fn proto_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.proto_directory = directory.into();
        self
    }

    /// Compiles a hand-written `.proto` too. Its messages go into the generated module of its package, and contracts
    /// may use them. The path is relative to the crate.
    pub fn proto(mut self, path: impl Into<PathBuf>) -> Self {
        self.protos.push(path.into());
        self
    }

    /// Where hand-written `.proto` files, and what they import, are looked for; the proto directory always is.
    pub fn include(mut self, directory: impl Into<PathBuf>) -> Self {
        self.includes.push(directory.into());
        self
    }

    /// Uses a Rust type for a protobuf message instead of generating one: `extern_path("shared.Money",
    /// "::shared::Money")`.
    pub fn extern_path(mut self, proto: impl Into<String>, rust: impl Into<String>) -> Self {
        self.extern_paths.push((proto.into(), rust.into()));
        self
    }

    /// Puts an attribute on generated messages: those whose full name is the path, or begins with it; `.` is all of
    /// them. Contracts are not generated, so their attributes stand where they are written.
    pub fn type_attribute(mut self, path: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.type_attributes.push((path.into(), attribute.into()));
        self
    }

    /// Writes the descriptor set here as well; it is always in `OUT_DIR/rpc/descriptor_set.binpb`. The path is relative
    /// to the crate. Custom options are in it, which are the rules, and comments, which are the docs.
    ///
    /// Outside of `OUT_DIR` it is kept like the `.proto`: not written in sources that are not the user's, an error if it
    /// is out of date in a build with `CI` set, and a warning where it cannot be written.
    pub fn descriptor_set_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.descriptor_set_path = Some(path.into());
        self
    }

    /// Runs a protoc plugin on the crate's schemas, as soon as they are sound: code in other languages, or documentation. May be
    /// called for several. Paths are relative to the crate.
    ///
    /// ```no_run
    /// use rpc_build::plugin::Plugin;
    ///
    /// rpc_build::contracts("src/contracts.rs")
    ///     .plugin(
    ///         Plugin::new("page/node_modules/.bin/protoc-gen-es")
    ///             .parameter("target=ts,import_extension=js")
    ///             .without_import("buf/validate/validate.proto")
    ///             .out_dir("page/src/gen"),
    ///     )
    ///     .run();
    /// ```
    ///
    /// Outside of `OUT_DIR`, generated files are kept like the `.proto`: committed, not written in sources that are not the
    /// user's, and an error if they are out of date in a build with `CI` set. Where the plugin is not installed, such files stay
    /// as they are, with a warning; with `CI` set, it is an error. A plugin that fails is an error in every build.
    pub fn plugin(mut self, plugin: Plugin) -> Self {
        self.plugins.push(plugin);
        self
    }

    /// Says in which module `include_gateway!(package)` stands, for types of hand-written `.proto` files that contracts
    /// of another package use; the root of the crate unless said otherwise.
    pub fn generated_at(mut self, package: impl Into<String>, module: impl Into<String>) -> Self {
        self.generated_paths.push((package.into(), module.into()));
        self
    }

    /// What to generate for each service; all of it unless said otherwise.
    pub fn emit(mut self, emit: Emit) -> Self {
        self.emit = emit;
        self
    }

    /// How generated code names the crate that the contracts are in; `crate` unless said otherwise.
    pub fn crate_path(mut self, path: impl Into<String>) -> Self {
        self.crate_path = path.into();
        self
    }

    /// How generated code names the runtime; `::rpc_runtime` unless said otherwise.
    pub fn runtime_path(mut self, path: impl Into<String>) -> Self {
        self.runtime_path = path.into();
        self
    }

    /// Builds. Mistakes in contracts are left to the compilation of the crate, which points at them.
    ///
    /// Ends the process with one paragraph, and without a backtrace, where there is nothing to build in: outside of a
    /// build script, or when `OUT_DIR` cannot be written.
    pub fn run(self) {
        // What a contract makes of this crate or its parts is a mistake in here; it is told in one line all the same.
        std::panic::set_hook(Box::new(|_| {}));
        let built = std::panic::catch_unwind(|| {
            Environment::from_process().and_then(|environment| crate::run::run(&self, &environment))
        });
        let _ = std::panic::take_hook();
        let built = built.unwrap_or_else(|panic| {
            let what = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(format!(
                "this is a mistake in rpc-build, please report it: {what}"
            ))
        });
        match built {
            Ok(report) => print!("{}", report.text()),
            Err(fault) => {
                println!("cargo::error={}", fault.replace('\n', " "));
                std::process::exit(1);
            }
        }
    }

    /// Where a schema lies on disk, given its path with the default directory in front.
    pub(crate) fn proto_file(&self, manifest: &Path, path: &str) -> PathBuf {
        match path.strip_prefix("protos/") {
            Some(rest) => manifest.join(&self.proto_directory).join(rest),
            None => manifest.join(path),
        }
    }

    /// The names of generated code's crates.
    pub(crate) fn codegen_path(&self) -> String {
        format!("{}::codegen", self.runtime_path)
    }
}
