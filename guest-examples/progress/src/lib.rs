//! `progress.run`: reports how far it is, and stops when it is told to. Watch it with `wasmhost watch`.
//!
//! Arguments, both optional: `{"steps": 100, "delay_ms": 50}`. Result: `{"steps": 100}`.

wit_bindgen::generate!({ path: "../../wit", world: "wasmhost:task/task" });

use std::{thread::sleep, time::Duration};

use exports::wasmhost::task::handler::{Guest, TaskError};
use serde::Deserialize;
use serde_json::json;
use wasmhost::task::{
    log::{Level, log},
    state::{UpdateError, update_state},
    types::Failure,
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

struct Progress;

impl Guest for Progress {
    fn run(args: String) -> Result<String, TaskError> {
        let Args { steps, delay_ms } = serde_json::from_str(&args).map_err(wrong_arguments)?;
        log(Level::Info, "starting", Some(&json!({ "steps": steps }).to_string()));
        for step in 0..=steps {
            report(step, steps)?;
            if step < steps {
                sleep(Duration::from_millis(delay_ms));
            }
        }
        log(Level::Info, "all steps are done", None);
        Ok(json!({ "steps": steps }).to_string())
    }
}

/// Publishes the step as the state `PROGRESS`. The error is how a task learns that it was revoked.
fn report(step: u32, steps: u32) -> Result<(), TaskError> {
    let meta = json!({ "progress": percent(step, steps), "current": step, "total": steps });
    update_state("PROGRESS", &meta.to_string()).map_err(|error| {
        let message = match error {
            UpdateError::Cancelled => format!("stopped at {step} of {steps}"),
            UpdateError::InvalidState(why) => format!("the state was not taken: {why}"),
            UpdateError::TooLarge(limit) => format!("the meta is larger than {limit} bytes"),
        };
        log(Level::Warn, &message, None);
        TaskError::Failed(Failure { message, details: None })
    })
}

fn percent(step: u32, steps: u32) -> u64 {
    (u64::from(step) * 100).checked_div(u64::from(steps)).unwrap_or(100)
}

fn wrong_arguments(error: serde_json::Error) -> TaskError {
    let message = format!(r#"wrong arguments: {error}; expected {{"steps": 100, "delay_ms": 50}}"#);
    TaskError::Permanent(Failure { message, details: None })
}

export!(Progress);
