//! Whether links lead somewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path},
};

use super::markdown::Page;

/// How files of this repository are linked to from elsewhere: from doc comments, and from a crate's page on a registry.
const HERE: [&str; 2] =
    ["https://github.com/wasmhost/wasmhost/blob/main/", "https://github.com/wasmhost/wasmhost/tree/main/"];

/// The links of any text that begin with this repository's address.
pub(super) fn to_this_repository(text: &str) -> impl Iterator<Item = String> {
    HERE.into_iter().flat_map(move |here| {
        text.split(here).skip(1).map(move |rest| {
            let end = rest.find(|c: char| c.is_whitespace() || ")>\"'`]".contains(c)).unwrap_or(rest.len());
            format!("{here}{}", &rest[..end])
        })
    })
}

/// Everything that a link can lead to.
pub(super) struct Anchors<'a> {
    files: BTreeSet<&'a str>,
    pages: &'a BTreeMap<&'a str, Page>,
}

impl<'a> Anchors<'a> {
    pub(super) fn new(files: &'a [String], pages: &'a BTreeMap<&'a str, Page>) -> Self {
        let files = files.iter().map(|file| file.trim_end_matches('/')).collect();
        Self { files, pages }
    }

    /// Why a link in a file leads nowhere; none where it leads somewhere or out of the repository.
    pub(super) fn complaint(&self, file: &str, target: &str) -> Option<String> {
        let (path, anchor) = match target.split_once('#') {
            Some((path, anchor)) => (path, Some(anchor)),
            None => (target, None),
        };
        let path = if let Some(path) = HERE.iter().find_map(|here| path.strip_prefix(here)) {
            Some(path.trim_end_matches('/').to_owned())
        // Links to other sites are not followed: the check says the same of one commit on every day.
        } else if path.contains(':') {
            return None;
        } else if path.is_empty() {
            Some(file.to_owned())
        } else {
            joined(file, path)
        };
        let Some(path) = path else { return Some("leads out of the repository".to_owned()) };
        if !path.is_empty() && !self.files.contains(path.as_str()) {
            return Some(format!("leads to {path}, which does not exist"));
        }
        // Only the anchors of pages are known: a line of a source file is not looked up.
        let page = self.pages.get(path.as_str())?;
        let anchor = anchor.filter(|anchor| !page.anchors.contains(*anchor))?;
        Some(format!("leads to #{anchor}, which {path} does not have"))
    }
}

/// The path that is relative to a file, from the root; none where it leads out.
fn joined(file: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<_> = file.split('/').collect();
    parts.pop();
    for component in Path::new(relative).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Anchors, HERE, Page, to_this_repository};

    #[track_caller]
    fn check(target: &str, expected: Option<&str>) {
        let files = ["README.md", "docs/", "docs/a.md", "docs/b.md"].map(ToOwned::to_owned);
        let pages = BTreeMap::from([("docs/b.md", Page::read("# Some heading"))]);
        assert_eq!(
            Anchors::new(&files, &pages).complaint("docs/a.md", target).as_deref(),
            expected,
            "{target}"
        );
    }

    #[test]
    fn a_link_leads_to_a_file_and_an_anchor_of_it() {
        for good in
            ["b.md#some-heading", "../README.md", "./b.md", "..", "#", "https://example.org/x#y", "../docs/"]
        {
            check(good, None);
        }
        check("c.md", Some("leads to docs/c.md, which does not exist"));
        check("b.md#other", Some("leads to #other, which docs/b.md does not have"));
        check("../../x", Some("leads out of the repository"));
    }

    #[test]
    fn links_with_the_address_of_this_repository_are_looked_up_too() {
        let text = format!("//! [R5]({}docs/b.md#r5), and <{}docs>", HERE[0], HERE[1]);
        let found: Vec<_> = to_this_repository(&text).collect();
        check(&found[0], Some("leads to #r5, which docs/b.md does not have"));
        check(&found[1], None);
        assert_eq!(found.len(), 2);
    }
}
