//! `hoarder.run`: makes the host hold as much as it lets itself be made to, without any power, and says how far it came.
//!
//! Arguments: `{"keep": "<what>", "n": 1000, "bytes": 1000000}`; then `"spin": true` holds on to it for ever.

use std::mem::forget;

use exports::wasmhost::task::handler::{Guest, TaskError};
use serde::Deserialize;
use serde_json::json;
use wasip2::clocks::monotonic_clock;
use wasip2::http::types::{Fields, Method, OutgoingRequest, Scheme};
use wasip2::io::poll::poll;
use wasmhost::task::types::Failure;

wit_bindgen::generate!({ path: "../../../wit", world: "wasmhost:task/task" });

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    /// Requests with methods of this many letters.
    Methods,
    /// The same of schemes, authorities and paths.
    Addresses,
    /// Fields with a value of this size each.
    Fields,
    /// Bodies of which nobody reads a byte, with as much in them as they take.
    Bodies,
    /// One list of this many pollables, all the same one.
    Poll,
    /// Methods on one request, one after the other.
    Again,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    keep: What,
    n: usize,
    #[serde(default)]
    bytes: usize,
    #[serde(default)]
    spin: bool,
}

struct Hoarder;

impl Guest for Hoarder {
    fn run(args: String) -> Result<String, TaskError> {
        let arguments: Arguments = serde_json::from_str(&args)
            .map_err(|error| TaskError::Permanent(Failure { message: error.to_string(), details: None }))?;
        let text = "A".repeat(arguments.bytes);
        let kept = (0..arguments.n).filter(|_| keep(&arguments, &text)).count();
        while arguments.spin {
            std::hint::spin_loop();
        }
        Ok(json!(kept).to_string())
    }
}

/// Whether the host took it.
fn keep(arguments: &Arguments, text: &str) -> bool {
    match arguments.keep {
        What::Methods => {
            let request = OutgoingRequest::new(Fields::new());
            let taken = request.set_method(&Method::Other(text.to_owned())).is_ok();
            forget(request);
            taken
        }
        What::Again => {
            let request = OutgoingRequest::new(Fields::new());
            request.set_method(&Method::Other(text.to_owned())).is_ok()
        }
        What::Addresses => {
            let request = OutgoingRequest::new(Fields::new());
            let taken = request.set_scheme(Some(&Scheme::Other(text.to_owned()))).is_ok()
                | request.set_authority(Some(text)).is_ok()
                | request.set_path_with_query(Some(&format!("/{text}"))).is_ok();
            forget(request);
            taken
        }
        What::Fields => {
            let fields = Fields::new();
            let taken = fields.append("x", text.as_bytes()).is_ok();
            forget(fields);
            taken
        }
        What::Bodies => {
            let request = OutgoingRequest::new(Fields::new());
            let body = request.body().expect("a body that was not asked for");
            let stream = body.write().expect("a stream that was not asked for");
            while let Ok(room @ 1..) = stream.check_write() {
                let room = usize::try_from(room).unwrap_or(usize::MAX).min(1 << 20);
                stream.write(&vec![b'x'; room]).expect("there is room");
            }
            forget((request, body, stream));
            true
        }
        What::Poll => {
            let soon = monotonic_clock::subscribe_duration(0);
            let list = vec![&soon; arguments.bytes];
            poll(&list).len() == list.len()
        }
    }
}

export!(Hoarder);
