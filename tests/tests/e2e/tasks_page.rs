//! `docs/tasks.md`: a reader who starts with an empty folder and does what the page says, against `wasmhost dev`.
//!
//! Cargo takes what it needs from what building the guests has fetched, and keeps what it builds of that beside the tests:
//! the first run takes half a minute more than the later ones. What the page installs is what `cargo xtask tools` installs.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use end_to_end::{README, Reader, Step, steps_of};

use super::Test;

/// The page.
const PAGE: &str = include_str!("../../../docs/tasks.md");

/// The page with the crate that is tested, in place of the one that its readers get from the repository.
fn page() -> anyhow::Result<String> {
    let git = concat!("git = \"", env!("CARGO_PKG_REPOSITORY"), "\"");
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/wasmhost-guest").canonicalize()?;
    let own = format!("path = {:?}", guest.to_str().context("a path that is not UTF-8")?);
    ensure!(PAGE.contains(git), "the page takes no crate from {git}");
    Ok(PAGE.replace(git, &own))
}

#[tokio::test]
async fn whoever_does_what_the_page_says_sees_what_it_shows() -> Test {
    let steps = steps_of(&page()?)?;
    let files = steps.iter().filter(|step| matches!(step, Step::File { .. })).count();
    let shown = steps.iter().filter(|step| matches!(step, Step::Commands(it) if it.output.is_some())).count();
    ensure!(files >= 15 && shown >= 15, "the page has lost its parts: {files} files, {shown} outputs");
    let mut reader = Reader::new(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tasks-page"))?;
    for step in &steps {
        reader.follow(step).await?;
    }
    Ok(())
}

#[test]
fn the_readme_shows_the_task_that_the_page_begins_with() -> Test {
    let part = README.split_once("## Writing a task").context("the README's part for tasks")?.1;
    let shown =
        part.split_once("```rust\n").and_then(|(_, rest)| rest.split_once("```")).context("a task")?.0;
    let steps = steps_of(PAGE)?;
    let first = steps.iter().find_map(|step| match step {
        Step::File { path, text } if path == "words/src/lib.rs" => Some(text),
        Step::File { .. } | Step::Commands(_) => None,
    });
    let first = first.context("the page's first task")?;
    ensure!(first.contains(shown), "the README has\n{shown}\nand the page\n{first}");
    Ok(())
}
