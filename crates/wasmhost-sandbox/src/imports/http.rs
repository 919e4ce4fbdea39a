//! `wasi:http/types` within limits. What a guest makes of it lives in the memory of the host, although no request is
//! ever sent: interpreters import it unasked. The functions here replace those of the engine that make an object or
//! hold a text.

use wasmtime::component::{Linker, LinkerInstance, Resource};
use wasmtime::{AsContextMut, StoreContextMut};
use wasmtime_wasi_http::p2::bindings::http::types::{
    Fields, Host as _, HostFields, HostOutgoingRequest, HostOutgoingResponse, HostRequestOptions, Method,
    OutgoingRequest, OutgoingResponse, Scheme,
};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use crate::guest::Guest;

/// The version under which the engine links the interface; components that import another 0.2 version find it too.
const INTERFACE: &str = "wasi:http/types@0.2.12";
/// The most bytes of a method, a scheme, an authority and a path.
const TEXT_BYTES: usize = 8 << 10;

type Context<'a> = StoreContextMut<'a, Guest>;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut types = linker.instance(INTERFACE)?;
    add_fields(&mut types)?;
    add_requests(&mut types)?;
    add_responses(&mut types)?;
    add_method_and_scheme(&mut types)?;
    add_authority_and_path(&mut types)
}

/// Counts the fields that a guest makes.
fn add_fields(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    types.func_wrap("[constructor]fields", |store: Context<'_>, (): ()| {
        make(store, |mut http| Ok((HostFields::new(&mut http)?,)))
    })?;
    types.func_wrap(
        "[static]fields.from-list",
        |store: Context<'_>, (list,): (Vec<(String, Vec<u8>)>,)| {
            make(store, |mut http| {
                // The engine's own definition tells errors of the guest from those of the host in the same way.
                let fields = match HostFields::from_list(&mut http, list) {
                    Ok(fields) => Ok(fields),
                    Err(error) => Err(http.convert_header_error(error)?),
                };
                Ok((fields,))
            })
        },
    )?;
    types.func_wrap("[method]fields.clone", |store: Context<'_>, (fields,): (Resource<Fields>,)| {
        make(store, |mut http| Ok((HostFields::clone(&mut http, fields)?,)))
    })
}

/// Counts the requests that a guest makes, with their bodies, headers and options.
fn add_requests(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    type Request = (Resource<OutgoingRequest>,);
    types.func_wrap(
        "[constructor]outgoing-request",
        |store: Context<'_>, (headers,): (Resource<Fields>,)| {
            make(store, |mut http| Ok((HostOutgoingRequest::new(&mut http, headers)?,)))
        },
    )?;
    types.func_wrap("[method]outgoing-request.body", |store: Context<'_>, (request,): Request| {
        make(store, |mut http| Ok((HostOutgoingRequest::body(&mut http, request)?,)))
    })?;
    types.func_wrap("[method]outgoing-request.headers", |store: Context<'_>, (request,): Request| {
        make(store, |mut http| Ok((HostOutgoingRequest::headers(&mut http, request)?,)))
    })?;
    types.func_wrap("[constructor]request-options", |store: Context<'_>, (): ()| {
        make(store, |mut http| Ok((HostRequestOptions::new(&mut http)?,)))
    })
}

/// Counts the responses that a guest makes, with their bodies and headers.
fn add_responses(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    type Response = (Resource<OutgoingResponse>,);
    types.func_wrap(
        "[constructor]outgoing-response",
        |store: Context<'_>, (headers,): (Resource<Fields>,)| {
            make(store, |mut http| Ok((HostOutgoingResponse::new(&mut http, headers)?,)))
        },
    )?;
    types.func_wrap("[method]outgoing-response.body", |store: Context<'_>, (response,): Response| {
        make(store, |mut http| Ok((HostOutgoingResponse::body(&mut http, response)?,)))
    })?;
    types.func_wrap("[method]outgoing-response.headers", |store: Context<'_>, (response,): Response| {
        make(store, |mut http| Ok((HostOutgoingResponse::headers(&mut http, response)?,)))
    })
}

/// The parameters of a setter of a request.
type Set<T> = (Resource<OutgoingRequest>, T);

/// Bounds the texts of methods and schemes that HTTP does not name.
fn add_method_and_scheme(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    types.func_wrap(
        "[method]outgoing-request.set-method",
        |store: Context<'_>, (request, method): Set<Method>| {
            let text = if let Method::Other(text) = &method { Some(text) } else { None };
            set(store, fits(text), |mut http| HostOutgoingRequest::set_method(&mut http, request, method))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-scheme",
        |store: Context<'_>, (request, scheme): Set<Option<Scheme>>| {
            let text = if let Some(Scheme::Other(text)) = &scheme { Some(text) } else { None };
            set(store, fits(text), |mut http| HostOutgoingRequest::set_scheme(&mut http, request, scheme))
        },
    )
}

/// Bounds the texts of authorities and paths.
fn add_authority_and_path(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    types.func_wrap(
        "[method]outgoing-request.set-authority",
        |store: Context<'_>, (request, text): Set<Option<String>>| {
            set(store, fits(text.as_ref()), |mut http| {
                HostOutgoingRequest::set_authority(&mut http, request, text)
            })
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-path-with-query",
        |store: Context<'_>, (request, text): Set<Option<String>>| {
            set(store, fits(text.as_ref()), |mut http| {
                HostOutgoingRequest::set_path_with_query(&mut http, request, text)
            })
        },
    )
}

fn fits(text: Option<&String>) -> bool {
    text.is_none_or(|text| text.len() <= TEXT_BYTES)
}

/// Makes one more object, if the guest may have it.
fn make<T>(
    mut store: Context<'_>,
    make: impl FnOnce(WasiHttpCtxView<'_>) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    let mut store = store.as_context_mut();
    let guest = store.data_mut();
    let (objects, table) = guest.http_objects();
    objects.add(table)?;
    make(guest.http())
}

/// Sets a text of a request, or refuses one that does not fit in the way in which the interface refuses a malformed
/// one.
fn set(
    mut store: Context<'_>,
    fits: bool,
    set: impl FnOnce(WasiHttpCtxView<'_>) -> wasmtime::Result<Result<(), ()>>,
) -> wasmtime::Result<(Result<(), ()>,)> {
    let result = if fits { set(store.data_mut().http())? } else { Err(()) };
    Ok((result,))
}
