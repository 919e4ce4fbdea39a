//! The ways in which an attempt fails.

use serde::Deserialize;
use wasmhost_guest::{
    TaskError,
    types::{Failure, Retry},
};

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum How {
    #[default]
    Failed,
    Retry,
    Permanent,
    Panic,
    Trap,
}

impl How {
    /// Fails in this way. A panic and a trap do not return.
    pub fn fail(&self, attempt: u32, after: Option<u64>) -> TaskError {
        let message = format!("attempt {attempt} fails, as asked");
        match self {
            Self::Failed => TaskError::Failed(Failure { message, details: None }),
            Self::Retry => TaskError::Retry(Retry { message, details: None, after }),
            Self::Permanent => TaskError::Permanent(Failure { message, details: None }),
            Self::Panic => panic!("{message}"),
            Self::Trap => trap(),
        }
    }
}

#[cfg(target_arch = "wasm32")]
fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

/// Lets the crate compile for the machine that checks it. Only the component is ever run.
#[cfg(not(target_arch = "wasm32"))]
fn trap() -> ! {
    std::process::abort()
}
