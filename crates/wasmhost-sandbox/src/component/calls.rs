//! Calls between the parts of a component that would take a stack each: an asynchronous call of one part by another leaves the
//! callee waiting on a stack of its own, and one guest could take those of all slots. The intrinsics of asynchronous
//! functions may be there, interpreters bring them unasked; and so may what a host is called with.

use wasmparser::{
    BinaryReaderError, CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind, Payload,
};

use crate::load_error::LoadError;

/// What is known of a component's own calls.
#[derive(Default)]
pub(super) struct Calls {
    /// The components and modules that the payload is in.
    depth: usize,
    /// Of each function of the outermost component, whether a host provides it.
    functions: Vec<bool>,
    /// The same of each instance.
    instances: Vec<bool>,
    /// A part is lifted or called asynchronously by another.
    within: bool,
    /// The outermost component lifts a function asynchronously: nobody but the host may call it.
    lifted: bool,
    /// A part calls a function that another part may have lifted.
    called: bool,
}

impl Calls {
    /// Whether the last payload was of the outermost component itself.
    pub(super) fn is_outermost(&self) -> bool {
        self.depth == 1
    }

    /// Takes one payload of the component, in order.
    pub(super) fn see(&mut self, payload: &Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::Version { .. } => self.depth += 1,
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            Payload::ComponentCanonicalSection(section) => {
                for function in section.clone() {
                    self.canonical(&function?);
                }
            }
            Payload::ComponentImportSection(section) if self.depth == 1 => {
                for import in section.clone() {
                    self.add(import?.ty.kind(), true);
                }
            }
            Payload::ComponentInstanceSection(section) if self.depth == 1 => {
                for instance in section.clone() {
                    instance?;
                    self.instances.push(false);
                }
            }
            Payload::ComponentAliasSection(section) if self.depth == 1 => {
                for alias in section.clone() {
                    self.alias(&alias?);
                }
            }
            Payload::ComponentExportSection(section) if self.depth == 1 => {
                for export in section.clone() {
                    let export = export?;
                    let foreign = match export.kind {
                        ComponentExternalKind::Func => self.functions.get(export.index as usize),
                        _ => self.instances.get(export.index as usize),
                    };
                    self.add(export.kind, foreign.copied().unwrap_or_default());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Refuses calls that would take stacks.
    pub(super) fn check(&self) -> Result<(), LoadError> {
        if self.within || self.lifted && self.called {
            return Err(LoadError::NotAComponent(
                "its parts call each other with asynchronous functions, for which no host has the stacks; \
                 build or compose it with synchronous ones"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    fn add(&mut self, kind: ComponentExternalKind, foreign: bool) {
        match kind {
            ComponentExternalKind::Func => self.functions.push(foreign),
            ComponentExternalKind::Instance => self.instances.push(foreign),
            _ => {}
        }
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>) {
        if let ComponentAlias::InstanceExport { kind, instance_index, .. } = alias {
            let foreign = self.instances.get(*instance_index as usize).copied().unwrap_or_default();
            self.add(*kind, foreign);
        }
    }

    fn canonical(&mut self, function: &CanonicalFunction) {
        match function {
            CanonicalFunction::Lift { options, .. } => {
                self.within |= is_async(options) && self.depth > 1;
                self.lifted |= is_async(options);
                if self.depth == 1 {
                    self.functions.push(false);
                }
            }
            CanonicalFunction::Lower { func_index, options } => {
                let foreign =
                    self.depth == 1 && self.functions.get(*func_index as usize).copied().unwrap_or_default();
                self.within |= is_async(options) && !foreign;
                self.called |= !foreign;
            }
            _ => {}
        }
    }
}

fn is_async(options: &[CanonicalOption]) -> bool {
    options.contains(&CanonicalOption::Async)
}
