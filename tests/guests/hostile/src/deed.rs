//! The deeds that the arguments of the hostile task can ask for.

use serde::Deserialize;

/// One deed: `{"do": "sleep", "ms": 5000}`.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Deed {
    /// Computes without an end.
    Spin,
    /// Panics, which is a trap with a message on standard error.
    Panic,
    /// Executes the instruction `unreachable`.
    Trap,
    /// Exits with success.
    Exit0,
    /// Exits with a failure.
    Exit1,
    /// Allocates and touches memory until the limit stops it.
    Oom,
    /// Asks for more memory than there is, survives the refusal, and panics for another reason.
    SurvivedOom,
    /// Recurses without an end.
    Stack,
    /// Sleeps for so many milliseconds in one WASI call.
    Sleep { ms: u64 },
    /// Asks for more memory than there is, survives the refusal, and does the next deed.
    Refused { then: Box<Self> },
    /// Writes numbered lines to standard error, and returns how many, or does the next deed.
    Stderr {
        lines: u32,
        #[serde(default)]
        then: Option<Box<Self>>,
    },
    /// Writes numbered lines to standard output in one call, and returns how many, or does the next deed.
    Stdout {
        lines: u32,
        #[serde(default)]
        then: Option<Box<Self>>,
    },
    /// Writes this text to standard error, and does the next deed, if there is one.
    Write {
        text: String,
        #[serde(default)]
        then: Option<Box<Self>>,
    },
    /// Returns this text as its result.
    Say { result: String },
    /// Returns the error of updating the state with this text as the meta.
    Meta { text: String },
    /// Logs a message with this text as its fields, which may be no JSON.
    Log { message: String, fields: String },
    /// Fails with this message, and with this text as the details.
    Fail { message: String, details: Option<String> },
    /// Returns a string of this length.
    BigResult { bytes: usize },
    /// Returns the environment variables and the arguments that the guest sees.
    Env,
    /// Returns the outcome of reading and writing files and directories.
    Fs,
    /// Returns the outcome of a TCP connection to `addr`, such as `127.0.0.1:4222`.
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
    /// Counts the runs of the job in its checkpoint, fails in the first ones, then returns the count.
    Checkpoint { fail_times: u32 },
    /// Saves checkpoints of this size, sleeps `every_ms` after each, and returns how many it saved.
    Checkpoints { n: u32, bytes: usize, every_ms: u64 },
    /// Returns the value of a configuration key.
    Config { key: String },
    /// Returns everything that the host says about the job.
    Context,
    /// Returns text that is not JSON.
    BadJson,
}

fn two_mebibytes() -> usize {
    2 << 20
}
