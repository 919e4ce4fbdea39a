//! The names of what the outermost component imports and exports, by which the validator's types are looked up.

use wasmparser::{BinaryReaderError, Payload};

/// The names that the outermost component gives to its imports and exports, in order.
#[derive(Default)]
pub(super) struct OuterNames {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
}

impl OuterNames {
    /// Visits one payload of the outermost component itself.
    pub(super) fn visit(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
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
