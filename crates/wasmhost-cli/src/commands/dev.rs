//! `wasmhost dev`: a private nats-server, a host in this process, and the modules of a directory. All of it ends with this
//! process, however the process ends.

mod modules;
mod server;

use std::path::PathBuf;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use wasmhost_client::Client;
use wasmhost_host::HostConfig;
use wasmhost_nats::{ConnectConfig, Connection, LayoutConfig, ensure_layout};
use wasmhost_protocol::policy::Policy;
use wasmhost_sandbox::Sandbox;

use crate::error::{CliError, Exit};
use crate::globals::Global;
use crate::local::component::Component;
use crate::local::{input, runtime, sandbox};
use crate::output;
use crate::output::module::tasks;

/// How long the end waits for jobs that run.
const GRACE: Duration = Duration::from_secs(3);

/// Flags of `dev`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Pushes the components *.wasm in DIR; where there are none, those that cargo built for the package in DIR, of two builds the \
newer. Data is kept under DIR/.wasmhost. Ctrl-C ends everything.

Example: wasmhost dev guest-examples")]
pub(crate) struct Args {
    /// The directory
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The nats-server to run [default: the first on PATH or in .tools that is new enough]
    #[arg(long, value_name = "PATH", env = "WASMHOST_NATS_SERVER")]
    nats_server: Option<PathBuf>,
}

/// Runs everything until Ctrl-C or SIGTERM.
pub(crate) fn run(args: Args, global: &Global) -> Result<Exit, CliError> {
    // Two servers on one directory of data would destroy it, so that the directory is taken first.
    let data_dir = server::DataDir::open(&args.dir)?;
    let mut server = server::start(&data_dir, args.nats_server)?;
    let mut config = HostConfig::new(sandbox::child_compiler()?);
    config.grace = GRACE;
    config.cache_dir = Some(data_dir.path.join("cache"));
    let mut connect = ConnectConfig::new(server.url());
    connect.namespace = global.connection.namespace.clone().unwrap_or_default();
    let found = modules::find(&args.dir, std::env::var_os("CARGO_TARGET_DIR"))?;
    let guests = runtime::guests()?;
    let everything = host_and_modules(connect, config, found, guests.handle().clone());
    let ended = runtime::current_thread()?.block_on(everything);
    guests.shutdown_background();
    let stopped = server
        .stop()
        .map_err(|error| CliError::new(Exit::Config, format_args!("stopping nats-server: {error}")));
    // The first error counts, and the server is stopped all the same.
    ended.and(stopped)?;
    output::note("nats-server and host have ended");
    Ok(Exit::Ok)
}

async fn host_and_modules(
    connect: ConnectConfig,
    config: HostConfig,
    found: modules::Found,
    guests: Handle,
) -> Result<(), CliError> {
    let stop = CancellationToken::new();
    let connection = Connection::open(&connect).await?;
    // The host would make the streams too, but a push must not come before them.
    ensure_layout(&connection, &LayoutConfig::default()).await?;
    // It compiles what is pushed into the cache of the host, which then need not.
    let sandbox = Sandbox::new(config.sandbox_config(1), guests.clone())?;
    let host = async {
        Ok::<_, CliError>(wasmhost_host::run(connection.clone(), config, guests, stop.cancelled()).await?)
    };
    let pushes = async {
        let client = Client::with_connection(connection.clone());
        let stopped = push_and_wait(push_and_show(&client, &sandbox, &found, &connect.url)).await;
        stop.cancel();
        stopped
    };
    // An error of one ends both, and without an error both end together.
    tokio::try_join!(host, pushes).map(drop)
}

/// Pushes until the end or until Ctrl-C or SIGTERM, for which it waits if the pushes end before.
async fn push_and_wait(pushes: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    // A push that is dropped halfway only leaves bytes that no module names.
    tokio::select! {
        pushed = pushes => pushed?,
        stopped = runtime::stop_requested() => return stopped,
    }
    runtime::stop_requested().await
}

/// Pushes every file. One that is no module is named, and the others are pushed all the same.
async fn push_and_show(
    client: &Client,
    sandbox: &Sandbox,
    found: &modules::Found,
    url: &str,
) -> Result<(), CliError> {
    for (name, file) in &found.modules {
        let pushed =
            async { Component::load(sandbox, file).await?.push(client, name, Policy::default()).await };
        match pushed.await {
            Ok(entry) => output::note(format_args!(
                "module {name} of {}\n{}",
                input::shown(file),
                tasks(&entry.manifest).trim_end()
            )),
            Err(cli_error) => output::note(format_args!("warning: not pushed: {}", cli_error.text)),
        }
    }
    found.notes.iter().for_each(output::note);
    output::line(format_args!("export NATS_URL={url}"))?;
    output::note("ready; Ctrl-C ends everything");
    Ok(())
}
