//! Why a module was not found or changed.

use wasmhost_protocol::ids::ModuleName;
use wasmhost_protocol::policy::{BadPolicy, Limits};

use crate::objects::ObjectError;
use crate::publish_failure::PublishFailure;
use crate::read_error::ReadError;

/// Why a module was not found or changed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is no module with this name, or it was removed.
    #[error("find module {0}: there is none")]
    Unknown(ModuleName),
    /// The module has no such version, or none before the current one.
    #[error("roll back module {0}: no such version in its history")]
    NoSuchVersion(ModuleName),
    /// The component is larger than a component may be.
    #[error("push module {name}: {bytes} bytes are more than {}", Limits::MODULE_BYTES)]
    TooLarge {
        /// The module.
        name: ModuleName,
        /// The size of the component.
        bytes: usize,
    },
    /// The policy is outside of its bounds.
    #[error("push module {name}")]
    Policy {
        /// The module.
        name: ModuleName,
        /// Everything that is wrong with the policy.
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
        /// The server's description.
        text: String,
    },
    /// A permission is missing.
    #[error("change module {name}: {text}")]
    Denied {
        /// The module.
        name: ModuleName,
        /// The server's description.
        text: String,
    },
    /// The new version was not stored, or may not have been.
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
    pub(super) fn unstored(name: ModuleName, failure: PublishFailure) -> Self {
        match failure {
            PublishFailure::Full(text) => Self::Full { name, text },
            PublishFailure::Refused(text) => Self::Denied { name, text },
            PublishFailure::Conflict
            | PublishFailure::Unknown(_)
            | PublishFailure::NoStream(_)
            | PublishFailure::TooLarge => Self::Unstored { name, text: failure.into_text() },
        }
    }
}
