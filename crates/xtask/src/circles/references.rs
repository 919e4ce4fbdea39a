//! To which other files of its crate a file refers: by `use`, and by paths in its code.

use std::collections::BTreeSet;

use crate::{
    crate_files::ModulePath,
    tokens::{self, Token},
};

/// The files that the code of `module` names, without itself.
pub(super) fn of(code: &str, module: &ModulePath, modules: &BTreeSet<ModulePath>) -> BTreeSet<ModulePath> {
    let tokens: Vec<_> = tokens::of(code).collect();
    let mut reader = Reader { tokens: &tokens, at: 0, blocks: Vec::new(), paths: Vec::new() };
    reader.read();
    let home = Home { module, modules };
    reader.paths.iter().filter_map(|path| home.file_of(path)).filter(|file| file != module).collect()
}

/// A path as it is written, and the modules within the file that it is written in.
struct WrittenPath {
    inline: Vec<String>,
    parts: Vec<String>,
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    /// The open braces; a name where one opens a module.
    blocks: Vec<Option<&'a str>>,
    paths: Vec<WrittenPath>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        while let Some(token) = self.tokens.get(self.at) {
            match (token, &self.tokens[self.at + 1..]) {
                (Token::Word("mod"), [Token::Word(name), Token::Sign('{'), ..]) => {
                    self.blocks.push(Some(name));
                    self.at += 3;
                }
                // `use<'a>` in a type names no path.
                (Token::Word("use"), [next, ..]) if *next != Token::Sign('<') => {
                    self.at += 1;
                    self.tree(&[]);
                }
                // What an exported macro names is reached from where it is used, over the crate's root.
                (Token::Sign('$'), [Token::Word("crate"), Token::PathSeparator, ..]) => {
                    self.at += 1;
                    self.parts();
                }
                (Token::Word(_), [Token::PathSeparator, ..]) => {
                    let parts = self.parts();
                    self.found(parts);
                }
                (Token::Sign('{'), _) => {
                    self.blocks.push(None);
                    self.at += 1;
                }
                (Token::Sign('}'), _) => {
                    self.blocks.pop();
                    self.at += 1;
                }
                (Token::Word(_) | Token::Sign(_) | Token::PathSeparator, _) => self.at += 1,
            }
        }
    }

    /// One tree of a `use`: a path, and perhaps a group of trees behind it.
    fn tree(&mut self, before: &[String]) {
        let mut path = before.to_vec();
        if self.tokens.get(self.at) == Some(&Token::PathSeparator) {
            // The path is one of another crate, and no module has an empty name.
            path.push(String::new());
            self.at += 1;
        }
        path.extend(self.parts());
        if self.tokens.get(self.at) != Some(&Token::Sign('{')) {
            self.found(path);
            // What may follow is `*`, or `as` and a name.
            while self.tokens.get(self.at).is_some_and(|token| !ends_tree(*token)) {
                self.at += 1;
            }
            return;
        }
        self.at += 1;
        while self.tokens.get(self.at).is_some_and(|token| *token != Token::Sign('}')) {
            self.tree(&path);
            if self.tokens.get(self.at) == Some(&Token::Sign(',')) {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    /// The words of a path, up to a group, a `*` or what is no part of it.
    fn parts(&mut self) -> Vec<String> {
        let mut parts = Vec::new();
        loop {
            match self.tokens.get(self.at) {
                Some(Token::Word(word)) if *word != "as" => parts.push((*word).to_owned()),
                _ => return parts,
            }
            self.at += 1;
            if self.tokens.get(self.at) != Some(&Token::PathSeparator) {
                return parts;
            }
            self.at += 1;
        }
    }

    fn found(&mut self, parts: Vec<String>) {
        let inline = self.blocks.iter().flatten().map(|name| (*name).to_owned()).collect();
        self.paths.push(WrittenPath { inline, parts });
    }
}

fn ends_tree(token: Token<'_>) -> bool {
    [Token::Sign(','), Token::Sign('}'), Token::Sign(';')].contains(&token)
}

/// The file that paths are written in, and all files of the crate.
struct Home<'a> {
    module: &'a ModulePath,
    modules: &'a BTreeSet<ModulePath>,
}

impl Home<'_> {
    /// The file that has what the path names; none where it is of another crate or a name of the file itself.
    fn file_of(&self, path: &WrittenPath) -> Option<ModulePath> {
        let mut here = self.module.clone();
        here.extend(path.inline.iter().cloned());
        let (first, mut rest) = path.parts.split_first()?;
        let mut target = match first.as_str() {
            "crate" => ModulePath::new(),
            "self" => here,
            "super" => {
                here.pop();
                while let Some(("super", after)) =
                    rest.split_first().map(|(part, after)| (part.as_str(), after))
                {
                    here.pop();
                    rest = after;
                }
                here
            }
            name => {
                here.push(name.to_owned());
                // A name that was imported counts where it was imported.
                if !self.modules.contains(&here) {
                    return None;
                }
                here
            }
        };
        target.extend(rest.iter().cloned());
        // The last words name items, or modules within a file.
        while !self.modules.contains(&target) {
            target.pop()?;
        }
        Some(target)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::of;
    use crate::crate_files::ModulePath;

    fn module(name: &str) -> ModulePath {
        name.split("::").filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect()
    }

    /// The files that the code of the module `a::b` refers to.
    #[track_caller]
    fn check(code: &str, expected: &[&str]) {
        let modules: BTreeSet<_> =
            ["", "a", "a::b", "a::b::c", "a::d", "e"].into_iter().map(module).collect();
        let found: Vec<_> = of(code, &module("a::b"), &modules).iter().map(|file| file.join("::")).collect();
        assert_eq!(found, expected, "{code}");
    }

    #[test]
    fn a_use_names_the_file_of_its_item() {
        check("use crate::e::Thing;", &["e"]);
        check("pub(crate) use super::d::Thing as Other;", &["a::d"]);
        check("use super::Thing;", &["a"]);
        check("use crate::Thing;", &[""]);
        check("use self::c::Thing; use c::Thing;", &["a::b::c"]);
        check("use std::e::Thing; use d::Thing; use ::c::{e, d};", &[]);
    }

    #[test]
    fn every_tree_of_a_group_counts() {
        check("use crate::{a::{d::{X, Y}, b::c::*}, e};", &["a::b::c", "a::d", "e"]);
        check("use super::super::{e::X as _, self};", &["", "e"]);
    }

    #[test]
    fn paths_in_code_count() {
        check("fn f() { crate::e::f(); c::f::<u8>() }", &["a::b::c", "e"]);
        check("macro_rules! m { () => { $crate::e::f(); crate::a::d::f() } }", &["a::d"]);
        check("fn f() -> impl Fn() + use<'a> { e::f }", &[]);
        check("fn f() { if x { use crate::e; } d::f() }", &["e"]);
    }

    #[test]
    fn a_module_within_the_file_is_the_file() {
        check("mod m { use super::super::d::X; use super::Y; } use super::d::Z;", &["a::d"]);
        check("mod m { use super::X; } fn f() { m::f() }", &[]);
        check("mod m { fn f() {} } use super::Thing;", &["a"]);
    }
}
