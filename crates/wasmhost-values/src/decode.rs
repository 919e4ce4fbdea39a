//! Decodes JSON text into values, by their types. Every step cuts its text into slices of the text that came in, so
//! that no tree of JSON is built.

mod cases;
mod containers;

use std::marker::PhantomData;

use serde_json::value::RawValue;

use crate::members::Members;
use crate::mismatch::Mismatch;
use crate::scalar;
use crate::types::{Named, Type};
use crate::value_builder::ValueBuilder;

/// The most memory that the values of one call may take in the host, in bytes. An array like `[{},{},…]` of records
/// with many optional fields takes far more as values than as text.
const ALL_BYTES: usize = 64 << 20;
/// What one value takes in the engine without its contents, in bytes.
const VALUE_BYTES: usize = 40;
/// What the name of a field takes in the engine without its letters, in bytes.
const NAME_BYTES: usize = 24;

/// Decodes the arguments of one call.
pub(crate) struct Decoder<B> {
    bytes_left: usize,
    builder: PhantomData<B>,
}

impl<B: ValueBuilder> Decoder<B> {
    pub(crate) fn new() -> Self {
        Self { bytes_left: ALL_BYTES, builder: PhantomData }
    }

    /// Decodes a value of the type `ty`.
    pub(crate) fn value(&mut self, ty: &Type, raw: &RawValue) -> Result<B::Value, Mismatch> {
        self.charge(VALUE_BYTES)?;
        match ty {
            Type::Bool => match raw.get() {
                "true" => Ok(B::bool(true)),
                "false" => Ok(B::bool(false)),
                _ => Err(Mismatch::kind(ty, raw)),
            },
            Type::S8 | Type::U8 | Type::S16 | Type::U16 | Type::S32 | Type::U32 | Type::S64 | Type::U64 => {
                scalar::integer(ty, raw).map(|value| B::integer(ty, value))
            }
            Type::F32 => scalar::f32(raw).map(B::f32),
            Type::F64 => scalar::f64(raw).map(B::f64),
            Type::Char => scalar::character(&self.string(ty, raw)?, raw).map(B::char),
            Type::String => self.string(ty, raw).map(B::string),
            Type::List(element) => self.list(ty, element, raw),
            Type::Record(fields) => self.record(ty, fields, raw),
            Type::Tuple(types) => self.tuple(ty, types, raw),
            Type::Variant(cases) => self.variant(ty, cases, raw),
            Type::Enum(names) => self.enumeration(ty, names, raw),
            Type::Flags(names) => self.flags(ty, names, raw),
            Type::Option(payload) => self.option(payload, raw),
            Type::Result(result) => self.result(ty, result, raw),
            Type::Foreign(kind) => Err(Mismatch::new(format!("a {kind} has no JSON form"))),
        }
    }

    /// Decodes the members of an object as the values of named fields.
    pub(crate) fn fields(
        &mut self,
        fields: &Named<Type>,
        members: Members<'_>,
    ) -> Result<Vec<B::Value>, Mismatch> {
        let mut given: Vec<Option<&RawValue>> = vec![None; fields.len()];
        // Unknown names are reported before missing ones, since a misspelt name is also a missing one.
        for (name, raw) in members {
            let Some((index, _)) = fields.find(&name) else {
                let names: Vec<&str> = fields.names().collect();
                return Err(Mismatch::unknown(&name, names));
            };
            if given[index].replace(raw).is_some() {
                return Err(Mismatch::new("given twice").in_field(&name));
            }
        }
        let value = |((name, ty), raw): ((&str, &Type), Option<&RawValue>)| {
            let value = match raw {
                Some(raw) => self.value(ty, raw),
                None => self.absent(ty),
            };
            value.map_err(|error| error.in_field(name))
        };
        fields.iter().zip(given).map(value).collect()
    }

    /// The value of a parameter or a field that was left out.
    pub(crate) fn absent(&mut self, ty: &Type) -> Result<B::Value, Mismatch> {
        self.charge(VALUE_BYTES)?;
        if ty.is_option() { Ok(B::option(None)) } else { Err(Mismatch::missing(ty)) }
    }

    /// Charges memory before it is taken.
    fn charge(&mut self, bytes: usize) -> Result<(), Mismatch> {
        let bytes_left = self.bytes_left.checked_sub(bytes);
        self.bytes_left = bytes_left.ok_or_else(|| {
            Mismatch::new(format!("the arguments take more than {} MiB as values", ALL_BYTES >> 20))
        })?;
        Ok(())
    }

    fn string(&mut self, ty: &Type, raw: &RawValue) -> Result<String, Mismatch> {
        if !raw.get().starts_with('"') {
            return Err(Mismatch::kind(ty, raw));
        }
        // The text is never shorter than the string, whose escapes take more characters.
        self.charge(raw.get().len())?;
        // The text is known to be JSON, so that only half of a surrogate pair is left to fail.
        serde_json::from_str(raw.get()).map_err(|_| Mismatch::new("the string is not Unicode"))
    }
}
