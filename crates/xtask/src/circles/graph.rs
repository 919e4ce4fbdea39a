//! Circles in the graph of a crate's files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::crate_files::ModulePath;

/// To which files each file refers.
pub(super) type Edges = BTreeMap<ModulePath, BTreeSet<ModulePath>>;

/// Files that reach each other.
pub(super) struct Circle {
    /// All of them.
    pub(super) files: Vec<ModulePath>,
    /// The shortest way from one of them back to itself, which is named first and last.
    pub(super) shortest: Vec<ModulePath>,
}

/// All circles; each file is in one at most.
pub(super) fn circles(edges: &Edges) -> Vec<Circle> {
    let reached: BTreeMap<_, _> = edges.keys().map(|file| (file, reach(edges, file))).collect();
    let mut circles = Vec::new();
    let mut told = BTreeSet::new();
    for (file, reachable) in &reached {
        // All files of a circle reach the same ones, so that the first of them stands for all.
        if told.contains(*file) || !reachable.contains_key(*file) {
            continue;
        }
        let files: Vec<_> = reachable
            .keys()
            .filter(|other| reached.get(other).is_some_and(|back| back.contains_key(*file)))
            .collect();
        let shortest = files.iter().map(|file| way_round(&reached[*file], file)).min_by_key(Vec::len);
        told.extend(files.iter().copied().cloned());
        let shortest = shortest.unwrap_or_default();
        circles.push(Circle { files: files.into_iter().cloned().collect(), shortest });
    }
    circles
}

/// What a file reaches, each with the file before it on a shortest way; itself only over others.
fn reach(edges: &Edges, from: &ModulePath) -> BTreeMap<ModulePath, ModulePath> {
    let mut before = BTreeMap::new();
    let mut next = VecDeque::from([from]);
    while let Some(file) = next.pop_front() {
        for target in edges.get(file).into_iter().flatten() {
            if !before.contains_key(target) {
                before.insert(target.clone(), file.clone());
                next.push_back(target);
            }
        }
    }
    before
}

/// The way from a file back to itself, by what [`reach`] says of it.
fn way_round(before: &BTreeMap<ModulePath, ModulePath>, file: &ModulePath) -> Vec<ModulePath> {
    let mut way = vec![file.clone()];
    let mut at = file;
    while let Some(previous) = before.get(at) {
        way.push(previous.clone());
        at = previous;
        if at == file {
            break;
        }
    }
    way.reverse();
    way
}
