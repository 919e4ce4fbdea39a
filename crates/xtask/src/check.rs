//! The checks that need no server, which CI runs before the tests. Each does the same for one commit on every day; what
//! changes by itself, such as advisories, is a command of its own.

mod advisories;
mod dependencies;
mod documentation;
mod formatting;
mod lints;
mod rust_version;
mod spelling;

pub(crate) use advisories::check as advisories;

use crate::{
    circles, docs, numbers, package,
    repository::Repository,
    sequence::Sequence,
    steps::{Ended, Step},
};

type Check = fn(&Repository, &Step<'_>) -> Ended<()>;

/// All of them, the quick ones first.
const CHECKS: [(&str, Check); 11] = [
    ("formatting", formatting::check),
    ("documents", docs::check),
    ("circles", circles::check),
    ("lengths of files", numbers::check),
    ("spelling", spelling::check),
    ("unused dependencies", dependencies::unused),
    ("licences, sources", dependencies::allowed),
    // They are only made here: compiling each takes minutes, and is left to `cargo xtask package`.
    ("packages", package::make),
    ("minimum Rust version", rust_version::check),
    ("lints", lints::check),
    ("documentation", documentation::check),
];

/// How many there are.
pub(crate) const COUNT: usize = CHECKS.len();

/// Runs all, and fails where one did.
pub(crate) fn run(repository: &Repository) -> anyhow::Result<()> {
    let mut sequence = Sequence::new(COUNT);
    run_in(repository, &mut sequence);
    sequence.end()
}

/// Runs all as a part of more.
pub(crate) fn run_in(repository: &Repository, sequence: &mut Sequence) {
    for (name, check) in CHECKS {
        sequence.run(name, |step| check(repository, step));
    }
}
