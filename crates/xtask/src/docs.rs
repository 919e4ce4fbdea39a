//! The documents lead to what exists: links, their anchors, and files that are mentioned by name.

mod links;
mod markdown;
mod mentions;

use std::{collections::BTreeMap, fs};

use anyhow::{Context, bail};

use crate::{
    repository::Repository,
    repository_files,
    steps::{Ended, Step},
};

use links::Anchors;
use markdown::Page;
use mentions::Mentions;

/// Looks at every document, and at the links to documents in the comments of the code; fails with the list of what
/// leads nowhere.
pub(crate) fn check(repository: &Repository, _: &Step<'_>) -> Ended<()> {
    let files = repository_files::list(&repository.root)?;
    let mut texts = BTreeMap::new();
    for file in files.iter().filter(|file| file.ends_with(".md") || file.ends_with(".rs")) {
        let text =
            fs::read_to_string(repository.root.join(file)).with_context(|| format!("reading {file}"))?;
        texts.insert(file.as_str(), text);
    }
    let pages: BTreeMap<_, _> = texts
        .iter()
        .filter(|(file, _)| file.ends_with(".md"))
        .map(|(file, text)| (*file, Page::read(text)))
        .collect();
    let anchors = Anchors::new(&files, &pages);
    let mentions = Mentions::new(&files);
    let mut links = 0;
    let mut wrong = Vec::new();
    for (file, text) in &texts {
        let page = pages.get(file);
        let targets = links::to_this_repository(text)
            .chain(page.into_iter().flat_map(|page| page.links.iter().cloned()));
        for target in targets {
            links += 1;
            wrong.extend(anchors.complaint(file, &target).map(|why| format!("{file}: ({target}) {why}")));
        }
        let named = page.into_iter().flat_map(|page| &page.code);
        wrong.extend(named.filter_map(|name| mentions.complaint(name)).map(|why| format!("{file}: {why}")));
    }
    if !wrong.is_empty() {
        bail!("documents lead nowhere\n{}", wrong.join("\n"));
    }
    Ok(((), format!("{links} links in {} documents and the code's comments", pages.len())))
}
