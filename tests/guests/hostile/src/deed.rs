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
    /// Writes numbered lines to stderr, and returns how many.
    Stderr { lines: u32 },
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
