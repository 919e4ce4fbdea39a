//! Refuses components whose parts call each other asynchronously. Such a call leaves the callee waiting on a stack of
//! its own, and one guest could take the stacks of all slots. The intrinsics of asynchronous functions are accepted,
//! since interpreters import them unasked, and so are asynchronous exports that only the host may call.

use wasmparser::{
    BinaryReaderError, CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExport,
    ComponentExternalKind, Payload,
};

use crate::load_error::LoadError;

/// What is known so far of the calls between the parts of one component.
#[derive(Default)]
pub(super) struct AsyncCalls {
    /// How many components and modules the last payload is within; 1 is the outermost component itself.
    depth: usize,
    /// For each function of the outermost component, by its index, whether the host provides it.
    host_functions: Vec<bool>,
    /// The same for each instance of the outermost component.
    host_instances: Vec<bool>,
    /// Whether an inner part lifts a function asynchronously, or a part calls another one asynchronously.
    has_inner_async: bool,
    /// Whether any function is lifted asynchronously; then no other part may call one that could be it.
    has_async_lift: bool,
    /// Whether a part calls a function that another part may have lifted.
    has_inner_call: bool,
}

impl AsyncCalls {
    /// Whether the last payload belongs to the outermost component itself.
    pub(super) fn is_outermost(&self) -> bool {
        self.depth == 1
    }

    /// Visits one payload of the component; all of them are visited in order.
    pub(super) fn visit(&mut self, payload: &Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::Version { .. } => self.depth += 1,
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            Payload::ComponentCanonicalSection(section) => {
                for function in section.clone() {
                    self.visit_canonical(&function?);
                }
            }
            _ if self.is_outermost() => self.visit_index_space(payload)?,
            _ => {}
        }
        Ok(())
    }

    /// Refuses the component if a call between its parts takes a stack.
    pub(super) fn check(&self) -> Result<(), LoadError> {
        if self.has_inner_async || self.has_async_lift && self.has_inner_call {
            return Err(LoadError::NotAComponent(
                "its parts call each other with asynchronous functions, for which no host has the stacks; \
                 build or compose it with synchronous ones"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Follows the functions and instances that a section of the outermost component adds to its index spaces.
    fn visit_index_space(&mut self, payload: &Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    self.add(import?.ty.kind(), true);
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    instance?;
                    self.host_instances.push(false);
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    self.visit_alias(&alias?);
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    self.visit_export(&export?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, kind: ComponentExternalKind, is_from_host: bool) {
        match kind {
            ComponentExternalKind::Func => self.host_functions.push(is_from_host),
            ComponentExternalKind::Instance => self.host_instances.push(is_from_host),
            _ => {}
        }
    }

    fn visit_alias(&mut self, alias: &ComponentAlias<'_>) {
        if let ComponentAlias::InstanceExport { kind, instance_index, .. } = alias {
            self.add(*kind, is_set(&self.host_instances, *instance_index));
        }
    }

    /// An export adds its item to the index space once more.
    fn visit_export(&mut self, export: &ComponentExport<'_>) {
        let items = match export.kind {
            ComponentExternalKind::Func => &self.host_functions,
            _ => &self.host_instances,
        };
        self.add(export.kind, is_set(items, export.index));
    }

    fn visit_canonical(&mut self, function: &CanonicalFunction) {
        match function {
            CanonicalFunction::Lift { options, .. } => {
                self.has_inner_async |= is_async(options) && !self.is_outermost();
                self.has_async_lift |= is_async(options);
                if self.is_outermost() {
                    self.host_functions.push(false);
                }
            }
            CanonicalFunction::Lower { func_index, options } => {
                let is_from_host = self.is_outermost() && is_set(&self.host_functions, *func_index);
                self.has_inner_async |= is_async(options) && !is_from_host;
                self.has_inner_call |= !is_from_host;
            }
            _ => {}
        }
    }
}

fn is_set(flags: &[bool], index: u32) -> bool {
    flags.get(index as usize).copied().unwrap_or_default()
}

fn is_async(options: &[CanonicalOption]) -> bool {
    options.contains(&CanonicalOption::Async)
}
