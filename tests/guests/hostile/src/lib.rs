//! `hostile.run` does what no task should do, one deed in each job, so that tests see that the sandbox withstands it.
//!
//! Arguments: `{"do": "<what>", …}`; the deeds and their arguments are listed in `deed.rs`.

mod deed;
mod exhaust;
mod hosted;
mod outside;

wit_bindgen::generate!({ path: "../../../wit", world: "wasmhost:task/task" });

use std::{thread::sleep, time::Duration};

use deed::Deed;
use exports::wasmhost::task::handler::{Guest, TaskError};
use serde_json::{Value, json};
use wasmhost::task::{
    log::{Level, log},
    types::Failure,
};

struct Hostile;

impl Guest for Hostile {
    fn run(args: String) -> Result<String, TaskError> {
        // Arguments without a deed come back unchanged, JSON or not: tests pass texts through the task this way.
        if !args.contains("\"do\"") {
            return Ok(args);
        }
        let deed =
            serde_json::from_str(&args).map_err(|error| permanent(format!("wrong arguments: {error}")))?;
        match deed {
            Deed::BadJson => return Ok("{this is not JSON".to_owned()),
            Deed::Say { result } => return Ok(result),
            deed => perform(deed).map(|result| result.to_string()),
        }
    }
}

fn perform(deed: Deed) -> Result<Value, TaskError> {
    Ok(match deed {
        Deed::Spin => exhaust::spin(),
        Deed::Panic => panic!("a hostile panic"),
        Deed::Trap => exhaust::trap(),
        Deed::Exit0 => std::process::exit(0),
        Deed::Exit1 => std::process::exit(1),
        Deed::Oom => exhaust::memory(),
        Deed::SurvivedOom => panic!("invoice 4711 has no customer ({})", exhaust::refused()),
        Deed::Stack => json!(exhaust::stack(0)),
        Deed::Sleep { ms } => json!(sleep(Duration::from_millis(ms))),
        Deed::Refused { then } => {
            exhaust::refused();
            return perform(*then);
        }
        Deed::Stderr { lines, then } => return after(outside::stderr(lines), then),
        Deed::Stdout { lines, then } => return after(outside::stdout(lines), then),
        Deed::Write { text, then } => return after(outside::write(&text), then),
        Deed::Meta { text } => hosted::update("SAID", &text),
        Deed::Log { message, fields } => json!(log(Level::Info, &message, Some(&fields))),
        Deed::Fail { message, details } => return Err(TaskError::Failed(Failure { message, details })),
        Deed::BigResult { bytes } => json!("x".repeat(bytes)),
        Deed::Env => outside::environment(),
        Deed::Fs => outside::files(),
        Deed::Net { addr } => outside::network(&addr),
        Deed::States { n } => return hosted::states(n),
        Deed::ReservedState => hosted::update("SUCCESS", "{}"),
        Deed::BigMeta { bytes } => hosted::update("BIG", &json!({ "text": "x".repeat(bytes) }).to_string()),
        Deed::Checkpoint { fail_times } => return hosted::checkpoint(fail_times),
        Deed::Checkpoints { n, bytes, every_ms } => {
            return hosted::checkpoints(n, bytes, Duration::from_millis(every_ms));
        }
        Deed::Config { key } => json!(wasmhost::task::config::get(&key)),
        Deed::Context => hosted::context(),
        Deed::BadJson | Deed::Say { .. } => unreachable!("its result is a text"),
    })
}

/// Performs the next deed, if there is one, and returns its result instead of that of this one.
fn after(done: Value, then: Option<Box<Deed>>) -> Result<Value, TaskError> {
    then.map_or(Ok(done), |deed| perform(*deed))
}

fn failed(message: String) -> TaskError {
    TaskError::Failed(Failure { message, details: None })
}

fn permanent(message: String) -> TaskError {
    TaskError::Permanent(Failure { message, details: None })
}

export!(Hostile);
