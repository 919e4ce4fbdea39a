//! `wasmhost submit`: submits a job, and with `--wait` follows it to its end.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use wasmhost_client::{Accepted, Client, JobHandle, Notes, RegistryCheck, States, Submission};
use wasmhost_protocol::bounds::{ATTEMPT, MAX_ATTEMPTS};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::ids::{JobId, QueueName, TaskName};
use wasmhost_protocol::record::{Record, StateLabel};
use wasmhost_protocol::service::SubmitReply;

use crate::config::flag_values::{When, duration, number, parse_delay, parse_result_ttl};
use crate::error::suggestion::suggestion;
use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::local::input;
use crate::output;
use crate::output::follower::{Follower, next_record};

/// How long a job may wait before the user is warned that nobody serves it.
const PROGRESS_DELAY: Duration = Duration::from_secs(1);

/// Flags of `submit`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: wasmhost submit hello.run '{\"name\": \"Ada\"}' --wait
         wasmhost submit thumbs.resize @args.json --id photo-17 --timeout 30s
         wasmhost submit hello.run '{\"name\": \"Ada\"}' --delay 10m")]
pub(crate) struct Args {
    /// The task, `module.function`
    task: TaskName,
    /// The arguments: JSON, `@FILE`, or `-` for standard input
    #[arg(allow_negative_numbers = true)]
    arguments: Option<String>,
    /// Its id: the same id with the same arguments is the same job [default: a new one]
    #[arg(long)]
    id: Option<JobId>,
    /// The queue that it waits in
    #[arg(long, default_value = "default")]
    queue: QueueName,
    /// Queue it after this long; a job with this id that stands already keeps its own time
    #[arg(long, value_name = "DURATION", value_parser = parse_delay, conflicts_with = "at")]
    delay: Option<Duration>,
    /// Queue it at this time, or after this long from now; at once where that is past
    #[arg(long, value_name = "TIME")]
    at: Option<When>,
    /// Stop an attempt after this time, at most 30d
    #[arg(long, value_name = "DURATION", value_parser = duration(ATTEMPT))]
    timeout: Option<Duration>,
    /// Attempts in all, at most 1000000
    #[arg(long, value_name = "NUMBER", value_parser = number(MAX_ATTEMPTS))]
    max_attempts: Option<u32>,
    /// Start no attempt after this time, or after this long from now
    #[arg(long, value_name = "TIME")]
    expires: Option<When>,
    /// Keep the record for so long after the end, 1s to 3650d; 0 drops the result
    #[arg(long, value_name = "DURATION", value_parser = parse_result_ttl)]
    result_ttl: Option<Duration>,
    /// The version of the module [default: the one that is current at the first attempt]
    #[arg(long)]
    digest: Option<Digest>,
    /// Do not look into the registry first: the module may be pushed later
    #[arg(long)]
    unchecked: bool,
    /// Wait for the end: progress on standard error, the result on standard output
    #[arg(long)]
    wait: bool,
}

/// Submits the job, and prints its key or waits for its result.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let wait = args.wait;
    let submission = submission(args)?;
    let queue = submission.queue.clone();
    let client = global.client().await?;
    // A person would rather hear at once that the server is not ready than wait for it.
    let accepted = client.try_submit(submission).await?;
    let key = accepted.job.key();
    if accepted.state.is_terminal() {
        output::note(format_args!("job {key} stands {} already, and does not run again", accepted.state));
    }
    if wait {
        // The key is on standard error, since the result alone belongs on standard output.
        output::note(key);
        return follow(&client, &accepted.job, &queue, global).await;
    }
    print(&accepted, global)?;
    Ok(Exit::Ok)
}

fn print(accepted: &Accepted, global: &Global) -> Result<(), CliError> {
    let key = accepted.job.key();
    if !global.json {
        return output::line(key);
    }
    let reply = SubmitReply { key: key.clone(), state: accepted.state.clone(), revision: accepted.revision };
    output::json(&reply)
}

fn submission(args: Args) -> Result<Submission, CliError> {
    let mut submission = Submission::for_task(args.task);
    submission.id = args.id;
    submission.queue = args.queue;
    submission.options = JobOptions {
        delay: args.delay,
        at: args.at.map(|when| when.0),
        timeout: args.timeout,
        max_attempts: args.max_attempts,
        expires_at: args.expires.map(|when| when.0),
        result_ttl: args.result_ttl,
        digest: args.digest,
        ..JobOptions::default()
    };
    submission.arguments = input::arguments(args.arguments.as_deref())?;
    // Who waits at a terminal watches all states.
    submission.tell_end = false;
    submission.registry_check = if args.unchecked { RegistryCheck::Skipped } else { RegistryCheck::Required };
    Ok(submission)
}

/// Shows the job until its end, and prints its result.
async fn follow(
    client: &Client,
    job: &JobHandle,
    queue: &QueueName,
    global: &Global,
) -> Result<Exit, CliError> {
    // Hosts may speak of the job as soon as it is pending, so that they are listened to before its states.
    let mut notes = job.notes().await?;
    let mut states = job.watch().await?;
    let is_pending = Cell::new(true);
    let last = {
        let showing = pin!(show(&mut states, &mut notes, &is_pending));
        let warning = pin!(warn_of_unserved(client, queue, &is_pending));
        match select(showing, warning).await {
            Either::Left((last, _)) => last,
            Either::Right(((), showing)) => showing.await,
        }
    };
    let Some(record) = last.filter(Record::is_terminal) else {
        let gone = || CliError::new(Exit::NotFound, format_args!("the record of job {} is gone", job.key()));
        return Err(states.failure().map_or_else(gone, CliError::from));
    };
    if global.json {
        output::json(&record)?;
        return Ok(Exit::of_record(&record));
    }
    let result = job.raw_result_of(record).await?;
    output::line(output::safe_json(result.as_str()))?;
    Ok(Exit::Ok)
}

/// Shows the records of a job on standard error as they come; the last one.
async fn show(states: &mut States, notes: &mut Notes, is_pending: &Cell<bool>) -> Option<Record> {
    let mut follower = Follower::new();
    let mut last = None;
    while let Some(record) = next_record(states, notes, |note| follower.note(note)).await {
        is_pending.set(record.label() == StateLabel::Pending);
        follower.show(&record);
        last = Some(record);
    }
    follower.finish();
    last
}

/// Says so where no host serves the queue in which a job is pending: it would wait without a word. Hosts that cannot be
/// listed are no reason to stop waiting.
async fn warn_of_unserved(client: &Client, queue: &QueueName, is_pending: &Cell<bool>) {
    // A job that starts soon costs no request.
    tokio::time::sleep(PROGRESS_DELAY).await;
    if !is_pending.get() {
        return;
    }
    let Ok(hosts) = client.hosts().await else { return };
    let served: BTreeSet<_> = hosts.iter().flat_map(|host| &host.queues).collect();
    if served.is_empty() {
        output::note("no host runs: the job waits until one does (`wasmhost serve`)");
    } else if !served.contains(queue) {
        let near = suggestion(queue.as_str(), served.iter().map(|queue| queue.as_str()));
        output::note(format_args!("no host serves the queue `{queue}`: the job waits until one does{near}"));
    }
}
