//! `storm.run` is the one task of all jobs of a storm: its arguments say how long it takes, how often it reports progress,
//! and how it fails. It logs an effect when it starts and before it returns, by which the auditor sees which attempts ran.
//!
//! Arguments, all optional: `{"sleep_ms": 200, "steps": 4, "slow_until_attempt": 1, "fail_times": 2, "how": "retry",
//! "after_ms": 500, "result_bytes": 100000, "kills_host": true}`. Result: `{"attempt": 3, "padding": "…"}`.

mod fail;

use std::{thread::sleep, time::Duration};

use fail::How;
use serde::Deserialize;
use serde_json::{Value, json};
use wasmhost_guest::{
    TaskError, job,
    log::{Level, log},
};

/// The sleep of a task whose host the storm kills meanwhile: it is longer than anybody waits for the kill.
const UNTIL_KILLED: Duration = Duration::from_secs(60);

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Args {
    /// The sum of all sleeps of an attempt.
    sleep_ms: u64,
    /// The number of steps, before each of which the task reports progress. With 0 it never writes.
    steps: u32,
    /// The last attempt that sleeps. Without it all attempts do.
    slow_until_attempt: Option<u32>,
    /// How many attempts fail before one succeeds.
    fail_times: u32,
    how: How,
    /// The delay in milliseconds that a `retry` asks for.
    after_ms: Option<u64>,
    /// How many bytes of padding the result has.
    result_bytes: usize,
    /// Whether the task sleeps until the storm kills the host, which a guest cannot do by itself.
    kills_host: bool,
}

fn storm(args: Args) -> Result<Value, TaskError> {
    let attempt = job::context().attempt;
    effect("start");
    if args.kills_host {
        sleep(UNTIL_KILLED);
    }
    if args.slow_until_attempt.is_none_or(|last| attempt <= last) {
        work(&args)?;
    }
    let outcome = match attempt <= args.fail_times {
        true => Err(args.how.fail(attempt, args.after_ms)),
        false => Ok(json!({ "attempt": attempt, "padding": "x".repeat(args.result_bytes) })),
    };
    effect("end");
    outcome
}

/// Sleeps step by step. The error of a progress report says that the job was revoked.
fn work(args: &Args) -> Result<(), TaskError> {
    let pause = Duration::from_millis(args.sleep_ms / u64::from(args.steps.max(1)));
    if args.steps == 0 {
        sleep(pause);
    }
    for step in 0..args.steps {
        wasmhost_guest::progress(step.into(), args.steps.into()).inspect_err(|_| effect("end"))?;
        sleep(pause);
    }
    Ok(())
}

fn effect(effect: &str) {
    log(Level::Info, "effect", Some(&json!({ "effect": effect }).to_string()));
}

wasmhost_guest::task!(storm);
