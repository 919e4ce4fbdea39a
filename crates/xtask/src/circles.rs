//! No file of a crate may import from itself over other files: such a circle has no order in which it can be read.

mod allowed;
mod graph;
mod references;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;

use crate::{
    crate_files::{self, CrateFile, ModulePath},
    repository::Repository,
    steps::{Ended, Step},
};

/// Finds the circles of all crates, and fails with the list of them.
pub(crate) fn check(repository: &Repository, _: &Step<'_>) -> Ended<()> {
    let mut files = 0;
    let mut found = Vec::new();
    for directory in repository.crates()? {
        let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut edges = edges(&crate_files::read(&directory)?);
        files += edges.len();
        found.extend(allowed::remove(&name, &mut edges));
        found.extend(graph::circles(&edges).iter().map(|circle| format!("{name}: {}", shown(circle))));
    }
    if !found.is_empty() {
        bail!(
            "files import each other; fix: move what both use into a file of its own\n{}",
            found.join("\n")
        );
    }
    Ok(((), format!("no circle between {files} files")))
}

fn edges(files: &BTreeMap<ModulePath, CrateFile>) -> graph::Edges {
    let modules: BTreeSet<_> = files.keys().cloned().collect();
    files
        .iter()
        .map(|(module, file)| (module.clone(), references::of(&file.code, module, &modules)))
        .collect()
}

/// The shortest way round, and the other files that are entangled in it.
fn shown(circle: &graph::Circle) -> String {
    let way: Vec<_> = circle.shortest.iter().map(|module| name(module)).collect();
    let others = circle.files.iter().filter(|file| !circle.shortest.contains(file));
    let others: Vec<_> = others.map(|module| name(module)).collect();
    let way = way.join(" -> ");
    if others.is_empty() { way } else { format!("{way}; with {}", others.join(", ")) }
}

fn name(module: &[String]) -> String {
    if module.is_empty() { "(root)".to_owned() } else { module.join("::") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{edges, graph, shown};
    use crate::crate_files::CrateFile;

    /// The circles of a crate whose modules have these texts.
    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let file = |(name, code): &(&str, &str)| {
            let module = name.split("::").filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect();
            (module, CrateFile::new(code))
        };
        let files: BTreeMap<_, _> = files.iter().map(file).collect();
        graph::circles(&edges(&files)).iter().map(shown).collect()
    }

    #[test]
    fn a_facade_whose_children_import_from_siblings_is_no_circle() {
        let found = circles(&[
            ("", "mod a;"),
            ("a", "mod b; mod c; pub use b::B; pub use c::C;"),
            ("a::b", "use super::c::C;"),
            ("a::c", "pub struct C;"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_child_that_uses_what_its_parent_reexports_is_one() {
        let found = circles(&[
            ("", "mod a;"),
            ("a", "mod b; mod c; pub use b::B;"),
            ("a::b", "pub struct B;"),
            ("a::c", "use super::B;"),
        ]);
        assert_eq!(found, [""; 0], "the parent does not use this child");
        let found = circles(&[("a", "pub use b::B; pub struct A;"), ("a::b", "use super::A;")]);
        assert_eq!(found, ["a -> a::b -> a"]);
    }

    #[test]
    fn a_long_circle_is_told_with_its_way_and_the_files_beside_it() {
        let found = circles(&[
            ("a", "use crate::b::B;"),
            ("b", "use crate::{c::C, d::D};"),
            ("c", "fn c() { crate::a::a() }"),
            ("d", "use crate::c;"),
        ]);
        assert_eq!(found, ["a -> b -> c -> a; with d"]);
    }
}
