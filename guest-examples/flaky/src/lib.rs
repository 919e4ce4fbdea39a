//! `flaky.run`: fails in the first attempts, then succeeds, so that one can see every way a task can fail.
//!
//! Arguments, all optional: `{"fail_times": 2, "how": "failed", "after_ms": 500}`. Result: `{"attempt": 3}`.
//! `how` is `failed`, `retry`, `permanent`, `panic` or `trap`; `after_ms` is the delay that a `retry` asks for.

use serde::Deserialize;
use serde_json::{Value, json};
use wasmhost_guest::{
    TaskError, job,
    types::{Failure, Retry},
};

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Args {
    fail_times: u32,
    how: How,
    after_ms: Option<u64>,
}

impl Default for Args {
    fn default() -> Self {
        Self { fail_times: 2, how: How::Failed, after_ms: None }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum How {
    Failed,
    Retry,
    Permanent,
    Panic,
    Trap,
}

fn flaky(args: Args) -> Result<Value, TaskError> {
    let attempt = job::context().attempt;
    if attempt <= args.fail_times {
        return Err(fail(&args, attempt));
    }
    Ok(json!({ "attempt": attempt }))
}

fn fail(args: &Args, attempt: u32) -> TaskError {
    let message = format!("attempt {attempt} fails, as asked for the first {}", args.fail_times);
    let details = Some(json!({ "attempt": attempt }).to_string());
    match args.how {
        How::Failed => TaskError::Failed(Failure { message, details }),
        How::Retry => TaskError::Retry(Retry { message, details, after: args.after_ms }),
        How::Permanent => TaskError::Permanent(Failure { message, details }),
        How::Panic => panic!("{message}"),
        How::Trap => trap(),
    }
}

#[cfg(target_arch = "wasm32")]
fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

/// Lets the crate be checked natively; only the component is ever run.
#[cfg(not(target_arch = "wasm32"))]
fn trap() -> ! {
    std::process::abort()
}

wasmhost_guest::task!(flaky);
