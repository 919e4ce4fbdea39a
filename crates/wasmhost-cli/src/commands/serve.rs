//! `wasmhost serve`: runs a host.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot::{self, Receiver, Sender};
use wasmhost_host::HostConfig;
use wasmhost_nats::{Backoff, ConnectError, Connection};

use crate::config::ceilings::listed_keys;
use crate::config::settings::Settings;
use crate::error::passwords::without_passwords;
use crate::error::{CliError, Exit, chain};
use crate::globals::Global;
use crate::local::runtime;

/// The pauses between tries to reach a server at the start.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Flags of `serve`. The configuration file may have each of the settings too, under the same name.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = after_help())]
pub(crate) struct Args {
    /// A configuration file
    #[arg(long, value_name = "FILE", env = "WASMHOST_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

fn after_help() -> String {
    format!(
        "\
A flag overrules the environment, and that the configuration file, a TOML file with the flags' names as keys:

  nats = \"nats://nats-1:4222,nats://nats-2:4222\"
  queues = \"high:4,default:1\"
  slots = 32
  grace = \"30s\"
  [ceiling.limits]
  timeout = \"7d\"
  [ceiling.retry]
  max-attempts = 5000

A ceiling is the most that a module's policy or a job may ask for: of limits {}, of retry {}. That of memory is \
--memory-limit.

SIGTERM, SIGHUP and Ctrl-C drain: no more work is taken, what runs may finish within --grace.

Example: wasmhost serve --nats nats://nats:4222 --queues high:4,default:1 --slots 32",
        listed_keys("limits"),
        listed_keys("retry")
    )
}

/// Serves until it is told to stop.
pub(crate) fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let await_nats = args.settings.await_nats();
    let config = args.settings.host_config()?;
    // Guests have a runtime of their own, so that one that computes delays neither a lease nor an acknowledgement.
    let guests = runtime::guests()?;
    let serving = serve(global, config, guests.handle().clone(), await_nats);
    let ended = runtime::current_thread()?.block_on(serving);
    guests.shutdown_background();
    ended
}

async fn serve(
    global: &Global,
    config: HostConfig,
    guests: Handle,
    await_nats: bool,
) -> Result<Exit, CliError> {
    let (drain, mut drained) = oneshot::channel();
    let host = async {
        let Some(connection) = connect(global, await_nats, &mut drained).await? else { return Ok(Exit::Ok) };
        // A sender that is dropped asks the host to drain as well.
        let stop = async { drop(drained.await) };
        Ok(wasmhost_host::run(connection, config, guests, stop).await.map(|()| Exit::Ok)?)
    };
    // At a second signal the host is dropped, as if it were killed: its jobs are delivered again after ack-wait.
    tokio::select! {
        ended = host => ended,
        Err(cli_error) = signals(drain) => Err(cli_error),
    }
}

/// Connects as soon as there is a server. There is no connection where the host is asked to drain before.
async fn connect(
    global: &Global,
    await_nats: bool,
    drained: &mut Receiver<()>,
) -> Result<Option<Connection>, CliError> {
    let config = global.connection.connect_config()?;
    let mut backoff = Backoff::between(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        // An attempt to connect that is dropped leaves nothing behind.
        let opened = tokio::select! {
            opened = Connection::open(&config) => opened,
            _ = &mut *drained => return Ok(None),
        };
        match opened {
            Ok(connection) => return Ok(Some(connection)),
            Err(error @ ConnectError::Unreachable { .. }) if await_nats => {
                let error = without_passwords(&chain(&error));
                tracing::warn!(error, "waiting for NATS (`--await-nats false` ends instead)");
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = backoff.wait() => {}
            _ = &mut *drained => return Ok(None),
        }
    }
}

/// Asks the host to drain at the first signal, and ends it at the second one.
async fn signals(drain: Sender<()>) -> Result<Infallible, CliError> {
    runtime::stop_requested().await?;
    drop(drain);
    runtime::stop_requested().await?;
    Err(CliError::new(
        Exit::Interrupted,
        "a second signal: ended at once; jobs that ran come again after ack-wait",
    ))
}
