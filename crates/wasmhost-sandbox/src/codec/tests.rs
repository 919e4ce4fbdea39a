//! The conversions of every type, one row for each case: what is accepted, what comes back, what is refused and with
//! which words.

mod round;
mod schema;
mod values;
mod whole;

use wasmhost_protocol::outcome::Verdict;
use wasmtime::component::Val;

use wasmhost_values::ArgumentError;

use super::values::EngineValues;
use super::verdict::encode_result;
use super::*;
use crate::tasks::wit::tasks;
use crate::tasks::{Task, Tasks};

/// Makes a component whose function `f` takes and returns a `ty`; `types` declares what `ty` names.
fn echo(types: &str, ty: &str) -> Tasks {
    tasks(&format!("world w {{ {types} export f: func(v: {ty}) -> {ty}; }}"))
}

fn decode_arguments(task: &Task, body: &[u8]) -> Result<Vec<Val>, ArgumentError> {
    wasmhost_values::decode_arguments::<EngineValues>(task.parameters(), body)
}

/// Decodes a JSON text as the only argument of `f`.
fn decode(tasks: &Tasks, json: &str) -> Result<Vec<Val>, String> {
    let body = format!("[{json}]");
    decode_arguments(tasks.find("f").unwrap(), body.as_bytes()).map_err(|error| error.to_string())
}

/// Encodes a value that `f` returned.
fn encode(tasks: &Tasks, values: &[Val]) -> String {
    match encode_result(tasks.find("f").unwrap(), values.to_vec(), 1 << 20).unwrap() {
        Verdict::Returned(json) => json.to_string(),
        other => format!("{other:?}"),
    }
}

/// Checks that each text comes back as the text beside it, or is refused with the words beside it.
fn check(types: &str, ty: &str, rows: &[(&str, &str)]) {
    let tasks = echo(types, ty);
    for (json, expected) in rows {
        let found = decode(&tasks, json).map_or_else(|error| error, |values| encode(&tasks, &values));
        assert_eq!(found, *expected, "{ty} of {json}");
    }
}
