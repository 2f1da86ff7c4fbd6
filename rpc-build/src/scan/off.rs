//! Contracts behind features that are off. They are a part of the promise all the same: the `.proto` must not depend on
//! how one build was configured.

use super::Scan;
use rpc_schema::resolve::{Module, Use};
use std::collections::{BTreeMap, BTreeSet};

/// Of alternatives with one full name, keeps the one that is there; notes what is not there.
pub(super) fn settle(scan: &mut Scan) {
    let name = |at: usize| scan.items[at].item.common().full_name();
    let mut here: BTreeSet<String> = BTreeSet::new();
    for at in (0..scan.items.len()).filter(|at| !scan.off[*at]) {
        here.insert(name(at));
    }
    let mut absent = BTreeSet::new();
    let keep: Vec<bool> = (0..scan.items.len())
        .map(|at| !scan.off[at] || (!here.contains(&name(at)) && absent.insert(name(at))))
        .collect();
    let mut kept = keep.iter();
    scan.items.retain(|_| kept.next().copied().unwrap_or(true));
    scan.off.clear();
    scan.absent = absent;
}

/// Alternatives of one module are one module to whoever looks a path up: what is there comes first in it.
pub(super) fn merge(modules: &mut [Module], mut off: Vec<Vec<Use>>) {
    let mut uses: BTreeMap<Vec<String>, Vec<Use>> = BTreeMap::new();
    for module in modules.iter() {
        let found = uses.entry(module.path.clone()).or_default();
        found.extend(module.uses.iter().cloned());
    }
    for (module, off) in modules.iter().zip(&mut off) {
        uses.entry(module.path.clone()).or_default().append(off);
    }
    for module in modules {
        module.uses = uses.get(&module.path).cloned().unwrap_or_default();
    }
}
