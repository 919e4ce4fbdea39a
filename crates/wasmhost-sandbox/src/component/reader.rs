//! Turns the types that the validator found into a summary of the component.

use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::text::{escape, truncate};
use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType};
use wasmparser::types::TypesRef;

use super::memories::Memories;
use super::outer_names::OuterNames;
use super::summary::{ComponentSummary, Export, ExportKind, Import};
use super::types::TypeReader;
use crate::load_error::LoadError;

/// The most imports of one component, each item within an imported instance counted.
const IMPORTS: usize = 10_000;
/// The most exports of one component, each item within an exported instance counted.
const EXPORTS: usize = 10_000;
/// The most that is kept of a name, in bytes.
const NAME_BYTES: usize = 256;

/// Reads the imports and exports of one component.
pub(super) struct Reader<'a> {
    types: TypesRef<'a>,
    functions: TypeReader<'a>,
    summary: ComponentSummary,
}

impl<'a> Reader<'a> {
    pub(super) fn new(types: TypesRef<'a>, memories: Memories) -> Self {
        let summary = ComponentSummary { imports: Vec::new(), exports: Vec::new(), memories };
        Self { types, functions: TypeReader::new(types), summary }
    }

    /// Reads everything that the outermost component gives a name to.
    pub(super) fn read(mut self, names: &OuterNames) -> Result<ComponentSummary, LoadError> {
        names.imports.iter().try_for_each(|name| self.import(name))?;
        names.exports.iter().try_for_each(|name| self.export(name))?;
        Ok(self.summary)
    }

    fn import(&mut self, name: &str) -> Result<(), LoadError> {
        let Some(item) = self.types.component_item_for_import(name) else { return Ok(()) };
        let mut budget = IMPORTS.saturating_sub(self.summary.imports.len());
        let needs_provider = needs_provider(self.types, item.ty, &mut budget);
        if budget == 0 {
            return Err(LoadError::NotAComponent(format!("it imports more than {IMPORTS} items")));
        }
        // A type that is imported by itself only gets a name in the component; no interface stands behind it.
        if needs_provider || !matches!(item.ty, ComponentEntityType::Type { .. }) {
            self.summary.imports.push(Import { name: display_name(name), needs_provider });
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
        // A refusal by name shows the author of the component that a tool has left the functions of an interface out.
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
            ComponentEntityType::Func(id) => {
                ExportKind::Function { is_async: self.types[id].async_, ty: self.functions.function(id) }
            }
            ComponentEntityType::Instance(_) => ExportKind::NestedInstance,
            ComponentEntityType::Component(_) => ExportKind::Component,
            ComponentEntityType::Module(_) => ExportKind::Module,
            ComponentEntityType::Type { .. } | ComponentEntityType::Value(_) => ExportKind::Type,
        };
        self.push(interface, name, kind)
    }

    fn push(&mut self, interface: Option<&str>, name: &str, kind: ExportKind) -> Result<(), LoadError> {
        if self.summary.exports.len() == EXPORTS {
            return Err(LoadError::NotAComponent(format!("it exports more than {EXPORTS} items")));
        }
        let interface = interface.map(display_name);
        self.summary.exports.push(Export { interface, name: display_name(name), kind });
        Ok(())
    }
}

/// Whether somebody has to provide an import: types alone need nobody. The walk ends at the first item that needs a
/// provider, and when the budget of items is used up.
fn needs_provider(types: TypesRef<'_>, ty: ComponentEntityType, budget: &mut usize) -> bool {
    *budget = budget.saturating_sub(1);
    match ty {
        _ if *budget == 0 => true,
        ComponentEntityType::Instance(instance) => {
            types[instance].exports.values().any(|item| needs_provider(types, item.ty, budget))
        }
        ComponentEntityType::Type { created, .. } => matches!(created, ComponentAnyTypeId::Resource(_)),
        ComponentEntityType::Value(_) => false,
        ComponentEntityType::Func(_) | ComponentEntityType::Module(_) | ComponentEntityType::Component(_) => {
            true
        }
    }
}

/// A name as it is kept and shown: cut, with control characters escaped.
fn display_name(name: &str) -> String {
    escape(truncate(name, NAME_BYTES.min(Limits::ERROR_TEXT_BYTES)))
}
