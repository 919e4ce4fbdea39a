//! `hoarder.run` makes the host keep as many resources for it as the host allows, and returns how many it got. It needs no
//! permission of the policy for that.
//!
//! Arguments: `{"keep": "<resource>", "n": 1000, "bytes": 1000000}`. With `"spin": true` it never returns, so that the host
//! keeps the resources until the job is stopped.

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
enum Resource {
    /// Requests whose method has `bytes` letters.
    Methods,
    /// Requests whose scheme, authority and path have `bytes` letters each.
    Addresses,
    /// Fields with one value of `bytes` letters each.
    Fields,
    /// Bodies of requests, filled as far as they accept bytes, of which nobody reads one.
    Bodies,
    /// A list that has the same pollable `bytes` times.
    Poll,
    /// Methods of `bytes` letters, each on a request that is dropped at once: the host need not keep any of them.
    Again,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    keep: Resource,
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

/// Asks the host for one resource, and returns whether it was granted.
fn keep(arguments: &Arguments, text: &str) -> bool {
    match arguments.keep {
        Resource::Methods => {
            let request = OutgoingRequest::new(Fields::new());
            let taken = request.set_method(&Method::Other(text.to_owned())).is_ok();
            forget(request);
            taken
        }
        Resource::Again => {
            let request = OutgoingRequest::new(Fields::new());
            request.set_method(&Method::Other(text.to_owned())).is_ok()
        }
        Resource::Addresses => {
            let request = OutgoingRequest::new(Fields::new());
            let taken = request.set_scheme(Some(&Scheme::Other(text.to_owned()))).is_ok()
                | request.set_authority(Some(text)).is_ok()
                | request.set_path_with_query(Some(&format!("/{text}"))).is_ok();
            forget(request);
            taken
        }
        Resource::Fields => {
            let fields = Fields::new();
            let taken = fields.append("x", text.as_bytes()).is_ok();
            forget(fields);
            taken
        }
        Resource::Bodies => {
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
        Resource::Poll => {
            let soon = monotonic_clock::subscribe_duration(0);
            let list = vec![&soon; arguments.bytes];
            poll(&list).len() == list.len()
        }
    }
}

export!(Hoarder);
