//! What a component imports and exports, read from its bytes without an engine and within a budget: a small component can
//! describe a huge one, and what describes is untrusted.

mod calls;
mod memories;
mod types;

use serde::{Deserialize, Serialize};
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::text::{escape, truncate};
use wasmhost_values::FunctionType;
use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType};
use wasmparser::types::TypesRef;
use wasmparser::{BinaryReaderError, Parser, Payload, ValidPayload, Validator};

use crate::engine::FEATURES;
use crate::load_error::LoadError;
use calls::Calls;
pub(crate) use memories::Memories;
use types::TypeReader;

/// Imports, and the items within them, of one component.
const IMPORTS: usize = 10_000;
/// Exports, and the items within them, of one component.
const EXPORTS: usize = 10_000;
/// The most that is kept of a name, in bytes.
const NAME_BYTES: usize = 256;

/// The outside of a component.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ComponentSummary {
    /// What it imports, in order.
    pub(crate) imports: Vec<Import>,
    /// What it exports, in order.
    pub(crate) exports: Vec<Export>,
    /// What is known of its memories before it runs.
    pub(crate) memories: Memories,
}

impl ComponentSummary {
    fn of(memories: Memories) -> Self {
        Self { imports: Vec::new(), exports: Vec::new(), memories }
    }
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
    pub(crate) kind: ExportKind,
}

/// What is exported.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ExportKind {
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

/// Reads a component, after validating all of it but its functions' code, which whoever compiles it validates.
pub(crate) fn read(wasm: &[u8]) -> Result<ComponentSummary, LoadError> {
    let mut validator = Validator::new_with_features(FEATURES);
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    let (mut types, mut names) = (None, Names::default());
    let (mut calls, mut memories) = (Calls::default(), Memories::default());
    for payload in parser.parse_all(wasm) {
        let mut see = |payload: Payload<'_>| {
            if let ValidPayload::End(known) = validator.payload(&payload)? {
                types = Some(known);
            }
            calls.see(&payload)?;
            memories.see(&payload)?;
            if calls.is_outermost() { names.see(payload) } else { Ok(()) }
        };
        payload.and_then(&mut see).map_err(|error| refused(&error))?;
    }
    calls.check()?;
    let types = types.ok_or_else(|| LoadError::NotAComponent("it has no end".to_owned()))?;
    let mut reader = Reader {
        types: types.as_ref(),
        functions: TypeReader::default(),
        outside: ComponentSummary::of(memories),
    };
    names.imports.iter().try_for_each(|name| reader.import(name))?;
    names.exports.iter().try_for_each(|name| reader.export(name))?;
    Ok(reader.outside)
}

fn refused(error: &BinaryReaderError) -> LoadError {
    LoadError::from_compiler_text(&error.to_string())
}

/// What the outermost component calls its imports and exports.
#[derive(Default)]
struct Names {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Names {
    fn see(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section {
                    self.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    self.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }
}

struct Reader<'a> {
    types: TypesRef<'a>,
    functions: TypeReader,
    outside: ComponentSummary,
}

impl Reader<'_> {
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
            return self.push(None, name, ExportKind::EmptyInstance);
        }
        exports.iter().try_for_each(|(inner, item)| self.item(Some(name), inner, item.ty))
    }

    fn item(
        &mut self,
        interface: Option<&str>,
        name: &str,
        ty: ComponentEntityType,
    ) -> Result<(), LoadError> {
        let kind = match ty {
            ComponentEntityType::Func(id) => ExportKind::Function {
                is_async: self.types[id].async_,
                ty: self.functions.function(self.types, id),
            },
            ComponentEntityType::Instance(_) => ExportKind::NestedInstance,
            ComponentEntityType::Component(_) => ExportKind::Component,
            ComponentEntityType::Module(_) => ExportKind::Module,
            ComponentEntityType::Type { .. } | ComponentEntityType::Value(_) => ExportKind::Type,
        };
        self.push(interface, name, kind)
    }

    fn push(&mut self, interface: Option<&str>, name: &str, kind: ExportKind) -> Result<(), LoadError> {
        if self.outside.exports.len() == EXPORTS {
            return Err(LoadError::NotAComponent(format!("it exports more than {EXPORTS} items")));
        }
        self.outside.exports.push(Export { interface: interface.map(named), name: named(name), kind });
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

fn named(name: &str) -> String {
    escape(truncate(name, NAME_BYTES.min(Limits::ERROR_TEXT_BYTES)))
}
