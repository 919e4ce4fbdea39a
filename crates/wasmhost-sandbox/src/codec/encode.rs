//! `Val` → JSON text, written as it is walked. The type decides where the value alone cannot: an empty `list<u8>`, an
//! option of an option, the order of flags.

use std::io::{self, Write as _};

use serde::Serialize;
use wasmhost_values::{Named, Type, encode_base64};
use wasmtime::component::Val;

use super::text::Text;

/// Whole numbers up to this one are exact in every JSON reader.
const EXACT: u64 = 1 << 53;

/// Bytes encoded at once; a multiple of three, so that the pieces join.
const BASE64_PIECE: usize = 3 << 10;

/// Writes `value`, which is of type `ty`.
pub(super) fn write(out: &mut Text, ty: &Type, value: &Val) -> io::Result<()> {
    match (ty, value) {
        (_, Val::Bool(v)) => json(out, v),
        (_, Val::S8(v)) => json(out, v),
        (_, Val::U8(v)) => json(out, v),
        (_, Val::S16(v)) => json(out, v),
        (_, Val::U16(v)) => json(out, v),
        (_, Val::S32(v)) => json(out, v),
        (_, Val::U32(v)) => json(out, v),
        (_, Val::S64(v)) => integer(out, v, v.unsigned_abs()),
        (_, Val::U64(v)) => integer(out, v, *v),
        (_, Val::Float32(v)) if v.is_finite() => json(out, v),
        (_, Val::Float32(v)) => json(out, beyond_json(f64::from(*v))),
        (_, Val::Float64(v)) if v.is_finite() => json(out, v),
        (_, Val::Float64(v)) => json(out, beyond_json(*v)),
        (_, Val::Char(v)) => json(out, v),
        (_, Val::String(v) | Val::Enum(v)) => json(out, v),
        (Type::List(element), Val::List(items)) => match &**element {
            Type::U8 => bytes(out, items),
            element => sequence(out, items, |out, item| write(out, element, item)),
        },
        (Type::Tuple(types), Val::Tuple(items)) => {
            sequence(out, types.iter().zip(items), |out, (ty, item)| write(out, ty, item))
        }
        (Type::Record(types), Val::Record(values)) => fields(out, types, values),
        (Type::Variant(cases), Val::Variant(name, payload)) => {
            cased(out, name, cases.get(name).and_then(Option::as_ref), payload.as_deref())
        }
        (Type::Flags(names), Val::Flags(set)) => flags(out, names, set),
        (Type::Option(ty), Val::Option(payload)) => option(out, ty, payload.as_deref()),
        (Type::Result(result), Val::Result(Ok(v))) => cased(out, "ok", result.ok.as_ref(), v.as_deref()),
        (Type::Result(result), Val::Result(Err(v))) => cased(out, "err", result.err.as_ref(), v.as_deref()),
        _ => Err(io::Error::other("a value of a type without JSON form")),
    }
}

fn json<T: Serialize + ?Sized>(out: &mut Text, value: &T) -> io::Result<()> {
    Ok(serde_json::to_writer(out, value)?)
}

fn integer(out: &mut Text, value: &impl ToString, magnitude: u64) -> io::Result<()> {
    let text = value.to_string();
    if magnitude <= EXACT { out.write_all(text.as_bytes()) } else { json(out, &text) }
}

fn beyond_json(value: f64) -> &'static str {
    match value {
        _ if value.is_nan() => "NaN",
        _ if value > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

fn bytes(out: &mut Text, items: &[Val]) -> io::Result<()> {
    out.write_all(b"\"")?;
    let byte = |item: &Val| if let Val::U8(byte) = item { *byte } else { 0 };
    for piece in items.chunks(BASE64_PIECE) {
        let piece: Vec<u8> = piece.iter().map(byte).collect();
        out.write_all(encode_base64(&piece).as_bytes())?;
    }
    out.write_all(b"\"")
}

fn sequence<I: IntoIterator>(
    out: &mut Text,
    items: I,
    mut write: impl FnMut(&mut Text, I::Item) -> io::Result<()>,
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

/// An engine gives them in the order of their names' declaration, and each once.
fn flags(out: &mut Text, names: &Named<()>, set: &[String]) -> io::Result<()> {
    let mut set: Vec<_> =
        set.iter().filter_map(|name| names.find(name).map(|(place, ())| (place, name))).collect();
    set.sort_unstable();
    sequence(out, set, |out, (_, name)| json(out, name))
}

fn fields(out: &mut Text, types: &Named<Type>, values: &[(String, Val)]) -> io::Result<()> {
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

fn option(out: &mut Text, ty: &Type, payload: Option<&Val>) -> io::Result<()> {
    match (ty, payload) {
        (_, None) => out.write_all(b"null"),
        (Type::Option(_), Some(value)) => member(out, "some", ty, value),
        (_, Some(value)) => write(out, ty, value),
    }
}

fn cased(out: &mut Text, name: &str, ty: Option<&Type>, payload: Option<&Val>) -> io::Result<()> {
    match (ty, payload) {
        (Some(ty), Some(value)) => member(out, name, ty, value),
        _ => json(out, name),
    }
}

fn member(out: &mut Text, name: &str, ty: &Type, value: &Val) -> io::Result<()> {
    out.write_all(b"{")?;
    json(out, name)?;
    out.write_all(b":")?;
    write(out, ty, value)?;
    out.write_all(b"}")
}
