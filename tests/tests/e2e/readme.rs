//! Every command of the README's tour and of its part for the plain `nats` command, in the README's order, against
//! `wasmhost dev`.

use anyhow::{Context, ensure};
use end_to_end::{README, guest, has_nats_cli, shell};

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
    let place = tempfile::tempdir()?;
    for module in ["hello", "progress", "thumbs"] {
        std::fs::copy(guest(module), place.path().join(module).with_extension("wasm")).context(module)?;
    }
    let mut dev = shell(&format!("wasmhost dev {}", place.path().display()), "")?;
    dev.stdout.wait_for("ready").await?;
    let export = dev.stdout.wait_for("export NATS_URL=").await?;
    let url = export.trim_start_matches("export NATS_URL=").trim().to_owned();
    for line in tour.iter().chain(&outside) {
        if line.starts_with("nats ") && !has_nats_cli() {
            eprintln!("NOTE: no `nats` command line here: not run: {line}");
            continue;
        }
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

/// The source file with the tests of an area.
fn source(area: &str) -> String {
    let file = match area {
        "breaks" => "../crates/wasmhost-protocol/tests/model/breaks.rs".to_owned(),
        "leftover" => "../crates/wasmhost-protocol/src/leftover.rs".to_owned(),
        "judge" => "../crates/wasmhost-protocol/src/judge/tests.rs".to_owned(),
        area => format!("tests/e2e/{area}.rs"),
    };
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_default()
}

#[test]
fn every_test_that_the_rules_name_exists() {
    let rules = include_str!("../../../crates/wasmhost-host/src/rules.md");
    let named: Vec<_> = rules.split('`').filter_map(|word| word.split_once("::")).collect();
    let missing: Vec<_> = named
        .iter()
        .filter(|(_, name)| *name != "…")
        .filter(|(area, name)| {
            let source = source(area);
            !source.contains(&format!("fn {name}(")) && !source.contains(&format!(" {name}: "))
        })
        .collect();
    assert!(named.len() > 40 && missing.is_empty(), "of {} named: {missing:?}", named.len());
}
