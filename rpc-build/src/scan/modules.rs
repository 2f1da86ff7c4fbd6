//! Follows `mod`s as the compiler does: inline modules, `name.rs`, `name/mod.rs`, `#[path]`.

use super::attributes::Presence;
use super::{Scan, attributes, items, off, uses};
use crate::config::Builder;
use crate::environment::{Cfg, Environment};
use crate::files;
use rpc_schema::names::plain;
use rpc_schema::resolve::{Module, Use};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use syn::Item;

/// Reads the contracts that a build script asks for.
pub(crate) fn scan(builder: &Builder, environment: &Environment) -> Scan {
    let manifest = &environment.manifest_dir;
    let mut walk = Walk {
        cfg: &environment.cfg,
        wanted: builder
            .roots
            .iter()
            .map(|root| files::normal(&manifest.join(root)))
            .collect(),
        waiting: Vec::new(),
        read_off: BTreeSet::new(),
        uses_off: Vec::new(),
        scan: Scan::default(),
    };
    if walk.wanted.is_empty() {
        walk.scan.errors.push(
            "no file with contracts was named; write `rpc_build::contracts(\"src/contracts.rs\").run()`"
                .to_owned(),
        );
        return walk.scan;
    }
    let crate_roots: Vec<PathBuf> = match builder.crate_roots.as_slice() {
        [] => vec![manifest.join("src/lib.rs"), manifest.join("src/main.rs")],
        given => given.iter().map(|root| manifest.join(root)).collect(),
    };
    for root in crate_roots {
        if walk.wanted.is_empty() {
            break;
        }
        let root = files::normal(&root);
        if root.is_file() {
            walk.crate_root(root);
        }
    }
    let lost = std::mem::take(&mut walk.wanted);
    for root in lost {
        walk.report_lost(&root, manifest);
    }
    off::merge(&mut walk.scan.modules, walk.uses_off);
    off::settle(&mut walk.scan);
    walk.scan
}

/// A `mod name;` whose file was not read yet.
struct Waiting {
    file: PathBuf,
    path: Vec<String>,
    place: Place,
    /// Whether it is there with other features only.
    off: bool,
}

/// Where a module's children are looked for.
#[derive(Clone)]
struct Place {
    /// The folder of the source file, for `#[path]` outside of inline modules.
    file: PathBuf,
    /// The folder for `mod name;`.
    children: PathBuf,
    /// Whether this is inside of an inline module.
    inline: bool,
}

struct Walk<'a> {
    cfg: &'a Cfg,
    /// The files with contracts that were not reached yet.
    wanted: BTreeSet<PathBuf>,
    waiting: Vec<Waiting>,
    /// The files that were read as modules which are off.
    read_off: BTreeSet<PathBuf>,
    /// What `use`s that are off bring in, for each module.
    uses_off: Vec<Vec<Use>>,
    scan: Scan,
}

