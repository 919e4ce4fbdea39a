//! The flags that every command takes: how to connect, and how to print.

use clap::Args;
use wasmhost_client::{Client, ClientConfig};

use crate::config::connection::ConnectionFlags;
use crate::error::CliError;

/// The flags that every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    #[command(flatten)]
    pub(crate) connection: ConnectionFlags,
    /// Print JSON, for programs
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Log more; twice: everything [env: WASMHOST_LOG, as RUST_LOG]
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = "Output")]
    pub(crate) verbose: u8,
}

impl Global {
    /// Connects a client.
    pub(crate) async fn client(&self) -> Result<Client, CliError> {
        let config = ClientConfig::with_connect_config(self.connection.connect_config()?);
        Ok(Client::connect(config).await?)
    }
}
