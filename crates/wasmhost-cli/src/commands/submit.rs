//! `wasmhost submit`: a new job, and with `--wait` its end.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use wasmhost_client::{Checked, Client, Handle, ReadError, StatusError, Submission};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::headers::JobOptions;
use wasmhost_protocol::ids::{JobId, JobKey, QueueName, TaskName};
use wasmhost_protocol::record::{Record, StateLabel};
use wasmhost_protocol::service::SubmitReply;

use crate::cli::Global;
use crate::config::connection;
use crate::config::flag_values::{When, parse_attempts, parse_delay, parse_result_ttl, parse_timeout};
use crate::error::CliError;
use crate::error::Exit;
use crate::error::suggestion::suggestion;
use crate::local::input;
use crate::output;
use crate::output::progress::{Follower, next_record};
use crate::output::render;

/// How long a job may wait before somebody is told that nobody serves it.
const PATIENCE: Duration = Duration::from_secs(1);

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
    #[arg(long, value_name = "DURATION", value_parser = parse_timeout)]
    timeout: Option<Duration>,
    /// Attempts in all, at most 1000000
    #[arg(long, value_name = "NUMBER", value_parser = parse_attempts)]
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

/// Submits, and prints the key or waits for the result.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let wait = args.wait;
    let submission = submission(args)?;
    let queue = submission.queue.clone();
    let client = global.client().await?;
    check_streams(&client, &submission).await?;
    let accepted = client.submit(submission).await?;
    let key = accepted.job.key();
    if accepted.state.is_terminal() {
        output::note(format_args!("job {key} stands {} already, and does not run again", accepted.state));
    }
    if wait {
        output::note(key);
        return follow(&client, &accepted.job, &queue, global).await;
    }
    if global.json {
        output::json(&SubmitReply { key: key.clone(), state: accepted.state, revision: accepted.revision })?;
    } else {
        output::line(key)?;
    }
    Ok(Exit::Ok)
}

fn submission(args: Args) -> Result<Submission, CliError> {
    let mut submission = Submission::of(args.task);
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
    submission.checked = if args.unchecked { Checked::Later } else { Checked::ByRegistry };
    Ok(submission)
}

/// A server without our streams would be asked again for half a minute: one read tells at once.
async fn check_streams(client: &Client, submission: &Submission) -> Result<(), CliError> {
    let id = submission.id.clone().unwrap_or_else(|| JobId::parse("0").expect("`0` is an id"));
    match client.job(&JobKey::new(submission.task.clone(), id)).record().await {
        Err(
            error @ StatusError::Unreachable {
                source: ReadError::Unreachable { .. } | ReadError::NotSetUp { .. },
                ..
            },
        ) => Err(error.into()),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Says so where no host serves the queue: the job would wait without a word. Not to know it is no reason to end.
async fn warn_of_unserved(client: &Client, queue: &QueueName) {
    let Ok(hosts) = client.hosts().await else { return };
    let served: BTreeSet<_> = hosts.iter().flat_map(|host| &host.queues).collect();
    if served.is_empty() {
        output::note("no host runs: the job waits until one does (`wasmhost serve`)");
    } else if !served.contains(queue) {
        let near = suggestion(queue.as_str(), served.iter().map(|queue| queue.as_str()));
        output::note(format_args!("no host serves the queue `{queue}`: the job waits until one does{near}"));
    }
}

async fn follow(client: &Client, job: &Handle, queue: &QueueName, global: &Global) -> Result<Exit, CliError> {
    let mut notes = job.notes().await.map_err(|error| connection::refused(&error))?;
    let mut states = job.watch().await?;
    let mut follower = Follower::new();
    let mut last = None;
    let waits = Cell::new(true);
    let following = Box::pin(async {
        while let Some(record) = next_record(&mut states, &mut notes, |note| follower.note(note)).await {
            waits.set(record.state() == StateLabel::Pending);
            follower.show(&record);
            last = Some(record);
        }
    });
    // A job that starts soon costs no look at the hosts.
    let warning = async {
        tokio::time::sleep(PATIENCE).await;
        if waits.get() {
            warn_of_unserved(client, queue).await;
        }
    };
    if let Either::Right(((), following)) = select(following, pin!(warning)).await {
        following.await;
    }
    follower.finish();
    let Some(record) = last.filter(Record::is_terminal) else {
        if let Some(error) = states.failure() {
            return Err(error.into());
        }
        return Err(CliError::new(Exit::NotFound, format_args!("the record of job {} is gone", job.key())));
    };
    if global.json {
        output::json(&record)?;
        return Ok(render::exit(&record));
    }
    // The result may be a blob: the client knows.
    let result = client.job(job.key()).raw_result().await?;
    output::line(output::safe_json(result.as_str()))?;
    Ok(Exit::Ok)
}
