//! Tells types that are shared from others that are only equal.

use std::sync::Arc;

use crate::types::Type;

/// The address of a type that has other types or names in it, which is the same wherever the type is shared; none for a
/// simple type.
pub(super) fn address(ty: &Type) -> Option<usize> {
    match ty {
        Type::List(it) | Type::Option(it) => Some(Arc::as_ptr(it).addr()),
        Type::Result(it) => Some(Arc::as_ptr(it).addr()),
        Type::Tuple(it) => Some(Arc::as_ptr(it).addr()),
        Type::Record(it) => Some(Arc::as_ptr(it).addr()),
        Type::Variant(it) => Some(Arc::as_ptr(it).addr()),
        Type::Enum(it) | Type::Flags(it) => Some(Arc::as_ptr(it).addr()),
        _ => None,
    }
}
