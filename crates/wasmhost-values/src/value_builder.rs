//! What becomes of JSON that fits its type.

use crate::types::{Named, Type};

/// Builds values from JSON that fits their types: those of an engine, or none where only the fit is asked for.
pub trait ValueBuilder {
    /// A value.
    type Value;

    /// Builds a `bool`.
    fn bool(value: bool) -> Self::Value;
    /// Builds an integer of the type `ty`; `value` is in its range.
    fn integer(ty: &Type, value: i128) -> Self::Value;
    /// Builds an `f32`.
    fn f32(value: f32) -> Self::Value;
    /// Builds an `f64`.
    fn f64(value: f64) -> Self::Value;
    /// Builds a `char`.
    fn char(value: char) -> Self::Value;
    /// Builds a `string`.
    fn string(value: String) -> Self::Value;
    /// Builds a `list<u8>` that came as base64.
    fn bytes(value: Vec<u8>) -> Self::Value;
    /// Builds a list from its elements.
    fn list(items: Vec<Self::Value>) -> Self::Value;
    /// Builds a tuple from its elements.
    fn tuple(items: Vec<Self::Value>) -> Self::Value;
    /// Builds a record with these fields from as many values, in the order of the fields.
    fn record(fields: &Named<Type>, values: Vec<Self::Value>) -> Self::Value;
    /// Builds a case of a variant.
    fn variant(case: String, payload: Option<Self::Value>) -> Self::Value;
    /// Builds a case of an enum.
    fn enumeration(case: String) -> Self::Value;
    /// Builds flags from the names of those that are set, each name once.
    fn flags(set: Vec<String>) -> Self::Value;
    /// Builds an option.
    fn option(payload: Option<Self::Value>) -> Self::Value;
    /// Builds a `result`.
    fn result(payload: Result<Option<Self::Value>, Option<Self::Value>>) -> Self::Value;
}

/// Builds nothing: for those who only ask whether arguments fit.
pub(crate) struct Discard;

impl ValueBuilder for Discard {
    type Value = ();

    fn bool(_: bool) {}
    fn integer(_: &Type, _: i128) {}
    fn f32(_: f32) {}
    fn f64(_: f64) {}
    fn char(_: char) {}
    fn string(_: String) {}
    fn bytes(_: Vec<u8>) {}
    fn list(_: Vec<()>) {}
    fn tuple(_: Vec<()>) {}
    fn record(_: &Named<Type>, _: Vec<()>) {}
    fn variant(_: String, _: Option<()>) {}
    fn enumeration(_: String) {}
    fn flags(_: Vec<String>) {}
    fn option(_: Option<()>) {}
    fn result(_: Result<Option<()>, Option<()>>) {}
}
