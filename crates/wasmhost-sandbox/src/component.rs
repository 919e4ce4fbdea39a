//! Reads what a component imports and exports from its bytes, without an engine. A component of a few bytes can
//! describe a huge one, and whoever wrote it is not trusted, so that everything here is read within a budget.

mod async_calls;
mod memories;
mod outer_names;
mod reader;
mod summary;
mod types;

use wasmparser::{Parser, Payload, ValidPayload, Validator};

use crate::engine::FEATURES;
use crate::load_error::LoadError;
use async_calls::AsyncCalls;
pub(crate) use memories::Memories;
use outer_names::OuterNames;
use reader::Reader;
pub(crate) use summary::{ComponentSummary, Export, ExportKind, Import};

/// Reads a component after validating all of it except the code of its functions, which the compiler validates.
pub(crate) fn read(wasm: &[u8]) -> Result<ComponentSummary, LoadError> {
    let mut validator = Validator::new_with_features(FEATURES);
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    let mut types = None;
    let mut names = OuterNames::default();
    let mut calls = AsyncCalls::default();
    let mut memories = Memories::default();
    for payload in parser.parse_all(wasm) {
        let mut visit = |payload: Payload<'_>| {
            // The validator goes first: what the others read of a payload is then known to be well formed.
            if let ValidPayload::End(validated) = validator.payload(&payload)? {
                types = Some(validated);
            }
            calls.visit(&payload)?;
            memories.visit(&payload)?;
            // Names of inner components are theirs: only those of the outermost one are imports and exports of the
            // whole.
            if calls.is_outermost() { names.visit(payload) } else { Ok(()) }
        };
        payload.and_then(&mut visit).map_err(|error| LoadError::from_compiler_text(&error.to_string()))?;
    }
    calls.check()?;
    let types = types.ok_or_else(|| LoadError::NotAComponent("it has no end".to_owned()))?;
    Reader::new(types.as_ref(), memories).read(&names)
}
