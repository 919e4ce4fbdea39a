//! Errors of the server: reads, writes, blobs, the registry and the layout.

use wasmhost_client::{ReadError, RegistryError};
use wasmhost_nats::blobs::ObjectError;
use wasmhost_nats::{LayoutError, WriteError};

use super::advice::with_advice;
use crate::error::{CliError, Exit};

impl From<ReadError> for CliError {
    fn from(error: ReadError) -> Self {
        with_advice(of_read(&error), &error)
    }
}

impl From<RegistryError> for CliError {
    fn from(error: RegistryError) -> Self {
        let exit = match &error {
            RegistryError::Unknown(name) => {
                let text = format!("module {name} is not found: see `wasmhost module list`");
                return Self::new(Exit::NotFound, text);
            }
            RegistryError::NoSuchVersion(name) => {
                let text = format!("module {name} has no such version: see `wasmhost module show {name}`");
                return Self::new(Exit::NotFound, text);
            }
            RegistryError::TooLarge { .. } => Exit::BadFile,
            RegistryError::Policy { .. } => Exit::Config,
            RegistryError::Contended(_) | RegistryError::Full { .. } => Exit::TryLater,
            RegistryError::Denied { .. } => Exit::Denied,
            RegistryError::Read(error) => of_read(error),
            RegistryError::Object(error) => of_object(error),
            _ => Exit::Unreachable,
        };
        with_advice(exit, &error)
    }
}

impl From<LayoutError> for CliError {
    fn from(error: LayoutError) -> Self {
        let exit = match &error {
            LayoutError::Denied { .. } => Exit::Denied,
            LayoutError::Unreachable { .. } => Exit::Unreachable,
            _ => Exit::Config,
        };
        with_advice(exit, &error)
    }
}

/// The exit code for a failed read.
pub(super) fn of_read(error: &ReadError) -> Exit {
    match error {
        ReadError::Denied { .. } => Exit::Denied,
        ReadError::NotSetUp { .. } => Exit::Config,
        _ => Exit::Unreachable,
    }
}

/// The exit code for a failed write of a record.
pub(super) fn of_write(error: &WriteError) -> Exit {
    match error {
        WriteError::Full { .. } => Exit::TryLater,
        WriteError::Denied { .. } => Exit::Denied,
        WriteError::TooLarge(_) | WriteError::NotSetUp { .. } => Exit::Config,
        _ => Exit::Unreachable,
    }
}

/// The exit code for a blob or a component that cannot be fetched or stored.
pub(super) fn of_object(error: &ObjectError) -> Exit {
    match error {
        ObjectError::Missing(_) => Exit::NotFound,
        ObjectError::Denied { .. } => Exit::Denied,
        ObjectError::Full { .. } => Exit::TryLater,
        ObjectError::NotSetUp { .. } => Exit::Config,
        ObjectError::Link(_) | ObjectError::TooLarge { .. } | ObjectError::Corrupt { .. } => Exit::BadFile,
        _ => Exit::Unreachable,
    }
}
