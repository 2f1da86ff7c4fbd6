//! Generated files: those that the workspace's build scripts keep, the TypeScript of contracts, and the built pages. All are
//! committed, so that neither a build nor a user needs what generates them.

use crate::process::{cargo, root, run};
use crate::typescript::{self, Workspace};
use anyhow::{Context, Result, bail};
use rpc_build::plugin::{DescriptorSet, Difference, Plugin};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The TypeScript of some schemas.
struct Target {
    /// The folder that the files are named relative to.
    protos: &'static str,
    files: &'static [&'static str],
    out_dir: &'static str,
}

/// All of it. A package that wants another schema in TypeScript adds a line.
const TYPESCRIPT: &[Target] = &[
    Target {
        protos: "protos",
        files: &[
            "rpc/v1/frame.proto",
            "rpc/hub/v1/hub.proto",
            "rpc/session/v1/session.proto",
        ],
        out_dir: "clients/typescript/src/gen",
    },
    // What protovalidate was asked about, for the client's tests.
    Target {
        protos: "rpc-runtime/tests/protovalidate",
        files: &["cases.proto"],
        out_dir: "clients/typescript/test/gen",
    },
    Target {
        protos: "examples/tasks/protos",
        files: &["task/task.proto", "auth/auth.proto"],
        out_dir: "examples/tasks/page/src/gen",
    },
    Target {
        protos: "examples/chat/protos",
        files: &["chat/chat.proto", "auth/auth.proto"],
        out_dir: "examples/chat/page/src/gen",
    },
    Target {
        protos: "protos",
        files: &["rpc/reflection/v1/reflection.proto"],
        out_dir: "rpc-explorer/page/src/gen",
    },
    Target {
        protos: "tests/typescript/server/protos",
        files: &["cases/cases.proto"],
        out_dir: "tests/typescript/src/gen",
    },
    Target {
        protos: "tests/interop/protos",
        files: &["grpc/testing/testing.proto"],
        out_dir: "tests/typescript/src/interop/gen",
    },
];

/// Schemas that tests read as an explorer does: a descriptor set with comments and rules.
struct Set {
    /// The folders that the files are named relative to.
    protos: &'static [&'static str],
    files: &'static [&'static str],
    out: &'static str,
}

/// All of them.
const SETS: &[Set] = &[Set {
    protos: &["tests/equivalence/protos", "rpc-explorer/page/tests/protos"],
    files: &["kitchen/kitchen.proto", "forms/forms.proto", "forms/older.proto"],
    out: "rpc-explorer/page/tests/gen/forms.binpb",
}];

/// What protoc-gen-es is told: TypeScript that Node takes as it is after its types are gone.
const PARAMETER: &str = "target=ts,import_extension=js";

/// The rules on fields. protovalidate reads them out of the options of fields, so that nobody has to carry their schema, which
/// is longer than the client.
const VALIDATE: &str = "buf/validate/validate.proto";

/// Brings generated files up to date. With `check`, one that is not is an error, and nothing is changed.
pub(crate) fn codegen(check: bool) -> Result<()> {
    rust(check)?;
    typescript(check)
}

/// Of it, the TypeScript and the pages.
pub(crate) fn typescript(check: bool) -> Result<()> {
    schemas(check)?;
    sets(check)?;
    pages(check)
}

/// What the build scripts of the workspace keep: the `.proto` of contracts.
fn rust(check: bool) -> Result<()> {
    let build = cargo(&["check", "--workspace", "--all-targets"]);
    if !check {
        return build.go();
    }
    build
        .env("CI", "true")
        .go()
        .context("run `cargo xtask codegen` and commit what it changes")?;
    let changed = run("git", &["status", "--porcelain", "--", "*.proto", "*Cargo.lock"]).output()?;
    if std::env::var_os("CI").is_some() && !changed.trim().is_empty() {
        bail!(
            "these files are not as committed:\n{changed}run `cargo xtask codegen` and commit what it changes"
        );
    }
    Ok(())
}

/// What protoc-gen-es makes of schemas.
fn schemas(check: bool) -> Result<()> {
    typescript::install()?;
    let program = root().join("node_modules/.bin/protoc-gen-es");
    let mut differences = Vec::new();
    for target in TYPESCRIPT {
        println!("\n{} from {}", target.out_dir, target.protos);
        let schemas = DescriptorSet::compile([root().join(target.protos)], target.files.iter().copied())?;
        let plugin = Plugin::new(&program)
            .parameter(PARAMETER)
            .without_import(VALIDATE)
            .out_dir(root().join(target.out_dir));
        if check {
            differences.extend(plugin.check(&schemas)?.iter().map(Difference::to_string));
        } else {
            let generated = plugin.run(&schemas)?;
            eprint!("{}", generated.messages);
            for path in generated.written.iter().chain(&generated.removed) {
                println!("changed {}", path.display());
            }
        }
    }
    up_to_date(&differences)
}

