//! Types and functions as WIT writes them. Reflection has no type names, so that records, variants, enums and flags
//! are named by their kind.

use wasmtime::component::{Type, types::ComponentFunc};

/// `resize: func(image: list<u8>, width: u32) -> result<list<u8>, string>`.
pub(crate) fn signature(name: &str, func: &ComponentFunc) -> String {
    let parameters: Vec<_> = func.params().map(|(name, ty)| format!("{name}: {}", type_name(&ty))).collect();
    let result = func.results().next().map(|ty| format!(" -> {}", type_name(&ty)));
    format!("{name}: func({}){}", parameters.join(", "), result.unwrap_or_default())
}

/// `option<list<record>>`.
pub(crate) fn type_name(ty: &Type) -> String {
    match ty {
        Type::List(list) => format!("list<{}>", type_name(&list.ty())),
        Type::Option(option) => format!("option<{}>", type_name(&option.ty())),
        Type::Tuple(tuple) => {
            let types: Vec<_> = tuple.types().map(|ty| type_name(&ty)).collect();
            format!("tuple<{}>", types.join(", "))
        }
        Type::Result(result) => match (result.ok(), result.err()) {
            (None, None) => "result".to_owned(),
            (Some(ok), None) => format!("result<{}>", type_name(&ok)),
            (None, Some(err)) => format!("result<_, {}>", type_name(&err)),
            (Some(ok), Some(err)) => format!("result<{}, {}>", type_name(&ok), type_name(&err)),
        },
        simple => kind(simple).to_owned(),
    }
}

fn kind(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::S8 => "s8",
        Type::U8 => "u8",
        Type::S16 => "s16",
        Type::U16 => "u16",
        Type::S32 => "s32",
        Type::U32 => "u32",
        Type::S64 => "s64",
        Type::U64 => "u64",
        Type::Float32 => "f32",
        Type::Float64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::List(_) => "list",
        Type::Record(_) => "record",
        Type::Tuple(_) => "tuple",
        Type::Variant(_) => "variant",
        Type::Enum(_) => "enum",
        Type::Option(_) => "option",
        Type::Result(_) => "result",
        Type::Flags(_) => "flags",
        Type::Map(_) => "map",
        Type::Own(_) | Type::Borrow(_) => "resource",
        Type::Future(_) => "future",
        Type::Stream(_) => "stream",
        Type::ErrorContext => "error-context",
        Type::FixedLengthList(_) => "list of fixed length",
    }
}

/// The kind of a type that no task may have; none where it has a JSON form.
pub(crate) fn without_json(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Map(_)
        | Type::Own(_)
        | Type::Borrow(_)
        | Type::Future(_)
        | Type::Stream(_)
        | Type::ErrorContext
        | Type::FixedLengthList(_) => Some(kind(ty)),
        _ => None,
    }
}
