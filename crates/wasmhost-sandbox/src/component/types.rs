//! Translates the types of functions from the validator's form into that of `wasmhost-values`. A type that is used
//! again is translated once and shared.

use std::collections::HashMap;
use std::sync::Arc;

use wasmhost_values::{FunctionType, MAX_NESTING, MAX_TYPES, Named, ResultType, Type};
use wasmparser::PrimitiveValType;
use wasmparser::component_types::{
    ComponentDefinedType, ComponentDefinedTypeId, ComponentFuncTypeId, ComponentValType, RecordType,
    TupleType, VariantType,
};
use wasmparser::names::KebabString;
use wasmparser::types::TypesRef;

/// The most different types, and names within them, that are translated for one component.
const ALL_TYPES: usize = 100_000;

/// Translates the types of one component.
pub(super) struct TypeReader<'a> {
    types: TypesRef<'a>,
    translated: HashMap<ComponentDefinedTypeId, Type>,
    /// Types and names that were translated so far, as [`ALL_TYPES`] counts them.
    count: usize,
}

impl<'a> TypeReader<'a> {
    pub(super) fn new(types: TypesRef<'a>) -> Self {
        Self { types, translated: HashMap::new(), count: 0 }
    }

    /// The type of a function, or the reason why it cannot be described; the reason completes a sentence about the
    /// function.
    pub(super) fn function(&mut self, id: ComponentFuncTypeId) -> Result<FunctionType, String> {
        let types = self.types;
        let ty = &types[id];
        if ty.params.len() > MAX_TYPES {
            return Err(format!("it has more than {MAX_TYPES} parameters"));
        }
        let parameter = |(name, ty): &(KebabString, ComponentValType)| match self.value(*ty, 1) {
            Ok(ty) => Ok((name.to_string(), ty)),
            Err(problem) => Err(format!("its parameter `{name}` {problem}")),
        };
        let parameters = ty.params.iter().map(parameter).collect::<Result<_, String>>()?;
        let result = self.optional(ty.result, 1).map_err(|problem| format!("its result {problem}"))?;
        Ok(FunctionType { parameters, result })
    }

    fn value(&mut self, ty: ComponentValType, nesting: usize) -> Result<Type, String> {
        let id = match ty {
            ComponentValType::Primitive(ty) => return Ok(primitive(ty)),
            ComponentValType::Type(id) => id,
        };
        // Without this, a type that uses another one twice, level by level, would take time and memory without bound.
        if let Some(translated) = self.translated.get(&id) {
            return Ok(translated.clone());
        }
        if nesting > MAX_NESTING {
            return Err(format!("has more than {MAX_NESTING} types within each other"));
        }
        let types = self.types;
        let translated = self.defined(&types[id], nesting + 1)?;
        self.translated.insert(id, translated.clone());
        Ok(translated)
    }

    fn optional(&mut self, ty: Option<ComponentValType>, nesting: usize) -> Result<Option<Type>, String> {
        ty.map(|ty| self.value(ty, nesting)).transpose()
    }

    fn defined(&mut self, ty: &ComponentDefinedType, nesting: usize) -> Result<Type, String> {
        self.charge(ty)?;
        match ty {
            ComponentDefinedType::Primitive(ty) => Ok(primitive(*ty)),
            ComponentDefinedType::List { element, .. } => {
                Ok(Type::List(Arc::new(self.value(*element, nesting)?)))
            }
            ComponentDefinedType::Option { ty, .. } => Ok(Type::Option(Arc::new(self.value(*ty, nesting)?))),
            ComponentDefinedType::Result { ok, err, .. } => {
                let ok = self.optional(*ok, nesting)?;
                let err = self.optional(*err, nesting)?;
                Ok(Type::Result(Arc::new(ResultType { ok, err })))
            }
            ComponentDefinedType::Tuple(tuple) => self.tuple(tuple, nesting),
            ComponentDefinedType::Record(record) => self.record(record, nesting),
            ComponentDefinedType::Variant(variant) => self.variant(variant, nesting),
            ComponentDefinedType::Enum(names) => Ok(Type::Enum(without_types(names.iter()))),
            ComponentDefinedType::Flags(names) => Ok(Type::Flags(without_types(names.iter()))),
            ComponentDefinedType::Own(_) | ComponentDefinedType::Borrow(_) => Ok(Type::Foreign("resource")),
            ComponentDefinedType::Future { .. } => Ok(Type::Foreign("future")),
            ComponentDefinedType::Stream { .. } => Ok(Type::Foreign("stream")),
            ComponentDefinedType::Map { .. } => Ok(Type::Foreign("map")),
            ComponentDefinedType::FixedLengthList { .. } => Ok(Type::Foreign("list of fixed length")),
        }
    }

    fn tuple(&mut self, tuple: &TupleType, nesting: usize) -> Result<Type, String> {
        let types = tuple.types.iter().map(|ty| self.value(*ty, nesting));
        Ok(Type::Tuple(Arc::new(types.collect::<Result<_, _>>()?)))
    }

    fn record(&mut self, record: &RecordType, nesting: usize) -> Result<Type, String> {
        let fields = record.fields.iter().map(|(name, ty)| Ok((name.to_string(), self.value(*ty, nesting)?)));
        Ok(Type::Record(Arc::new(fields.collect::<Result<_, String>>()?)))
    }

    fn variant(&mut self, variant: &VariantType, nesting: usize) -> Result<Type, String> {
        let cases = variant.cases.iter();
        let cases = cases.map(|(name, case)| Ok((name.to_string(), self.optional(case.ty, nesting)?)));
        Ok(Type::Variant(Arc::new(cases.collect::<Result<_, String>>()?)))
    }

    /// Charges a type and the names in it to the budget of the component.
    fn charge(&mut self, ty: &ComponentDefinedType) -> Result<(), String> {
        let names = match ty {
            ComponentDefinedType::Record(record) => record.fields.len(),
            ComponentDefinedType::Variant(variant) => variant.cases.len(),
            ComponentDefinedType::Tuple(tuple) => tuple.types.len(),
            ComponentDefinedType::Enum(names) | ComponentDefinedType::Flags(names) => names.len(),
            _ => 0,
        };
        if names > MAX_TYPES {
            return Err(format!("brings it over {MAX_TYPES} types"));
        }
        self.count += 1 + names;
        if self.count > ALL_TYPES {
            return Err(format!("brings the module over {ALL_TYPES} types"));
        }
        Ok(())
    }
}

fn without_types<'a>(names: impl Iterator<Item = &'a KebabString>) -> Arc<Named<()>> {
    Arc::new(names.map(|name| (name.to_string(), ())).collect())
}

fn primitive(ty: PrimitiveValType) -> Type {
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
