//! Why a module was not found or changed.

use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::policy::{BadPolicy, Limits};

use crate::objects::ObjectError;
use crate::publish_failure::Unstored;
use crate::read_error::ReadError;

/// Why a module was not found or changed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No module of this name, or it was removed.
    #[error("find module {0}: there is none")]
    Unknown(ModuleName),
    /// The module has no such version, or none before the current one.
    #[error("roll back module {0}: no such version in its history")]
    NoSuchVersion(ModuleName),
    /// The component is larger than it may be.
    #[error("push module {name}: {bytes} bytes are more than {}", Limits::MODULE_BYTES)]
    TooLarge {
        /// The module.
        name: ModuleName,
        /// Its size.
        bytes: usize,
    },
    /// The policy asks for more, or for less, than there is.
    #[error("push module {name}")]
    Policy {
        /// The module.
        name: ModuleName,
        /// All that is wrong with it.
        source: BadPolicy,
    },
    /// Others changed the module at the same time, again and again.
    #[error("change module {0}: others change it at the same time")]
    Contended(ModuleName),
    /// The registry has no room.
    #[error("change module {name}: no room: {text}")]
    Full {
        /// The module.
        name: ModuleName,
        /// The server's words.
        text: String,
    },
    /// A permission is missing.
    #[error("change module {name}: {text}")]
    Denied {
        /// The module.
        name: ModuleName,
        /// The server's words.
        text: String,
    },
    /// The entry was not stored.
    #[error("change module {name}: {text}")]
    Unstored {
        /// The module.
        name: ModuleName,
        /// What went wrong.
        text: String,
    },
    /// The registry cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The component cannot be stored or read.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

impl RegistryError {
    pub(super) fn unstored(name: ModuleName, unstored: Unstored) -> Self {
        match unstored {
            Unstored::Full(text) => Self::Full { name, text },
            Unstored::Refused(text) => Self::Denied { name, text },
            unstored => Self::Unstored { name, text: unstored.into_text() },
        }
    }
}
