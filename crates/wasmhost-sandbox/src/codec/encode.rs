//! Writes the engine's values as JSON text while it walks through them. The type decides what the value alone does not
//! show: an empty `list<u8>`, an option of an option, the order of flags.

use std::io::{self, Write as _};

use serde::Serialize;
use wasmhost_values::{Named, Type, encode_base64};
use wasmtime::component::Val;

use super::text::BoundedText;

/// Whole numbers up to this one are exact in every JSON reader; larger ones are written as strings.
const EXACT: u64 = 1 << 53;

/// How many bytes are encoded as base64 at once. It is a multiple of three, so that the pieces join without padding.
const BASE64_PIECE: usize = 3 << 10;

/// Writes `value`, which has the type `ty`. It fails at the limit of the text, and for a value without a JSON form.
pub(super) fn write(out: &mut BoundedText, ty: &Type, value: &Val) -> io::Result<()> {
    match (ty, value) {
        (Type::List(element), Val::List(items)) => match &**element {
            Type::U8 => bytes(out, items),
            element => sequence(out, items, |out, item| write(out, element, item)),
        },
        (Type::Tuple(types), Val::Tuple(items)) => {
            sequence(out, types.iter().zip(items), |out, (ty, item)| write(out, ty, item))
        }
        (Type::Record(types), Val::Record(values)) => fields(out, types, values),
        (Type::Variant(cases), Val::Variant(name, payload)) => {
            case(out, name, cases.get(name).and_then(Option::as_ref), payload.as_deref())
        }
        (Type::Flags(names), Val::Flags(set)) => flags(out, names, set),
        (Type::Option(ty), Val::Option(payload)) => option(out, ty, payload.as_deref()),
        (Type::Result(result), Val::Result(Ok(v))) => case(out, "ok", result.ok.as_ref(), v.as_deref()),
        (Type::Result(result), Val::Result(Err(v))) => case(out, "err", result.err.as_ref(), v.as_deref()),
        (_, value) => scalar(out, value),
    }
}

fn scalar(out: &mut BoundedText, value: &Val) -> io::Result<()> {
    match value {
        Val::Bool(v) => json(out, v),
        Val::S8(v) => json(out, v),
        Val::U8(v) => json(out, v),
        Val::S16(v) => json(out, v),
        Val::U16(v) => json(out, v),
        Val::S32(v) => json(out, v),
        Val::U32(v) => json(out, v),
        Val::S64(v) => integer(out, v, v.unsigned_abs()),
        Val::U64(v) => integer(out, v, *v),
        // An f32 is not widened, which would write more digits than it has.
        Val::Float32(v) if v.is_finite() => json(out, v),
        Val::Float32(v) => json(out, not_finite(f64::from(*v))),
        Val::Float64(v) if v.is_finite() => json(out, v),
        Val::Float64(v) => json(out, not_finite(*v)),
        Val::Char(v) => json(out, v),
        Val::String(v) | Val::Enum(v) => json(out, v),
        _ => Err(io::Error::other("a value of a type without JSON form")),
    }
}

fn json<T: Serialize + ?Sized>(out: &mut BoundedText, value: &T) -> io::Result<()> {
    Ok(serde_json::to_writer(out, value)?)
}

fn integer(out: &mut BoundedText, value: &impl ToString, magnitude: u64) -> io::Result<()> {
    let text = value.to_string();
    if magnitude <= EXACT { out.write_all(text.as_bytes()) } else { json(out, &text) }
}

/// The text of a float that JSON has no number for.
fn not_finite(value: f64) -> &'static str {
    match value {
        _ if value.is_nan() => "NaN",
        _ if value > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

fn bytes(out: &mut BoundedText, items: &[Val]) -> io::Result<()> {
    out.write_all(b"\"")?;
    let byte = |item: &Val| if let Val::U8(byte) = item { *byte } else { 0 };
    for piece in items.chunks(BASE64_PIECE) {
        let piece: Vec<u8> = piece.iter().map(byte).collect();
        out.write_all(encode_base64(&piece).as_bytes())?;
    }
    out.write_all(b"\"")
}

fn sequence<I: IntoIterator>(
    out: &mut BoundedText,
    items: I,
    mut write: impl FnMut(&mut BoundedText, I::Item) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(b"[")?;
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        write(out, item)?;
    }
    out.write_all(b"]")
}

/// Writes flags in the order of their declaration.
fn flags(out: &mut BoundedText, names: &Named<()>, set: &[String]) -> io::Result<()> {
    let mut set: Vec<_> =
        set.iter().filter_map(|name| names.find(name).map(|(index, ())| (index, name))).collect();
    set.sort_unstable();
    sequence(out, set, |out, (_, name)| json(out, name))
}

fn fields(out: &mut BoundedText, types: &Named<Type>, values: &[(String, Val)]) -> io::Result<()> {
    out.write_all(b"{")?;
    for (index, ((_, ty), (name, value))) in types.iter().zip(values).enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        json(out, name)?;
        out.write_all(b":")?;
        write(out, ty, value)?;
    }
    out.write_all(b"}")
}

fn option(out: &mut BoundedText, ty: &Type, payload: Option<&Val>) -> io::Result<()> {
    match (ty, payload) {
        (_, None) => out.write_all(b"null"),
        // `null` would not tell "none" from "some none".
        (Type::Option(_), Some(value)) => member(out, "some", ty, value),
        (_, Some(value)) => write(out, ty, value),
    }
}

/// Writes `"case"` or `{"case": payload}`.
fn case(out: &mut BoundedText, name: &str, ty: Option<&Type>, payload: Option<&Val>) -> io::Result<()> {
    match (ty, payload) {
        (Some(ty), Some(value)) => member(out, name, ty, value),
        _ => json(out, name),
    }
}

fn member(out: &mut BoundedText, name: &str, ty: &Type, value: &Val) -> io::Result<()> {
    out.write_all(b"{")?;
    json(out, name)?;
    out.write_all(b":")?;
    write(out, ty, value)?;
    out.write_all(b"}")
}
