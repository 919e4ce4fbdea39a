//! What a component imports and exports, read from its bytes without an engine and within a budget: a small component can
//! describe a huge one, and what describes is untrusted.

mod calls;
mod types;

use serde::{Deserialize, Serialize};
use wasmhost_protocol::{Limits, escape, truncate};
use wasmhost_values::FunctionType;
use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType};
use wasmparser::types::TypesRef;
use wasmparser::{MemoryType, Parser, Payload, Validator};

use crate::engine::FEATURES;
use crate::load::LoadError;
use calls::Calls;
use types::TypeReader;

/// Imports, and the items within them, of one component.
const IMPORTS: usize = 10_000;
/// Exports, and the items within them, of one component.
const EXPORTS: usize = 10_000;
/// The size of a page, as a power of two.
const PAGE_LOG2: u32 = 16;
/// The most that is kept of a name, in bytes.
const NAME_BYTES: usize = 256;

/// The outside of a component.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outside {
    /// What it imports, in order.
    pub(crate) imports: Vec<Import>,
    /// What it exports, in order.
    pub(crate) exports: Vec<Export>,
    /// The size that its largest memory starts with, in bytes.
    pub(crate) first_memory_bytes: u64,
}

/// One import.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Import {
    pub(crate) name: String,
    /// Whether there is more to it than types: a function or a resource that somebody has to provide.
    pub(crate) needs_provider: bool,
}

/// One export, at the top level or in an exported instance.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Export {
    /// The instance that it is in; none at the top level.
    pub(crate) interface: Option<String>,
    pub(crate) name: String,
    pub(crate) what: Exported,
}

/// What is exported.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Exported {
    /// A function, or why its types cannot be described.
    Function { is_async: bool, ty: Result<FunctionType, String> },
    /// An instance with nothing in it.
    EmptyInstance,
    /// An instance within an instance: no host reaches what is in it.
    NestedInstance,
    /// A component.
    Component,
    /// A core module.
    Module,
    /// A type.
    Type,
}

/// Reads a component, after validating it whole.
pub(crate) fn read(wasm: &[u8]) -> Result<Outside, LoadError> {
    let types = Validator::new_with_features(FEATURES).validate_all(wasm).map_err(|error| refused(&error))?;
    let mut reader = Reader {
        types: types.as_ref(),
        functions: TypeReader::default(),
        room: EXPORTS,
        outside: Outside { imports: Vec::new(), exports: Vec::new(), first_memory_bytes: 0 },
    };
    let mut calls = Calls::default();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| refused(&error))?;
        calls.see(&payload).map_err(|error| refused(&error))?;
        if let Payload::MemorySection(memories) = &payload {
            for memory in memories.clone() {
                let bytes = first_bytes(&memory.map_err(|error| refused(&error))?);
                reader.outside.first_memory_bytes = reader.outside.first_memory_bytes.max(bytes);
            }
        }
        if calls.is_outermost() {
            reader.see(payload)?;
        }
    }
    calls.check()?;
    Ok(reader.outside)
}

fn refused(error: &wasmparser::BinaryReaderError) -> LoadError {
    crate::validate::explain(&error.to_string())
}

struct Reader<'a> {
    types: TypesRef<'a>,
    functions: TypeReader,
    room: usize,
    outside: Outside,
}

impl Reader<'_> {
    fn see(&mut self, payload: Payload<'_>) -> Result<(), LoadError> {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import.map_err(|error| refused(&error))?;
                    self.import(import.name.name)?;
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export.map_err(|error| refused(&error))?;
                    self.export(export.name.name)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, name: &str) -> Result<(), LoadError> {
        let Some(item) = self.types.component_item_for_import(name) else { return Ok(()) };
        let mut room = IMPORTS.saturating_sub(self.outside.imports.len());
        let needs_provider = needs_provider(self.types, item.ty, &mut room);
        if room == 0 {
            return Err(LoadError::NotAComponent(format!("it imports more than {IMPORTS} items")));
        }
        // A type by itself is named by the component alone, and comes from nowhere.
        if needs_provider || !matches!(item.ty, ComponentEntityType::Type { .. }) {
            self.outside.imports.push(Import { name: named(name), needs_provider });
        }
        Ok(())
    }

    fn export(&mut self, name: &str) -> Result<(), LoadError> {
        let Some(item) = self.types.component_item_for_export(name) else { return Ok(()) };
        let ComponentEntityType::Instance(instance) = item.ty else {
            return self.item(None, name, item.ty);
        };
        let types = self.types;
        let exports = &types[instance].exports;
        if exports.is_empty() {
            return self.push(None, name, Exported::EmptyInstance);
        }
        exports.iter().try_for_each(|(inner, item)| self.item(Some(name), inner, item.ty))
    }

    fn item(
        &mut self,
        interface: Option<&str>,
        name: &str,
        ty: ComponentEntityType,
    ) -> Result<(), LoadError> {
        let what = match ty {
            ComponentEntityType::Func(id) => Exported::Function {
                is_async: self.types[id].async_,
                ty: self.functions.function(self.types, id),
            },
            ComponentEntityType::Instance(_) => Exported::NestedInstance,
            ComponentEntityType::Component(_) => Exported::Component,
            ComponentEntityType::Module(_) => Exported::Module,
            ComponentEntityType::Type { .. } | ComponentEntityType::Value(_) => Exported::Type,
        };
        self.push(interface, name, what)
    }

    fn push(&mut self, interface: Option<&str>, name: &str, what: Exported) -> Result<(), LoadError> {
        self.room = self
            .room
            .checked_sub(1)
            .ok_or_else(|| LoadError::NotAComponent(format!("it exports more than {EXPORTS} items")))?;
        self.outside.exports.push(Export { interface: interface.map(named), name: named(name), what });
        Ok(())
    }
}

/// Types alone need nobody to provide them. Stops at the first that does, or when there is no more `room`.
fn needs_provider(types: TypesRef<'_>, ty: ComponentEntityType, room: &mut usize) -> bool {
    *room = room.saturating_sub(1);
    match ty {
        _ if *room == 0 => true,
        ComponentEntityType::Instance(instance) => {
            types[instance].exports.values().any(|item| needs_provider(types, item.ty, room))
        }
        ComponentEntityType::Type { created, .. } => matches!(created, ComponentAnyTypeId::Resource(_)),
        ComponentEntityType::Value(_) => false,
        ComponentEntityType::Func(_) | ComponentEntityType::Module(_) | ComponentEntityType::Component(_) => {
            true
        }
    }
}

fn first_bytes(memory: &MemoryType) -> u64 {
    memory.initial.saturating_mul(1 << memory.page_size_log2.unwrap_or(PAGE_LOG2).min(PAGE_LOG2))
}

fn named(name: &str) -> String {
    escape(truncate(name, NAME_BYTES.min(Limits::ERROR_TEXT_BYTES)))
}
