//! WASI with nothing granted: interpreters import all of it unasked, so it is linked, and every power is denied at the
//! call. What a guest asked for is remembered, for the record of a job that failed.

use std::sync::{Arc, Mutex, PoisonError};

use wasmhost_protocol::text::{escape, truncate};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};
use wasmtime_wasi_http::{RequestOptions, WasiBody, WasiHttpCtx, WasiHttpHooks};

use crate::output::Output;

/// Random bytes a guest may ask for in one call.
const RANDOM_BYTES: u64 = 1 << 20;
/// Size of the fields of one HTTP message.
const HTTP_FIELDS_BYTES: usize = 64 << 10;
/// What waits of a body that nobody sends, twice.
const HTTP_CHUNK_BYTES: usize = 16 << 10;
/// Denials that are remembered.
const DENIALS: usize = 10;
/// A denial's text is cut to this many bytes.
const DENIAL_BYTES: usize = 200;

/// The first powers that a guest was denied.
#[derive(Debug, Clone, Default)]
pub(crate) struct Denials(Arc<Mutex<Vec<String>>>);

impl Denials {
    pub(crate) fn note(&self, text: &str) {
        let text = escape(truncate(text, DENIAL_BYTES));
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < DENIALS && !noted.contains(&text) {
            noted.push(text);
        }
    }

    pub(crate) fn list(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A WASI context without environment, input, files, network and names. Programs that read their arguments expect a name first:
/// there is nothing but that.
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

pub(crate) fn http_context() -> WasiHttpCtx {
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(HTTP_FIELDS_BYTES);
    http
}

/// Denies every HTTP request.
pub(crate) struct DenyHttp(pub(crate) Denials);

type Sent = wasmtime_wasi_http::Result<(http::Response<WasiBody>, Rest)>;
type Rest = Box<dyn Future<Output = wasmtime_wasi_http::Result<()>> + Send>;

impl WasiHttpHooks for DenyHttp {
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        HTTP_CHUNK_BYTES
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Rest,
    ) -> Box<dyn Future<Output = Sent> + Send> {
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
