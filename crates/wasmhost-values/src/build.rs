//! What becomes of JSON that fits its type.

use crate::types::{Named, Type};

/// Makes values: those of an engine, or none where only the fit is asked for.
pub trait Build {
    /// A value.
    type Value;

    /// Of `bool`.
    fn bool(value: bool) -> Self::Value;
    /// Of the integer type `ty`, in whose range `value` is.
    fn integer(ty: &Type, value: i128) -> Self::Value;
    /// Of `f32`.
    fn f32(value: f32) -> Self::Value;
    /// Of `f64`.
    fn f64(value: f64) -> Self::Value;
    /// Of `char`.
    fn char(value: char) -> Self::Value;
    /// Of `string`.
    fn string(value: String) -> Self::Value;
    /// Of `list<u8>`.
    fn bytes(value: Vec<u8>) -> Self::Value;
    /// Of another list.
    fn list(items: Vec<Self::Value>) -> Self::Value;
    /// Of a tuple.
    fn tuple(items: Vec<Self::Value>) -> Self::Value;
    /// Of a record with these fields; as many values, in their order.
    fn record(fields: &Named<Type>, values: Vec<Self::Value>) -> Self::Value;
    /// Of a variant.
    fn variant(case: String, payload: Option<Self::Value>) -> Self::Value;
    /// Of an enum.
    fn enumeration(case: String) -> Self::Value;
    /// Of flags, each once.
    fn flags(set: Vec<String>) -> Self::Value;
    /// Of an option.
    fn option(payload: Option<Self::Value>) -> Self::Value;
    /// Of a `result`.
    fn result(payload: Result<Option<Self::Value>, Option<Self::Value>>) -> Self::Value;
}

/// Makes nothing: for those who only ask whether arguments fit.
pub(crate) struct Nothing;

impl Build for Nothing {
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
