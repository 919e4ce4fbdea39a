//! `progress.run`: reports how far it is, and stops when it is told to. Watch it with `wasmhost watch`.
//!
//! Arguments, both optional: `{"steps": 100, "delay_ms": 50}`. Result: `{"steps": 100}`.

use std::{thread::sleep, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};
use wasmhost_guest::{
    TaskError,
    log::{Level, log},
};

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Args {
    steps: u32,
    delay_ms: u64,
}

impl Default for Args {
    fn default() -> Self {
        Self { steps: 100, delay_ms: 50 }
    }
}

fn progress(Args { steps, delay_ms }: Args) -> Result<Value, TaskError> {
    log(Level::Info, "starting", Some(&json!({ "steps": steps }).to_string()));
    for step in 0..=steps {
        // The error is how a task learns that it was revoked.
        wasmhost_guest::progress(step.into(), steps.into())
            .inspect_err(|_| log(Level::Warn, "told to stop", Some(&json!({ "step": step }).to_string())))?;
        if step < steps {
            sleep(Duration::from_millis(delay_ms));
        }
    }
    log(Level::Info, "all steps are done", None);
    Ok(json!({ "steps": steps }))
}

wasmhost_guest::task!(progress);
