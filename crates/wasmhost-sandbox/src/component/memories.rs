//! What is known of the memories of a component before it runs: how large they are at the start, and whether collected
//! objects need one more.

use serde::{Deserialize, Serialize};
use wasmparser::{
    AbstractHeapType, BinaryReaderError, CompositeInnerType, HeapType, MemoryType, Payload, RefType, TypeRef,
    ValType,
};

/// The size of a page as a power of two, where a memory does not name another one.
const PAGE_SIZE_LOG2: u32 = 16;

/// What is known of the memories of all modules in a component.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Memories {
    /// The initial size of the largest memory, in bytes.
    pub(crate) largest_initial_bytes: u64,
    /// Whether a module can make collected objects, exceptions among them. The engine keeps them in a memory of its
    /// own.
    pub(crate) has_gc_heap: bool,
}

impl Memories {
    /// Visits one payload of the component; all of them are visited in order.
    pub(super) fn visit(&mut self, payload: &Payload<'_>) -> Result<(), BinaryReaderError> {
        if let Payload::MemorySection(memories) = payload {
            for memory in memories.clone() {
                self.largest_initial_bytes = self.largest_initial_bytes.max(initial_bytes(&memory?));
            }
        }
        self.has_gc_heap |= needs_gc_heap(payload)?;
        Ok(())
    }
}

fn initial_bytes(memory: &MemoryType) -> u64 {
    // A larger page than the usual one is no valid WebAssembly; the bound only keeps the shift from overflowing.
    memory.initial.saturating_mul(1 << memory.page_size_log2.unwrap_or(PAGE_SIZE_LOG2).min(PAGE_SIZE_LOG2))
}

/// Whether a section of a core module declares something that is, holds or throws a collected object.
fn needs_gc_heap(payload: &Payload<'_>) -> Result<bool, BinaryReaderError> {
    match payload {
        Payload::TypeSection(groups) => any(groups.clone(), |group| {
            group.types().any(|ty| !matches!(ty.composite_type.inner, CompositeInnerType::Func(_)))
        }),
        Payload::TagSection(tags) => Ok(tags.count() > 0),
        Payload::ImportSection(imports) => {
            any(imports.clone().into_imports(), |import| matches!(import.ty, TypeRef::Tag(_)))
        }
        Payload::TableSection(tables) => any(tables.clone(), |table| is_collected(table.ty.element_type)),
        Payload::GlobalSection(globals) => any(
            globals.clone(),
            |global| matches!(global.ty.content_type, ValType::Ref(ty) if is_collected(ty)),
        ),
        _ => Ok(false),
    }
}

/// Whether a predicate holds for an item of a section. All items are read, so that a malformed one is an error.
fn any<T>(
    items: impl IntoIterator<Item = Result<T, BinaryReaderError>>,
    predicate: impl Fn(&T) -> bool,
) -> Result<bool, BinaryReaderError> {
    items.into_iter().try_fold(false, |found, item| Ok(predicate(&item?) || found))
}

fn is_collected(ty: RefType) -> bool {
    match ty.heap_type() {
        HeapType::Abstract { ty, .. } => !matches!(ty, AbstractHeapType::Func | AbstractHeapType::NoFunc),
        // The module declares this type itself, and its type section has been looked at already.
        HeapType::Concrete(_) | HeapType::Exact(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component;

    fn of(module: &str) -> Memories {
        let text = format!("(component (core module {module}) (core module))");
        component::read(&wat::parse_str(text).unwrap()).unwrap().memories
    }

    #[test]
    fn a_heap_is_there_for_what_makes_or_holds_objects_alone() {
        for without in [
            "",
            "(memory 1) (table 1 funcref) (global i32 (i32.const 1)) (func (param i64) (result f32) unreachable)",
            "(type $f (func)) (table 1 (ref null $f)) (global (ref null $f) (ref.null $f))",
        ] {
            assert!(!of(without).has_gc_heap, "{without}");
        }
        for with in [
            "(type (struct))",
            "(type (array i8))",
            "(tag (param i32))",
            "(import \"a\" \"b\" (tag))",
            "(table 1 externref)",
            "(global anyref (ref.null any))",
        ] {
            assert!(of(with).has_gc_heap, "{with}");
        }
    }

    #[test]
    fn the_largest_memory_counts_as_it_starts() {
        assert_eq!(of("(memory 2 9) (memory i64 3)").largest_initial_bytes, 3 << 16);
        assert_eq!(of("").largest_initial_bytes, 0);
    }
}