/// The descriptor sets.
fn sets(check: bool) -> Result<()> {
    let mut differences = Vec::new();
    for set in SETS {
        let folders = set.protos.iter().map(|folder| root().join(folder));
        let fresh = DescriptorSet::compile(folders, set.files.iter().copied())?.encode();
        let path = root().join(set.out);
        if fs::read(&path).ok().as_ref() == Some(&fresh) {
            continue;
        }
        if check {
            differences.push(format!("`{}` is not what its schemas give", set.out));
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, fresh)?;
        println!("changed {}", path.display());
    }
    up_to_date(&differences)
}

/// What Vite builds of pages: into their `dist`, or with `check`, beside it.
fn pages(check: bool) -> Result<()> {
    let pages = typescript::workspaces()?.into_iter().filter(Workspace::is_page);
    let pages: Vec<_> = pages.collect();
    if !pages.is_empty() {
        typescript::build_client()?;
    }
    let mut differences = Vec::new();
    for page in pages {
        let dist = page.folder.join("dist");
        if !check {
            build(&page, &dist)?;
            continue;
        }
        let fresh = root().join("target/pages").join(&page.path);
        build(&page, &fresh)?;
        let (fresh, committed) = (contents(&fresh)?, contents(&dist)?);
        let mut names: Vec<_> = fresh.keys().chain(committed.keys()).collect();
        names.sort();
        names.dedup();
        differences.extend(names.into_iter().filter_map(|name| {
            let what = match (fresh.get(name), committed.get(name)) {
                (fresh, committed) if fresh == committed => return None,
                (Some(_), None) => "is missing",
                (None, _) => "is no longer built",
                _ => "is not as it is built",
            };
            Some(format!("`{}/dist/{name}` {what}", page.path))
        }));
    }
    up_to_date(&differences)
}

/// Builds a page into a folder, which holds nothing else afterwards.
fn build(page: &Workspace, folder: &Path) -> Result<()> {
    let folder = folder.to_string_lossy();
    let script = ["run", "build", "--workspace", &page.path, "--"];
    let options = ["--outDir", &folder, "--emptyOutDir", "--logLevel", "warn"];
    run("npm", &[&script[..], &options[..]].concat()).go()
}

/// All files below a folder, by their path in it; none where there is no folder.
fn contents(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder.join(&below)) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                let content = fs::read(entry.path())?;
                found.insert(path.to_string_lossy().replace('\\', "/"), content);
            }
        }
    }
    Ok(found)
}

fn up_to_date(differences: &[String]) -> Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    bail!(
        "{}\nrun `cargo xtask codegen` and commit what it changes",
        differences.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_with_the_command_that_mends_it() {
        assert!(up_to_date(&[]).is_ok());
        let error = up_to_date(&["`a` is missing".to_owned(), "`b` is stale".to_owned()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`a` is missing\n`b` is stale\nrun `cargo xtask codegen` and commit what it changes"
        );
    }

    #[test]
    fn every_folder_of_typescript_is_generated_once_from_schemas_that_are_there() {
        let mut folders: Vec<_> = TYPESCRIPT.iter().map(|target| target.out_dir).collect();
        folders.sort_unstable();
        folders.dedup();
        assert_eq!(folders.len(), TYPESCRIPT.len());
        for target in TYPESCRIPT {
            for file in target.files {
                assert!(root().join(target.protos).join(file).is_file(), "{file}");
            }
        }
    }

    /// The lines of documentation in a `.proto`: those below its header that are comments.
    fn docs(proto: &str) -> Vec<&str> {
        let below = proto.split_once("syntax =").map_or("", |(_, below)| below);
        let lines = below.lines().map(str::trim);
        lines
            .filter_map(|line| line.strip_prefix("// "))
            .filter(|line| !line.is_empty())
            .collect()
    }

    #[test]
    fn docs_of_contracts_are_comments_of_their_typescript() {
        let mut seen = 0;
        for target in TYPESCRIPT {
            for file in target.files {
                let proto = fs::read_to_string(root().join(target.protos).join(file)).expect("a schema");
                let name = file.strip_suffix(".proto").expect("a schema's name");
                let code = root().join(target.out_dir).join(format!("{name}_pb.ts"));
                let code = fs::read_to_string(code).expect("its TypeScript");
                for doc in docs(&proto) {
                    assert!(code.contains(&format!("* {doc}")), "{name}_pb.ts lacks {doc:?}");
                    seen += 1;
                }
                assert!(
                    !code.contains("buf/validate"),
                    "{name}_pb.ts imports the schema of rules"
                );
            }
        }
        assert!(seen >= 100, "{seen} lines of documentation");
    }
}
