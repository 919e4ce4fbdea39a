//! `hello.run`: the smallest task. It takes `{"name": "Ada"}` and returns `{"greeting": "Hello, Ada!"}`.

wit_bindgen::generate!({ path: "../../wit", world: "wasmhost:task/task" });

use exports::wasmhost::task::handler::{Guest, TaskError};
use serde::{Deserialize, Serialize};
use wasmhost::task::types::Failure;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    #[serde(default = "everybody")]
    name: String,
}

#[derive(Serialize)]
struct Greeting {
    greeting: String,
}

struct Hello;

impl Guest for Hello {
    fn run(args: String) -> Result<String, TaskError> {
        let args: Args = serde_json::from_str(&args).map_err(wrong_arguments)?;
        let greeting = Greeting { greeting: format!("Hello, {}!", args.name) };
        Ok(serde_json::to_string(&greeting).expect("a greeting is JSON"))
    }
}

fn everybody() -> String {
    "world".to_owned()
}

/// Trying again would not mend the arguments, so the failure is permanent.
fn wrong_arguments(error: serde_json::Error) -> TaskError {
    let message = format!(r#"wrong arguments: {error}; expected {{"name": "Ada"}}"#);
    TaskError::Permanent(Failure { message, details: None })
}

export!(Hello);
