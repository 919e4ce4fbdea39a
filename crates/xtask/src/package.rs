//! The packages as a registry gets them: each compiles from nothing but what is in it and in the others, and a program
//! that knows only the packages submits a job and reads its result.

mod job;
mod packages;
mod program;

use std::path::PathBuf;

use anyhow::ensure;

use crate::{
    build, guests,
    repository::Repository,
    sequence::Sequence,
    steps::{Ended, Step},
    tools::server,
};

use job::Job;

/// What `hello.run` of the guest examples answers to the program.
const EXPECTED: &str = r#"{"greeting":"Hello, Ada!"}"#;

/// Runs all of it, each step with what the one before has left.
pub(crate) fn run(repository: &Repository) -> anyhow::Result<()> {
    let mut sequence = Sequence::new(7);
    let program = sequence
        .run("packages", |step| make(repository, step))
        .and_then(|()| sequence.run("each package", |step| packages::verify(repository, step)))
        .and_then(|()| sequence.run("program outside", |step| program::build(repository, step)));
    // What runs the job takes minutes to build, and is of no use without the program.
    let nats_server = program.as_ref().and_then(|_| prepare(repository, &mut sequence));
    if let (Some(program), Some(nats_server)) = (program, nats_server) {
        sequence.run("job", |step| {
            let component = repository.examples().join("target/wasm32-wasip2/release/hello.wasm");
            let wasmhost = repository.wasmhost();
            run_job(&Job { nats_server, wasmhost, component, program }, step)
        });
    }
    sequence.end()
}

/// Makes the packages and no more.
pub(crate) fn make(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    packages::make(repository, step)
}

/// Makes what runs the job; returns the nats-server.
fn prepare(repository: &Repository, sequence: &mut Sequence) -> Option<PathBuf> {
    sequence
        .run("guests", |step| guests::build_examples(repository, step))
        .and_then(|()| sequence.run("wasmhost", |step| build::demo(repository, step)))
        .and_then(|()| sequence.run("nats-server", |step| server::install(repository, step)))
}

fn run_job(job: &Job, step: &Step<'_>) -> Ended<()> {
    let result = job.run(step)?;
    ensure!(result == EXPECTED, "the result is {result}, not {EXPECTED}");
    Ok(((), format!("the program read {result}")))
}
