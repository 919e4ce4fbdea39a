//! `wasmhost dev`: a private nats-server, a host in this process, and the modules of a directory. Everything ends with
//! this process, however it ends.

mod modules;
mod server;

use std::path::PathBuf;
use std::time::Duration;

use tokio::runtime::Handle;
use wasmhost_client::Client;
use wasmhost_host::HostConfig;
use wasmhost_nats::{ConnectConfig, Connection, LayoutConfig, ensure_layout};
use wasmhost_sandbox::{Sandbox, SandboxConfig};

use crate::cli::Global;
use crate::commands::module::{push, tasks};
use crate::commands::serve::host_failed;
use crate::error::CliError;
use crate::exit::Exit;
use crate::{component, connect, input, output, runtime};

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
    let home = server::Home::open(&args.dir)?;
    let mut server = server::start(&home, args.nats_server)?;
    let config = HostConfig {
        grace: GRACE,
        cache_dir: Some(home.path.join("cache")),
        ..HostConfig::new(component::child_compiler()?)
    };
    let connect = ConnectConfig {
        namespace: global.namespace.clone().unwrap_or_default(),
        ..ConnectConfig::new(server.url())
    };
    let found = modules::find(&args.dir, std::env::var_os("CARGO_TARGET_DIR"))?;
    let guests = runtime::guests()?;
    let everything = host_and_modules(connect, config, found, guests.handle().clone());
    let ended = runtime::current_thread()?.block_on(everything);
    guests.shutdown_background();
    let stopped = server
        .stop()
        .map_err(|error| CliError::new(Exit::Config, format_args!("stopping nats-server: {error}")));
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
    let stop = tokio_util::sync::CancellationToken::new();
    let connection = Connection::open(&connect).await.map_err(|error| connect::refused(&error))?;
    ensure_layout(&connection, &LayoutConfig::default()).await?;
    let sandbox = sandbox(&config, guests.clone())?;
    let host = async {
        let ended = wasmhost_host::run(connection.clone(), config, guests, stop.cancelled()).await;
        ended.map_err(host_failed)
    };
    let others = async {
        let client = Client::over(connection.clone());
        // A push that is dropped halfway leaves bytes that no module names yet.
        let stopped = tokio::select! {
            shown = push_and_show(&client, &sandbox, &found, &connect.url) => match shown {
                Ok(()) => runtime::stop_requested().await,
                Err(cli_error) => Err(cli_error),
            },
            stopped = runtime::stop_requested() => stopped,
        };
        stop.cancel();
        stopped
    };
    tokio::try_join!(host, others).map(drop)
}

/// For pushing: shares the artifacts with the host through the cache.
fn sandbox(config: &HostConfig, guests: Handle) -> Result<Sandbox, CliError> {
    let mut sandbox = SandboxConfig::new(1, config.compiler.clone());
    sandbox.cache_dir = config.cache_dir.clone();
    sandbox.max_memory_bytes = config.ceiling.memory_bytes;
    sandbox.modules_bytes = config.modules_bytes;
    Sandbox::new(sandbox, guests).map_err(|error| component::no_sandbox(&error))
}

/// Pushes every file; one that is no module is named, and the others go on.
async fn push_and_show(
    client: &Client,
    sandbox: &Sandbox,
    found: &modules::Found,
    url: &str,
) -> Result<(), CliError> {
    for (name, file) in &found.modules {
        match push::push_file(client, sandbox, (name, file)).await {
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
