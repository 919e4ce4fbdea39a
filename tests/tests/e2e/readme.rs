//! Runs every command of the README's tour and of its part for the plain `nats` command, in the README's order, against
//! `wasmhost dev`.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use end_to_end::{DEV_READY, EXPORT_NATS_URL, README, guest, shell};

use super::Test;

/// The commands between two headings, without comments and without those that set up the reader's machine.
fn commands(from: &str, to: &str) -> Vec<String> {
    let part = README.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or("", |(part, _)| part);
    let blocks = part.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n"));
    let lines =
        blocks.flat_map(str::lines).map(|line| line.split(" # ").next().unwrap_or(line).trim().to_owned());
    lines.filter(|line| !line.starts_with("cargo ") && !line.starts_with("wasmhost dev")).collect()
}

/// Commands that go on until the reader ends them.
fn goes_on(line: &str) -> bool {
    line.contains(" watch ") || line.starts_with("nats sub")
}

#[tokio::test]
async fn every_command_of_the_readme_does_what_it_says() -> Test {
    let tour = commands("## The 60-second tour", "## From any language");
    let outside = commands("## From any language", "## How a job flows");
    ensure!(
        tour.len() >= 13 && outside.len() >= 10,
        "the README has lost its commands: {tour:?} {outside:?}"
    );
    let directory = tempfile::tempdir()?;
    for module in ["hello", "progress", "thumbs"] {
        std::fs::copy(guest(module), directory.path().join(module).with_extension("wasm")).context(module)?;
    }
    let mut dev = shell(&format!("wasmhost dev {}", directory.path().display()), "")?;
    dev.stdout.wait_for(DEV_READY).await?;
    let export = dev.stdout.wait_for(EXPORT_NATS_URL).await?;
    let url = export.trim_start_matches(EXPORT_NATS_URL).trim().to_owned();
    for line in tour.iter().chain(&outside) {
        let mut command = shell(line, &url)?;
        if goes_on(line) {
            command.stdout.until("its first line", |lines| !lines.is_empty()).await.context(line.clone())?;
        } else {
            let code = command.end().await.context(line.clone())?;
            let said = command.stdout.text();
            ensure!(code == 0 && !said.contains("Nats-Service-Error"), "`{line}` ended with {code}: {said}");
        }
    }
    Ok(())
}

/// Every Rust source file below a directory of the repository, without what was built.
fn sources(directory: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// The tests that a page names: `area::function` in backticks.
fn tests_named_in(page: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    page.split('`')
        .filter_map(|word| word.split_once("::"))
        .filter(move |(area, name)| is_name(area) && is_name(name))
}

/// A test stands in a file, or in a directory, that has the name of its area.
#[test]
fn every_test_that_the_docs_name_exists() -> Test {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    sources(&root.join("crates"), &mut files)?;
    sources(&root.join("tests"), &mut files)?;
    let sources: Vec<_> = files
        .into_iter()
        .map(|path| std::fs::read_to_string(&path).map(|text| (path, text)))
        .collect::<Result<_, _>>()?;
    let exists = |(area, name): (&str, &str)| {
        let function = [format!("fn {name}("), format!(" {name}: ")];
        sources.iter().any(|(path, text)| {
            let of_area = path.with_extension("").components().any(|part| part.as_os_str() == area);
            of_area && function.iter().any(|function| text.contains(function))
        })
    };
    let mut named = 0;
    let mut missing = Vec::new();
    for page in std::fs::read_dir(root.join("docs"))? {
        let page = page?.path();
        let text = std::fs::read_to_string(&page)?;
        named += tests_named_in(&text).count();
        missing.extend(
            tests_named_in(&text)
                .filter(|test| !exists(*test))
                .map(|(area, name)| format!("{}: {area}::{name}", page.display())),
        );
    }
    ensure!(named > 150 && missing.is_empty(), "of {named} tests that are named: {missing:#?}");
    Ok(())
}
