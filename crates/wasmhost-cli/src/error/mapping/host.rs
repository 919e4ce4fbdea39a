//! Why a host or its sandbox could not start, or had to end.

use wasmhost_host::HostError;
use wasmhost_nats::RightsError;
use wasmhost_sandbox::SandboxError;

use crate::error::{CliError, Exit, chain};

impl From<HostError> for CliError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Rights(error @ RightsError::Unreachable(_)) => Self::of(Exit::Unreachable, &error),
            HostError::Rights(error) => Self::of(Exit::Denied, &error),
            HostError::Layout(error) => error.into(),
            HostError::Connect(error) => error.into(),
            HostError::Sandbox(error) => error.into(),
            HostError::Ended(_) => Self::of(Exit::Unreachable, &error),
            _ => Self::of(Exit::Config, &error),
        }
    }
}

impl From<SandboxError> for CliError {
    fn from(error: SandboxError) -> Self {
        let text = chain(&error);
        Self::new(Exit::Config, format_args!("{text}; see --cache-dir and the limits of this process"))
    }
}
