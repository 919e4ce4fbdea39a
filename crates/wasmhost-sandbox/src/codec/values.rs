//! Builds the engine's values from arguments that fit their types.

use wasmhost_values::{Named, Type, ValueBuilder};
use wasmtime::component::Val;

/// Builds [`Val`]s.
pub(super) struct EngineValues;

impl ValueBuilder for EngineValues {
    type Value = Val;

    fn bool(value: bool) -> Val {
        Val::Bool(value)
    }

    fn integer(ty: &Type, value: i128) -> Val {
        match ty {
            Type::S8 => Val::S8(value as i8),
            Type::U8 => Val::U8(value as u8),
            Type::S16 => Val::S16(value as i16),
            Type::U16 => Val::U16(value as u16),
            Type::S32 => Val::S32(value as i32),
            Type::U32 => Val::U32(value as u32),
            Type::S64 => Val::S64(value as i64),
            // The decoder asks for integers only, and in the range of their type.
            _ => Val::U64(value as u64),
        }
    }

    fn f32(value: f32) -> Val {
        Val::Float32(value)
    }

    fn f64(value: f64) -> Val {
        Val::Float64(value)
    }

    fn char(value: char) -> Val {
        Val::Char(value)
    }

    fn string(value: String) -> Val {
        Val::String(value)
    }

    fn bytes(value: Vec<u8>) -> Val {
        Val::List(value.into_iter().map(Val::U8).collect())
    }

    fn list(items: Vec<Val>) -> Val {
        Val::List(items)
    }

    fn tuple(items: Vec<Val>) -> Val {
        Val::Tuple(items)
    }

    fn record(fields: &Named<Type>, values: Vec<Val>) -> Val {
        Val::Record(fields.names().map(str::to_owned).zip(values).collect())
    }

    fn variant(case: String, payload: Option<Val>) -> Val {
        Val::Variant(case, payload.map(Box::new))
    }

    fn enumeration(case: String) -> Val {
        Val::Enum(case)
    }

    fn flags(set: Vec<String>) -> Val {
        Val::Flags(set)
    }

    fn option(payload: Option<Val>) -> Val {
        Val::Option(payload.map(Box::new))
    }

    fn result(payload: Result<Option<Val>, Option<Val>>) -> Val {
        Val::Result(match payload {
            Ok(payload) => Ok(payload.map(Box::new)),
            Err(payload) => Err(payload.map(Box::new)),
        })
    }
}
