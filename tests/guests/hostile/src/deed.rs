//! What can be asked of the hostile task.

use serde::Deserialize;

/// One deed: `{"do": "sleep", "ms": 5000}`.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Deed {
    /// Computes for ever.
    Spin,
    /// Panics: a trap with a message on stderr.
    Panic,
    /// Executes `unreachable`.
    Trap,
    /// Calls exit with success.
    Exit0,
    /// Calls exit with failure.
    Exit1,
    /// Allocates and touches memory until there is none.
    Oom,
    /// Asks for more memory than there is, bears the refusal, and panics for another reason.
    SurvivedOom,
    /// Recurses for ever.
    Stack,
    /// Sleeps in one WASI call.
    Sleep { ms: u64 },
    /// Is refused more memory than there is, bears it, and does this.
    Refused { then: Box<Self> },
    /// Writes numbered lines to stderr, and returns how many, or does this after it.
    Stderr {
        lines: u32,
        #[serde(default)]
        then: Option<Box<Self>>,
    },
    /// Writes numbered lines to stdout in one go, and returns how many, or does this after it.
    Stdout {
        lines: u32,
        #[serde(default)]
        then: Option<Box<Self>>,
    },
    /// Writes this to stderr.
    Write {
        text: String,
        #[serde(default)]
        then: Option<Box<Self>>,
    },
    /// Returns this text as its result.
    Say { result: String },
    /// Returns the error of updating the state with this text as the meta.
    Meta { text: String },
    /// Logs this with this text as its fields.
    Log { message: String, fields: String },
    /// Fails with this, and with this text as the details.
    Fail { message: String, details: Option<String> },
    /// Returns a string of this length.
    BigResult { bytes: usize },
    /// Returns the environment and the arguments that it sees.
    Env,
    /// Returns the errors of reading files and directories.
    Fs,
    /// Returns the error of a TCP connection to `addr` (`127.0.0.1:4222`).
    Net { addr: String },
    /// Updates the state `n` times under two names in turn.
    States { n: u32 },
    /// Returns the error of updating the state to `SUCCESS`.
    ReservedState,
    /// Returns the error of a meta of this size.
    BigMeta {
        #[serde(default = "two_mebibytes")]
        bytes: usize,
    },
    /// Counts its runs in the checkpoint, fails the first ones, then returns the count.
    Checkpoint { fail_times: u32 },
    /// Saves checkpoints of this size, so long apart and before it ends, and returns how many.
    Checkpoints { n: u32, bytes: usize, every_ms: u64 },
    /// Returns the value of a configuration key.
    Config { key: String },
    /// Returns what the job says of itself.
    Context,
    /// Returns text that is not JSON.
    BadJson,
}

fn two_mebibytes() -> usize {
    2 << 20
}
