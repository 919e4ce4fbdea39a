//! `wasmhost hosts`: lists the hosts that run.

use wasmhost_protocol::presence::HostPresence;
use wasmhost_protocol::text::escape;

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::output;
use crate::output::table;

/// Flags of `hosts`: none of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: wasmhost hosts --json")]
pub(crate) struct Args {}

/// Prints a line for each host.
pub(crate) async fn run(_: Args, global: &Global) -> Result<Exit, CliError> {
    let client = global.client().await?;
    let hosts = client.hosts().await?;
    if global.json {
        hosts.iter().try_for_each(output::json)?;
        return Ok(Exit::Ok);
    }
    if hosts.is_empty() {
        output::note("no host runs: start one with `wasmhost serve`");
        return Ok(Exit::Ok);
    }
    let rows: Vec<_> = hosts.iter().map(row).collect();
    output::text(table::columns(
        &["HOST", "VERSION", "RUNNING", "SLOTS", "QUEUES", "UP SINCE", "STATE"],
        &rows,
    ))?;
    Ok(Exit::Ok)
}

fn row(host: &HostPresence) -> Vec<String> {
    let queues: Vec<_> = host.queues.iter().map(ToString::to_string).collect();
    vec![
        host.id.to_string(),
        escape(&host.version),
        host.running.to_string(),
        host.slots.to_string(),
        queues.join(","),
        host.started_at.to_string(),
        state(host).to_owned(),
    ]
}

fn state(host: &HostPresence) -> &'static str {
    match (host.draining, host.ready) {
        // A host that leaves takes no jobs, whether or not the server has room.
        (true, _) => "draining",
        (false, true) => "working",
        (false, false) => "waiting for room on the server",
    }
}
