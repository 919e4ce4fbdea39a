//! `wasmhost jobs`: lists the jobs that have a record.

use std::str::FromStr;

use futures::TryStreamExt;
use wasmhost_client::JobFilter;
use wasmhost_protocol::ids::{ModuleName, TaskName};
use wasmhost_protocol::record::{Record, StateLabel};

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::output;
use crate::output::{render, table};

/// Flags of `jobs`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: wasmhost jobs --state FAILURE --task thumbs.resize")]
pub(crate) struct Args {
    /// Only jobs in this state
    #[arg(long, value_parser = parse_state)]
    state: Option<StateLabel>,
    /// Only jobs of this task, or of all tasks of this module
    #[arg(long, value_name = "TASK")]
    task: Option<OfTask>,
}

/// The jobs of a task, or of all tasks of a module.
#[derive(Debug, Clone)]
struct OfTask(JobFilter);

impl FromStr for OfTask {
    type Err = wasmhost_protocol::ids::InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let filter = if text.contains('.') {
            TaskName::parse(text).map(JobFilter::Task)
        } else {
            ModuleName::parse(text).map(JobFilter::Module)
        };
        filter.map(Self)
    }
}

/// Prints a line for each job.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let client = global.client().await?;
    let filter = args.task.map_or(JobFilter::All, |task| task.0);
    let mut listed = client.list(&filter).await?;
    let mut records = Vec::new();
    while let Some(record) = listed.try_next().await? {
        // The bucket can be filtered by key only, and a state is within the record.
        if args.state.as_ref().is_none_or(|state| record.label() == *state) {
            records.push(record);
        }
    }
    if global.json {
        records.iter().try_for_each(output::json)?;
        return Ok(Exit::Ok);
    }
    if records.is_empty() {
        output::note("no jobs");
        return Ok(Exit::Ok);
    }
    let rows: Vec<_> = records.iter().map(row).collect();
    output::text(table::columns(&["KEY", "STATE", "ATTEMPT", "QUEUE", "UPDATED", "META"], &rows))?;
    Ok(Exit::Ok)
}

fn row(record: &Record) -> Vec<String> {
    vec![
        record.key().to_string(),
        record.label().to_string(),
        record.attempt.to_string(),
        record.queue.to_string(),
        record.updated_at.to_string(),
        render::remark(record),
    ]
}

fn parse_state(text: &str) -> Result<StateLabel, String> {
    StateLabel::parse(text)
        .ok_or_else(|| "a state is written in capitals, like SUCCESS or PROGRESS".to_owned())
}
