//! The types of functions, from the validator's. A type that is used again is read once.

use std::collections::HashMap;
use std::sync::Arc;

use wasmhost_values::{FunctionType, MAX_NESTING, MAX_TYPES, ResultType, Type};
use wasmparser::PrimitiveValType;
use wasmparser::component_types::{
    ComponentDefinedType, ComponentDefinedTypeId, ComponentFuncTypeId, ComponentValType,
};
use wasmparser::types::TypesRef;

/// Different types, and the names in them, that are read of one component.
const ALL_TYPES: usize = 100_000;

/// Reads types of one component.
#[derive(Default)]
pub(super) struct TypeReader {
    known: HashMap<ComponentDefinedTypeId, Type>,
    read: usize,
}

impl TypeReader {
    /// The type of a function, or why there is no describing it.
    pub(super) fn function(
        &mut self,
        types: TypesRef<'_>,
        id: ComponentFuncTypeId,
    ) -> Result<FunctionType, String> {
        let ty = &types[id];
        if ty.params.len() > MAX_TYPES {
            return Err(format!("it has more than {MAX_TYPES} parameters"));
        }
        let parameter = |(name, ty): &(wasmparser::names::KebabString, ComponentValType)| {
            let read =
                self.value(types, *ty, 1).map_err(|problem| format!("its parameter `{name}` {problem}"));
            Ok((name.to_string(), read?))
        };
        let parameters = ty.params.iter().map(parameter).collect::<Result<_, String>>()?;
        let result = ty.result.map(|ty| self.value(types, ty, 1)).transpose();
        Ok(FunctionType { parameters, result: result.map_err(|problem| format!("its result {problem}"))? })
    }

    fn value(&mut self, types: TypesRef<'_>, ty: ComponentValType, nesting: usize) -> Result<Type, String> {
        let id = match ty {
            ComponentValType::Primitive(primitive) => return Ok(simple(primitive)),
            ComponentValType::Type(id) => id,
        };
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        if nesting > MAX_NESTING {
            return Err(format!("has more than {MAX_NESTING} types within each other"));
        }
        let read = self.defined(types, &types[id], nesting + 1)?;
        self.known.insert(id, read.clone());
        Ok(read)
    }

    fn defined(
        &mut self,
        types: TypesRef<'_>,
        ty: &ComponentDefinedType,
        nesting: usize,
    ) -> Result<Type, String> {
        self.count(ty)?;
        let mut value = |ty: ComponentValType| self.value(types, ty, nesting);
        Ok(match ty {
            ComponentDefinedType::Primitive(primitive) => simple(*primitive),
            ComponentDefinedType::List { element, .. } => Type::List(Arc::new(value(*element)?)),
            ComponentDefinedType::Option { ty, .. } => Type::Option(Arc::new(value(*ty)?)),
            ComponentDefinedType::Result { ok, err, .. } => Type::Result(Arc::new(ResultType {
                ok: ok.map(&mut value).transpose()?,
                err: err.map(&mut value).transpose()?,
            })),
            ComponentDefinedType::Tuple(tuple) => {
                Type::Tuple(Arc::new(tuple.types.iter().map(|ty| value(*ty)).collect::<Result<_, _>>()?))
            }
            ComponentDefinedType::Record(record) => {
                let fields = record.fields.iter().map(|(name, ty)| Ok((name.to_string(), value(*ty)?)));
                Type::Record(Arc::new(fields.collect::<Result<_, String>>()?))
            }
            ComponentDefinedType::Variant(variant) => {
                let cases = variant.cases.iter();
                let cases =
                    cases.map(|(name, case)| Ok((name.to_string(), case.ty.map(&mut value).transpose()?)));
                Type::Variant(Arc::new(cases.collect::<Result<_, String>>()?))
            }
            ComponentDefinedType::Enum(names) => {
                Type::Enum(Arc::new(names.iter().map(|name| (name.to_string(), ())).collect()))
            }
            ComponentDefinedType::Flags(names) => {
                Type::Flags(Arc::new(names.iter().map(|name| (name.to_string(), ())).collect()))
            }
            ComponentDefinedType::Own(_) | ComponentDefinedType::Borrow(_) => Type::Foreign("resource"),
            ComponentDefinedType::Future { .. } => Type::Foreign("future"),
            ComponentDefinedType::Stream { .. } => Type::Foreign("stream"),
            ComponentDefinedType::Map { .. } => Type::Foreign("map"),
            ComponentDefinedType::FixedLengthList { .. } => Type::Foreign("list of fixed length"),
        })
    }

    fn count(&mut self, ty: &ComponentDefinedType) -> Result<(), String> {
        let within = match ty {
            ComponentDefinedType::Record(record) => record.fields.len(),
            ComponentDefinedType::Variant(variant) => variant.cases.len(),
            ComponentDefinedType::Tuple(tuple) => tuple.types.len(),
            ComponentDefinedType::Enum(names) | ComponentDefinedType::Flags(names) => names.len(),
            _ => 0,
        };
        if within > MAX_TYPES {
            return Err(format!("brings it over {MAX_TYPES} types"));
        }
        self.read += 1 + within;
        if self.read > ALL_TYPES {
            return Err(format!("brings the module over {ALL_TYPES} types"));
        }
        Ok(())
    }
}

fn simple(ty: PrimitiveValType) -> Type {
    match ty {
        PrimitiveValType::Bool => Type::Bool,
        PrimitiveValType::S8 => Type::S8,
        PrimitiveValType::U8 => Type::U8,
        PrimitiveValType::S16 => Type::S16,
        PrimitiveValType::U16 => Type::U16,
        PrimitiveValType::S32 => Type::S32,
        PrimitiveValType::U32 => Type::U32,
        PrimitiveValType::S64 => Type::S64,
        PrimitiveValType::U64 => Type::U64,
        PrimitiveValType::F32 => Type::F32,
        PrimitiveValType::F64 => Type::F64,
        PrimitiveValType::Char => Type::Char,
        PrimitiveValType::String => Type::String,
        PrimitiveValType::ErrorContext => Type::Foreign("error-context"),
    }
}
