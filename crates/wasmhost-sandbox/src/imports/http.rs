//! What a guest makes of `wasi:http/types` lives in the host's memory, granted or not: interpreters import it unasked. Here it is
//! counted and its texts are bounded, in place of the engine's own functions that make or hold something.

use wasmtime::component::{Linker, LinkerInstance, Resource};
use wasmtime::{AsContextMut, StoreContextMut};
use wasmtime_wasi_http::p2::bindings::http::types::{
    Fields, Host as _, HostFields, HostOutgoingRequest, HostOutgoingResponse, HostRequestOptions, Method,
    OutgoingRequest, OutgoingResponse, Scheme,
};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use crate::guest::Guest;

/// The interface, as the engine's own definition calls it.
const TYPES: &str = "wasi:http/types@0.2.12";
/// A method, a scheme, an authority and a path may each have so many bytes.
const TEXT_BYTES: usize = 8 << 10;

type Store<'a> = StoreContextMut<'a, Guest>;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut types = linker.instance(TYPES)?;
    makers(&mut types)?;
    setters(&mut types)
}

/// What makes an object.
fn makers(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    types.func_wrap("[constructor]fields", |store: Store<'_>, (): ()| {
        one_more(store, |mut http| Ok((HostFields::new(&mut http)?,)))
    })?;
    types.func_wrap("[static]fields.from-list", |store: Store<'_>, (list,): (Vec<(String, Vec<u8>)>,)| {
        one_more(store, |mut http| {
            let made = HostFields::from_list(&mut http, list);
            // As the engine's own definition hands errors on.
            Ok((
                made.map_or_else(|error| http.convert_header_error(error).map(Err), |fields| Ok(Ok(fields)))?,
            ))
        })
    })?;
    types.func_wrap("[method]fields.clone", |store: Store<'_>, (fields,): (Resource<Fields>,)| {
        one_more(store, |mut http| Ok((HostFields::clone(&mut http, fields)?,)))
    })?;
    types.func_wrap(
        "[constructor]outgoing-request",
        |store: Store<'_>, (headers,): (Resource<Fields>,)| {
            one_more(store, |mut http| Ok((HostOutgoingRequest::new(&mut http, headers)?,)))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.body",
        |store: Store<'_>, (request,): (Resource<OutgoingRequest>,)| {
            one_more(store, |mut http| Ok((HostOutgoingRequest::body(&mut http, request)?,)))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.headers",
        |store: Store<'_>, (request,): (Resource<OutgoingRequest>,)| {
            one_more(store, |mut http| Ok((HostOutgoingRequest::headers(&mut http, request)?,)))
        },
    )?;
    types.func_wrap(
        "[constructor]outgoing-response",
        |store: Store<'_>, (headers,): (Resource<Fields>,)| {
            one_more(store, |mut http| Ok((HostOutgoingResponse::new(&mut http, headers)?,)))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-response.body",
        |store: Store<'_>, (response,): (Resource<OutgoingResponse>,)| {
            one_more(store, |mut http| Ok((HostOutgoingResponse::body(&mut http, response)?,)))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-response.headers",
        |store: Store<'_>, (response,): (Resource<OutgoingResponse>,)| {
            one_more(store, |mut http| Ok((HostOutgoingResponse::headers(&mut http, response)?,)))
        },
    )?;
    types.func_wrap("[constructor]request-options", |store: Store<'_>, (): ()| {
        one_more(store, |mut http| Ok((HostRequestOptions::new(&mut http)?,)))
    })
}

/// What gives an object a text to hold; one that is too long is refused as one that is malformed.
fn setters(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    type Set<T> = (Resource<OutgoingRequest>, T);
    types.func_wrap(
        "[method]outgoing-request.set-method",
        |mut store: Store<'_>, (request, method): Set<Method>| {
            let text = if let Method::Other(text) = &method { Some(text) } else { None };
            if !fits(text) {
                return Ok((Err(()),));
            }
            Ok((HostOutgoingRequest::set_method(&mut store.data_mut().http(), request, method)?,))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-scheme",
        |mut store: Store<'_>, (request, scheme): Set<Option<Scheme>>| {
            let text = if let Some(Scheme::Other(text)) = &scheme { Some(text) } else { None };
            if !fits(text) {
                return Ok((Err(()),));
            }
            Ok((HostOutgoingRequest::set_scheme(&mut store.data_mut().http(), request, scheme)?,))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-authority",
        |mut store: Store<'_>, (request, text): Set<Option<String>>| {
            if !fits(text.as_ref()) {
                return Ok((Err(()),));
            }
            Ok((HostOutgoingRequest::set_authority(&mut store.data_mut().http(), request, text)?,))
        },
    )?;
    types.func_wrap(
        "[method]outgoing-request.set-path-with-query",
        |mut store: Store<'_>, (request, text): Set<Option<String>>| {
            if !fits(text.as_ref()) {
                return Ok((Err(()),));
            }
            Ok((HostOutgoingRequest::set_path_with_query(&mut store.data_mut().http(), request, text)?,))
        },
    )
}

fn fits(text: Option<&String>) -> bool {
    text.is_none_or(|text| text.len() <= TEXT_BYTES)
}

/// Makes one more object, if the guest may have it.
fn one_more<T>(
    mut store: Store<'_>,
    make: impl FnOnce(WasiHttpCtxView<'_>) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    let mut store = store.as_context_mut();
    let guest = store.data_mut();
    let (objects, table) = guest.http_objects();
    objects.add(table)?;
    make(guest.http())
}
