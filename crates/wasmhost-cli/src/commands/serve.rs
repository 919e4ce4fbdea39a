//! `wasmhost serve`: a host.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use wasmhost_host::{HostConfig, HostError};
use wasmhost_nats::{Backoff, ConnectError, Connection, RightsError};

use crate::cli::Global;
use crate::config::connection;
use crate::config::serve_file;
use crate::config::settings::Settings;
use crate::error::Exit;
use crate::error::{CliError, chain};
use crate::local::component;
use crate::local::runtime;

/// Flags of `serve`. Each may also stand in the configuration file, by the same name.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
A flag overrules the environment, and that the configuration file, a TOML file with the flags' names as keys:

  nats = \"nats://nats-1:4222,nats://nats-2:4222\"
  queues = \"high:4,default:1\"
  slots = 32
  grace = \"30s\"
  [ceiling.limits]
  timeout = \"7d\"
  [ceiling.retry]
  max-attempts = 5000

A ceiling is the most that a module's policy or a job may ask for: of limits cpu, timeout, soft-timeout, table-elements, handles, result, \
meta, checkpoint and updates-per-second, of retry max-attempts, initial-delay, factor, max-delay and max-lost. That of memory is \
--memory-limit.

SIGTERM, SIGHUP and Ctrl-C drain: no more work is taken, what runs may finish within --grace.

Example: wasmhost serve --nats nats://nats:4222 --queues high:4,default:1 --slots 32")]
pub(crate) struct Args {
    /// A configuration file
    #[arg(long, value_name = "FILE", env = "WASMHOST_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Serves until it is told to stop.
pub(crate) fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    let mut global = global.clone();
    let settings = match &args.config {
        Some(path) => args.settings.over(serve_file::read(path, &mut global)?),
        None => args.settings,
    };
    let await_nats = settings.await_nats.unwrap_or(true);
    let config = settings.host_config()?;
    let guests = runtime::guests()?;
    let ended =
        runtime::current_thread()?.block_on(serve(&global, config, guests.handle().clone(), await_nats));
    guests.shutdown_background();
    ended
}

async fn serve(
    global: &Global,
    config: HostConfig,
    guests: tokio::runtime::Handle,
    await_nats: bool,
) -> Result<Exit, CliError> {
    let (ask, mut asked) = tokio::sync::oneshot::channel();
    let host = async {
        let Some(connection) = connection(global, await_nats, &mut asked).await? else { return Ok(Exit::Ok) };
        // A sender that is gone means that the host is to end as well.
        let stop = async { drop(asked.await) };
        wasmhost_host::run(connection, config, guests, stop).await.map_err(host_failed).map(|()| Exit::Ok)
    };
    // The host is dropped at a second signal as if it were killed: what it ran comes again after ack-wait.
    tokio::select! {
        ended = host => ended,
        Err(cli_error) = signals(ask) => Err(cli_error),
    }
}

/// A connection, as soon as there is a server; none where the host is asked to end before.
async fn connection(
    global: &Global,
    await_nats: bool,
    asked: &mut tokio::sync::oneshot::Receiver<()>,
) -> Result<Option<Connection>, CliError> {
    let config = global.connect_config()?;
    let mut backoff = Backoff::between(Duration::from_millis(250), Duration::from_secs(5));
    loop {
        // An attempt to connect that is dropped leaves nothing behind.
        let opened = tokio::select! {
            opened = Connection::open(&config) => opened,
            _ = &mut *asked => return Ok(None),
        };
        match opened {
            Ok(connection) => return Ok(Some(connection)),
            Err(error @ ConnectError::Unreachable { .. }) if await_nats => {
                let error = connection::without_passwords(&chain(&error));
                tracing::warn!(error, "waiting for NATS (`--await-nats false` ends instead)");
            }
            Err(error) => return Err(connection::refused(&error)),
        }
        tokio::select! {
            () = backoff.wait() => {}
            _ = &mut *asked => return Ok(None),
        }
    }
}

/// Passes the first signal on as the wish to drain; a second one ends the host at once.
async fn signals(ask: tokio::sync::oneshot::Sender<()>) -> Result<Infallible, CliError> {
    runtime::stop_requested().await?;
    drop(ask);
    runtime::stop_requested().await?;
    Err(CliError::new(
        Exit::Interrupted,
        "a second signal: ended at once; jobs that ran come again after ack-wait",
    ))
}

/// Why a host ended.
pub(crate) fn host_failed(error: HostError) -> CliError {
    match error {
        HostError::Rights(error @ RightsError::Unreachable(_)) => CliError::of(Exit::Unreachable, &error),
        HostError::Rights(error) => CliError::of(Exit::Denied, &error),
        HostError::Layout(error) => error.into(),
        HostError::Connect(error) => connection::refused(&error),
        HostError::Sandbox(error) => component::no_sandbox(&error),
        HostError::Ended(_) => CliError::of(Exit::Unreachable, &error),
        _ => CliError::of(Exit::Config, &error),
    }
}
