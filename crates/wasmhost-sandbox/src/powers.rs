//! WASI with no power granted. Interpreters import all of WASI unasked, so that all of it is linked, and every power is
//! denied when it is used. What a guest asked for is remembered, for the record of a job that fails.

use std::sync::{Arc, Mutex, PoisonError};

use wasmhost_protocol::text::{escape, truncate};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};
use wasmtime_wasi_http::{RequestOptions, WasiBody, WasiHttpCtx, WasiHttpHooks};

use crate::output::Output;

/// The most random bytes that a guest may ask for in one call.
const RANDOM_BYTES: u64 = 1 << 20;
/// The most bytes of the fields of one HTTP message.
const HTTP_FIELDS_BYTES: usize = 64 << 10;
/// The most bytes in one piece of a body; two pieces of a body that nobody sends can wait.
const HTTP_CHUNK_BYTES: usize = 16 << 10;
/// The most denials that are remembered.
const DENIALS: usize = 10;
/// The most bytes of a denial's text.
const DENIAL_BYTES: usize = 200;

/// The first powers that a guest was denied, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Denials(Arc<Mutex<Vec<String>>>);

impl Denials {
    /// Remembers a denial, such as `sockets tcp`.
    pub(crate) fn note(&self, text: &str) {
        let text = escape(truncate(text, DENIAL_BYTES));
        let mut denials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if denials.len() < DENIALS && !denials.contains(&text) {
            denials.push(text);
        }
    }

    /// The denials in the order in which they came.
    pub(crate) fn list(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Makes a WASI context without environment, input, files and network. Programs that read their arguments crash without
/// a first one, so that there is exactly that: `name`.
pub(crate) fn deny_wasi(name: &str, stdout: Output, stderr: Output, denials: Denials) -> WasiCtx {
    WasiCtxBuilder::new()
        .arg(name)
        .stdout(stdout)
        .stderr(stderr)
        .max_random_size(RANDOM_BYTES)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .socket_addr_check(move |address, reason| {
            denials.note(&format!("sockets {reason:?} {address}"));
            Box::pin(std::future::ready(false))
        })
        .build()
}

/// Makes the context of `wasi:http`, with the limit of the fields of one message.
pub(crate) fn http_context() -> WasiHttpCtx {
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(HTTP_FIELDS_BYTES);
    http
}

/// Denies every HTTP request.
pub(crate) struct DenyHttp(pub(crate) Denials);

/// The answer to a request, with the future that sends the rest of its body.
type Sent = wasmtime_wasi_http::Result<(http::Response<WasiBody>, BodyTransfer)>;
type BodyTransfer = Box<dyn Future<Output = wasmtime_wasi_http::Result<()>> + Send>;

impl WasiHttpHooks for DenyHttp {
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        HTTP_CHUNK_BYTES
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: BodyTransfer,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        // The request is dropped here with its body, before a name is looked up or a connection made.
        self.0.note(&format!("http {} {}", request.method(), request.uri()));
        Box::new(std::future::ready(Err(wasmtime_wasi_http::Error::HttpRequestDenied)))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_request_is_denied_and_remembered() {
        let mut hooks = DenyHttp(Denials::default());
        let request = http::Request::get("http://10.0.0.1/").body(WasiBody::default()).unwrap();
        let sent = Box::into_pin(hooks.send_request(request, None, Box::new(std::future::ready(Ok(())))));
        let sent = sent.now_or_never().unwrap();
        assert!(matches!(sent.map(drop), Err(wasmtime_wasi_http::Error::HttpRequestDenied)));
        assert_eq!(hooks.0.list(), ["http GET http://10.0.0.1/"]);
    }

    #[test]
    fn only_the_first_different_denials_are_kept() {
        let denials = Denials::default();
        for number in 0..20 {
            denials.note(&format!("sockets lookup {}", number / 2));
            denials.note("\u{1b}");
        }
        let list = denials.list();
        assert_eq!((list.len(), list[1].as_str()), (DENIALS, "\\u{1b}"));
    }
}
