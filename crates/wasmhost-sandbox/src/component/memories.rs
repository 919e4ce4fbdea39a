//! What can be known of a component's memories before it runs: how large they start, and whether there is one more, for collected
//! objects.

use serde::{Deserialize, Serialize};
use wasmparser::{
    AbstractHeapType, BinaryReaderError, CompositeInnerType, HeapType, MemoryType, Payload, RefType, TypeRef,
    ValType,
};

/// The size of a page, as a power of two.
const PAGE_LOG2: u32 = 16;

/// What is known of the memories of all modules in a component.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Memories {
    /// The size that the largest of them starts with, in bytes.
    pub(crate) largest_initial_bytes: u64,
    /// Whether a module may make objects that are collected, exceptions among them: they have a memory of their own.
    pub(crate) has_gc_heap: bool,
}

impl Memories {
    /// Takes one payload of the component, in order.
    pub(super) fn see(&mut self, payload: &Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::MemorySection(memories) => {
                for memory in memories.clone() {
                    self.largest_initial_bytes = self.largest_initial_bytes.max(initial_bytes(&memory?));
                }
            }
            Payload::TypeSection(groups) => {
                for group in groups.clone() {
                    self.has_gc_heap |= group?
                        .types()
                        .any(|ty| !matches!(ty.composite_type.inner, CompositeInnerType::Func(_)));
                }
            }
            Payload::TagSection(tags) => self.has_gc_heap |= tags.count() > 0,
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    self.has_gc_heap |= matches!(import?.ty, TypeRef::Tag(_));
                }
            }
            Payload::TableSection(tables) => {
                for table in tables.clone() {
                    self.has_gc_heap |= is_collected(table?.ty.element_type);
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals.clone() {
                    let ty = global?.ty.content_type;
                    self.has_gc_heap |= matches!(ty, ValType::Ref(ty) if is_collected(ty));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn initial_bytes(memory: &MemoryType) -> u64 {
    memory.initial.saturating_mul(1 << memory.page_size_log2.unwrap_or(PAGE_LOG2).min(PAGE_LOG2))
}

/// Of a type that the module defines itself, its section of types has told already.
fn is_collected(ty: RefType) -> bool {
    match ty.heap_type() {
        HeapType::Abstract { ty, .. } => !matches!(ty, AbstractHeapType::Func | AbstractHeapType::NoFunc),
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
