//! Why a component, or a version of a module, cannot be loaded.

use serde::{Deserialize, Serialize};
use wasmhost_protocol::manifest::RefusedFunction;
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::text::{escape, truncate};

/// Why the bytes of a component cannot be run on this host.
///
/// The compiling child sends it to its host as JSON, so that both report a refusal in the same words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes are not a component; the text says what they are and how to fix it.
    #[error("not a component: {0}")]
    NotAComponent(String),
    /// The component imports functions or resources that no host provides.
    #[error("nobody provides the imports {}", .0.join(", "))]
    MissingImports(Vec<String>),
    /// The component exports no task; the list names each export with the reason.
    #[error("it exports no task{}", .0.iter().map(|it| format!("; `{}`: {}", it.name, it.reason)).collect::<String>())]
    NoTask(Vec<RefusedFunction>),
    /// The component is larger than a module may be.
    #[error("{bytes} bytes; a module may have {limit}")]
    TooLarge {
        /// The size of the component, in bytes.
        bytes: usize,
        /// The largest size that is accepted, in bytes.
        limit: usize,
    },
    /// The bytes are native code, which a host loads only from its own cache.
    #[error("this is a precompiled artifact; upload the component that it was made from")]
    Precompiled,
    /// The compiler refused the component, or compiling it exceeded a limit.
    #[error("not compiled: {0}")]
    Compile(String),
    /// The host failed, not the module; this error is never remembered.
    #[error("failed on this host: {0}")]
    Host(String),
}

/// Why a version of a module was not loaded; `E` is the error of fetching its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotLoaded<E> {
    /// The bytes could not be fetched.
    NotFetched(E),
    /// The bytes cannot be run on this host.
    Refused(LoadError),
}

impl LoadError {
    /// The error for the text with which the parser or the compiler refused a component.
    pub(crate) fn from_compiler_text(text: &str) -> Self {
        let text = escape(truncate(text, Limits::ERROR_TEXT_BYTES));
        // A half-copied file is the most common cause of these two, and the only one that its owner can fix at once.
        if text.contains("unexpected end") || text.contains("is out of bounds (bound") {
            return Self::NotAComponent(format!("the component is cut off; copy or build it again ({text})"));
        }
        Self::Compile(text)
    }
}
