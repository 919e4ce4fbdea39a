//! How fast the release build is, as a part of what the server could do with the same messages if nobody ran any job: only such
//! a quotient can be compared with that of another machine or day.

use std::process::Command;

use crate::{
    build,
    repository::Repository,
    steps::{Ended, Step},
    tools::server,
};

/// Few jobs and many rounds: what else the machine does falls on single rounds.
const MEASURED: [&str; 7] = ["drain", "closed", "--rounds", "7", "--jobs", "8000", "--gate"];

/// Builds the program and measures it. It fails where a scenario reaches much less of its ceiling than is usual.
pub(crate) fn check(repository: &Repository, step: &Step<'_>) -> Ended<()> {
    let (nats_server, _) = server::install(repository, step)?;
    step.tell("compiling the release build");
    build::release(repository, step)?;
    step.tell("measuring; two minutes");
    let mut bench = Command::new(repository.release_wasmhost());
    bench.arg("bench").args(MEASURED).arg("--nats-server").arg(nats_server);
    step.call(bench)?;
    Ok(((), "as fast as usual".to_owned()))
}
