//! Deeds that use the host's interfaces: states, checkpoints, the job's context.

use std::{thread::sleep, time::Duration};

use serde_json::{Value, json};

use crate::{
    exports::wasmhost::task::handler::TaskError,
    failed,
    wasmhost::task::{
        checkpoint as memory, job,
        state::{UpdateError, update_state},
    },
};

/// Updates the state `n` times. The name changes each time, so that the host must not skip an update.
pub fn states(n: u32) -> Result<Value, TaskError> {
    for i in 0..n {
        let name = if i % 2 == 0 { "EVEN" } else { "ODD" };
        update_state(name, &json!({ "i": i }).to_string()).map_err(|error| failed(said(&error)))?;
    }
    Ok(json!({ "states": n }))
}

/// Updates the state, and returns null or the error.
pub fn update(state: &str, meta: &str) -> Value {
    match update_state(state, meta) {
        Ok(()) => Value::Null,
        Err(error) => json!(said(&error)),
    }
}

/// Counts the runs of this job in its checkpoint, and fails in the first `fail_times` of them.
pub fn checkpoint(fail_times: u32) -> Result<Value, TaskError> {
    let before = match memory::load() {
        Some(bytes) => u32::from_le_bytes(
            bytes.try_into().map_err(|bytes: Vec<u8>| failed(format!("not my checkpoint: {bytes:?}")))?,
        ),
        None => 0,
    };
    let count = before + 1;
    memory::save(&count.to_le_bytes()).map_err(|error| failed(format!("checkpoint not saved: {error:?}")))?;
    if count <= fail_times {
        return Err(failed(format!("run {count} fails, as asked for the first {fail_times}")));
    }
    Ok(json!({ "count": count }))
}

/// Saves `n` checkpoints of this size, and sleeps after each.
pub fn checkpoints(n: u32, bytes: usize, pause: Duration) -> Result<Value, TaskError> {
    for _ in 0..n {
        memory::save(&vec![0; bytes]).map_err(|error| failed(format!("checkpoint not saved: {error:?}")))?;
        sleep(pause);
    }
    Ok(json!({ "checkpoints": n }))
}

/// Returns everything that the host says about the job.
pub fn context() -> Value {
    let context = job::context();
    json!({
        "id": context.id,
        "task": context.task,
        "queue": context.queue,
        "attempt": context.attempt,
        "max_attempts": context.max_attempts,
        "submitted_at": context.submitted_at,
        "deadline": context.deadline,
        "remaining": job::remaining(),
        "cancelled": job::cancelled(),
    })
}

fn said(error: &UpdateError) -> String {
    match error {
        UpdateError::Cancelled => "cancelled".to_owned(),
        UpdateError::InvalidState(why) => format!("invalid-state: {why}"),
        UpdateError::TooLarge(limit) => format!("too-large: {limit}"),
    }
}
