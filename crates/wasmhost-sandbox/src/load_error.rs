//! Why a component or a version of a module cannot be run.

use serde::{Deserialize, Serialize};
use wasmhost_protocol::manifest::RefusedFunction;
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::text::{escape, truncate};

/// Why bytes cannot be run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LoadError {
    /// They are something else; the text says what, and the fix.
    #[error("not a component: {0}")]
    NotAComponent(String),
    /// The component needs what no host provides.
    #[error("nobody provides the imports {}", .0.join(", "))]
    MissingImports(Vec<String>),
    /// It exports no task; each export with the reason.
    #[error("it exports no task{}", .0.iter().map(|it| format!("; `{}`: {}", it.name, it.reason)).collect::<String>())]
    NoTask(Vec<RefusedFunction>),
    /// More bytes than are compiled.
    #[error("{bytes} bytes; a module may have {limit}")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The largest that is taken, in bytes.
        limit: usize,
    },
    /// Native code, which only this host itself may make.
    #[error("this is a precompiled artifact; upload the component that it was made from")]
    Precompiled,
    /// The compiler refused it, or hit its limits.
    #[error("not compiled: {0}")]
    Compile(String),
    /// The host failed, not the module; it is not remembered.
    #[error("failed on this host: {0}")]
    Host(String),
}

/// Why a version of a module is not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotLoaded<E> {
    /// There are no bytes of it.
    NotFetched(E),
    /// Its bytes cannot be run here.
    Refused(LoadError),
}

impl LoadError {
    /// The compiler's refusal, with a fix where there is one.
    pub(crate) fn from_compiler_text(error: &str) -> Self {
        let text = escape(truncate(error, Limits::ERROR_TEXT_BYTES));
        if text.contains("unexpected end") || text.contains("is out of bounds (bound") {
            return Self::NotAComponent(format!("the component is cut off; copy or build it again ({text})"));
        }
        Self::Compile(text)
    }
}
