//! `cargo xtask`: all set-up and checks of the repository, on a machine with only the Rust toolchain, and Go or Python.
//! Each command says what it does, skips what is done, and fails with the fix.

mod build;
mod chaos;
mod check;
mod ci;
mod circles;
mod command;
mod crate_files;
mod demo;
mod docs;
mod guests;
mod numbers;
mod package;
mod repository;
mod repository_files;
mod rust_text;
mod say;
mod sequence;
mod speed;
mod steps;
mod test;
mod tokens;
mod tools;

use std::{env, process::ExitCode};

use anyhow::bail;

use crate::{
    repository::Repository,
    say::say,
    steps::{Board, Ended, Step},
};

const USAGE: &str = "\
cargo xtask COMMAND

  tools          installs what the other commands need: the wasm target, nats-server and its oldest version, the nats CLI
  guests         builds the guest examples, and the guests of the tests
  test [ARGS]    runs every test, or those that ARGS of `cargo test` select
  chaos [ARGS]   raises a storm: --jobs, --minutes, --seed and --hosts, each with a number; else 2000 jobs in 2 minutes
  speed          compares release builds with what the server could do without jobs; fails where little of that is left
  demo           runs one job of each guest example on a private server, and checks every transition
  check          all that CI checks before the tests; each of these can be run alone too:
    circles        no file of a crate imports from itself over others
    docs           links and names of files in the documents lead somewhere
    numbers        how long files and functions are, crate by crate
  package        makes the packages of a release, compiles each, and runs a job of a program that has only them
  ci             check, then test, then speed; prints what each step cost
  advisories     known weaknesses of the dependencies, from a database on GitHub";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let repository = Repository::here()?;
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    if !rest.is_empty() && !["test", "chaos"].contains(&command) {
        bail!("{command} takes no arguments, but got {rest:?}\n\n{USAGE}");
    }
    match command {
        "tools" => tools::install(&repository),
        "guests" => alone("guests", |step| guests::build(&repository, step)),
        "test" => test::run(&repository, rest),
        "chaos" => chaos::run(&repository, rest),
        "speed" => alone("speed", |step| speed::check(&repository, step)),
        "demo" => demo::run(&repository),
        "check" => check::run(&repository),
        "circles" => alone("circles", |step| circles::check(&repository, step)),
        "docs" => alone("docs", |step| docs::check(&repository, step)),
        "numbers" => {
            // The table comes first, so that it is printed where a file is too long as well.
            numbers::print(&repository)?;
            alone("numbers", |step| numbers::check(&repository, step))
        }
        "package" => package::run(&repository),
        "ci" => ci::run(&repository),
        "advisories" => alone("advisories", |step| check::advisories(&repository, step)),
        "help" | "--help" | "-h" => {
            say(USAGE);
            Ok(())
        }
        unknown => bail!("there is no command {unknown:?}\n\n{USAGE}"),
    }
}

/// Runs a command that is one step.
fn alone(name: &'static str, work: impl FnOnce(&Step<'_>) -> Ended<()>) -> anyhow::Result<()> {
    let board = Board::new(1);
    let left = board.run((1, name), work);
    board.result(left)
}
