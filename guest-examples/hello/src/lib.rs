//! `hello.run`: the smallest task. It takes `{"name": "Ada"}` and returns `{"greeting": "Hello, Ada!"}`.

use serde::{Deserialize, Serialize};
use wasmhost_guest::TaskError;

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

fn hello(args: Args) -> Result<Greeting, TaskError> {
    Ok(Greeting { greeting: format!("Hello, {}!", args.name) })
}

fn everybody() -> String {
    "world".to_owned()
}

wasmhost_guest::task!(hello);
