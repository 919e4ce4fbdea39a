//! The ceiling of a drain.

use std::rc::Rc;

use super::fill::{FILLING_AT_ONCE, fill};
use super::worker::work;
use crate::deployment::Deployment;
use crate::error::{BenchError, Doing};
use crate::measured::{EDGE_JOBS, Measured};
use crate::options::Options;
use crate::template::Template;

pub(super) async fn measure(
    deployment: &Deployment,
    template: &Template,
    options: &Options,
) -> Result<Measured, BenchError> {
    let names = &deployment.connection.names;
    let wire = deployment.connection.edge().await.doing("connect")?;
    fill(wire, names, template, options.jobs, FILLING_AT_ONCE).await?;
    let processes = deployment.processes(None);
    let last = options.jobs.saturating_sub(EDGE_JOBS);
    let mut samples = Vec::new();
    let note = |ended| {
        if ended == EDGE_JOBS || ended == last {
            samples.push(processes.sample()?);
        }
        Ok(())
    };
    work(wire, names, Rc::new(template.clone()), options.jobs, note).await?;
    let [before, after] = samples.as_slice() else {
        return Err(BenchError::Job("there are too few jobs to measure anything".to_owned()));
    };
    Ok(Measured { jobs: last - EDGE_JOBS, used: after.since(before), latencies: Vec::new() })
}