impl Walk<'_> {
    /// Walks one crate until every wanted file is reached, towards them first.
    fn crate_root(&mut self, root: PathBuf) {
        let folder = root.parent().map(Path::to_path_buf).unwrap_or_default();
        let place = Place {
            file: folder.clone(),
            children: folder,
            inline: false,
        };
        self.waiting.clear();
        self.file(Waiting {
            file: root,
            path: Vec::new(),
            place,
            off: false,
        });
        while !self.wanted.is_empty() && !self.waiting.is_empty() {
            let towards = self.waiting.iter().position(|waiting| {
                self.wanted
                    .iter()
                    .any(|wanted| *wanted == waiting.file || wanted.starts_with(&waiting.place.children))
            });
            let next = self.waiting.remove(towards.unwrap_or(0));
            self.file(next);
        }
    }

    fn file(&mut self, waiting: Waiting) {
        let collect = self.wanted.remove(&waiting.file);
        self.read(waiting, collect);
    }

    fn read(&mut self, waiting: Waiting, collect: bool) {
        let again = self.read_off.contains(&waiting.file) && !waiting.off;
        if !self.scan.files.insert(waiting.file.clone()) && !again {
            return;
        }
        if waiting.off {
            self.read_off.insert(waiting.file.clone());
        } else {
            self.read_off.remove(&waiting.file);
        }
        // A file that is missing or does not parse is the compiler's to report.
        let parsed = std::fs::read_to_string(&waiting.file)
            .ok()
            .and_then(|source| syn::parse_file(&source).ok());
        let Some(mut file) = parsed else {
            if !waiting.off {
                self.scan.broken = true;
                self.scan.incomplete = true;
            } else if collect && waiting.file.is_file() {
                // The compiler says nothing about a file that it does not read.
                self.scan.errors.push(format!(
                    "`{}` cannot be read; its feature is off in this build, and its contracts are promised all the same",
                    waiting.file.display()
                ));
            }
            return;
        };
        let presence = attributes::evaluate(&mut file.attrs, self.cfg);
        if presence != Presence::Never {
            let off = waiting.off || presence == Presence::Off;
            self.module(file.items, waiting.path, &waiting.place, collect, off);
        }
    }

    fn module(&mut self, items: Vec<Item>, path: Vec<String>, place: &Place, collect: bool, off: bool) {
        let module = self.scan.modules.len();
        self.scan.modules.push(Module {
            path: path.clone(),
            uses: Vec::new(),
        });
        self.uses_off.push(Vec::new());
        for mut item in items {
            let presence = match items::attributes_mut(&mut item) {
                Some(attributes) => attributes::evaluate(attributes, self.cfg),
                None => Presence::Here,
            };
            if presence == Presence::Never {
                continue;
            }
            let off = off || presence == Presence::Off;
            let uses = match off {
                true => &mut self.uses_off[module],
                false => &mut self.scan.modules[module].uses,
            };
            match item {
                Item::Use(item) => uses::collect(&item, uses),
                Item::ExternCrate(item) => uses::collect_crate(&item, uses),
                Item::Mod(item) => {
                    let mut path = path.clone();
                    path.push(plain(&item.ident));
                    self.child(item, path, place, collect, off);
                }
                item if collect => items::read(&item, module, off, &mut self.scan),
                _ => {}
            }
        }
    }

    fn child(&mut self, item: syn::ItemMod, path: Vec<String>, place: &Place, collect: bool, off: bool) {
        let name = plain(&item.ident);
        let given = attributes::path(&item.attrs);
        // `#[path]` starts at the source file's folder, and in an inline module at that module's.
        let base = if place.inline {
            &place.children
        } else {
            &place.file
        };
        if let Some((_, items)) = item.content {
            let children = match given {
                Some(given) => base.join(given),
                None => place.children.join(&name),
            };
            let place = Place {
                file: place.file.clone(),
                children,
                inline: true,
            };
            self.module(items, path, &place, collect, off);
            return;
        }
        let (file, children) = match given {
            Some(given) => {
                let file = files::normal(&base.join(given));
                let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
                (file, folder)
            }
            None => {
                let beside = files::normal(&place.children.join(format!("{name}.rs")));
                let folder = files::normal(&place.children.join(&name));
                let inside = folder.join("mod.rs");
                let file = if !beside.is_file() && inside.is_file() {
                    inside
                } else {
                    beside
                };
                (file, folder)
            }
        };
        let waiting = Waiting {
            place: Place {
                file: file.parent().map(Path::to_path_buf).unwrap_or_default(),
                children,
                inline: false,
            },
            file,
            path,
            off,
        };
        if collect || self.wanted.contains(&waiting.file) {
            self.wanted.remove(&waiting.file);
            self.read(waiting, true);
        } else {
            self.waiting.push(waiting);
        }
    }

    fn report_lost(&mut self, root: &Path, manifest: &Path) {
        self.scan.files.insert(root.to_path_buf());
        let shown = root.strip_prefix(manifest).unwrap_or(root).display();
        let name = root
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or("contracts");
        if !root.is_file() {
            self.scan.errors.push(format!(
                "`{shown}`, which the build script names, does not exist; create it, or correct `rpc_build::contracts(…)`"
            ));
        } else if !self.scan.broken {
            self.scan.errors.push(format!(
                "`{shown}`, which the build script names, is not a module of this crate; add `mod {name};` to `src/lib.rs` or \
                 `src/main.rs`"
            ));
        }
        self.scan.broken = true;
        self.scan.incomplete = true;
    }
}
