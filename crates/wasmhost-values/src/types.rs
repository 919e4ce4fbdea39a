//! The types of a function, as far as JSON is concerned. A type that is used again is shared, so that a small component
//! with a huge type stays small here.

mod named;

use std::fmt;
use std::sync::Arc;

pub use named::Named;

/// The type of a value.
#[derive(Clone)]
pub enum Type {
    /// `bool`.
    Bool,
    /// `s8`.
    S8,
    /// `u8`.
    U8,
    /// `s16`.
    S16,
    /// `u16`.
    U16,
    /// `s32`.
    S32,
    /// `u32`.
    U32,
    /// `s64`.
    S64,
    /// `u64`.
    U64,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// `char`.
    Char,
    /// `string`.
    String,
    /// `list<…>`, with the type of its elements.
    List(Arc<Self>),
    /// `option<…>`, with the type of its payload.
    Option(Arc<Self>),
    /// `result<…>`, with the types of its payloads.
    Result(Arc<ResultType>),
    /// `tuple<…>`, with the types of its elements.
    Tuple(Arc<Vec<Self>>),
    /// A record, with the types of its fields.
    Record(Arc<Named<Self>>),
    /// A variant, with the types of the payloads that its cases have.
    Variant(Arc<Named<Option<Self>>>),
    /// An enum, with the names of its cases.
    Enum(Arc<Named<()>>),
    /// Flags, with their names.
    Flags(Arc<Named<()>>),
    /// A type that has no JSON form, by its kind, such as `resource`.
    Foreign(&'static str),
}

/// The payloads of a `result`.
#[derive(Clone, Debug)]
pub struct ResultType {
    /// The payload of `ok`, if it has one.
    pub ok: Option<Type>,
    /// The payload of `err`, if it has one.
    pub err: Option<Type>,
}

/// The parameters and the result of a function.
#[derive(Clone, Debug)]
pub struct FunctionType {
    /// The types of its parameters.
    pub parameters: Named<Type>,
    /// The type of what it returns, if it returns anything.
    pub result: Option<Type>,
}

impl FunctionType {
    /// The type of a job's result: the payload of `ok` if the function returns a `result`, or else what it returns.
    #[must_use]
    pub fn success(&self) -> Option<&Type> {
        match &self.result {
            Some(Type::Result(result)) => result.ok.as_ref(),
            other => other.as_ref(),
        }
    }
}

impl Type {
    /// The kind of the type, as WIT calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::S8 => "s8",
            Self::U8 => "u8",
            Self::S16 => "s16",
            Self::U16 => "u16",
            Self::S32 => "s32",
            Self::U32 => "u32",
            Self::S64 => "s64",
            Self::U64 => "u64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
            Self::String => "string",
            Self::List(_) => "list",
            Self::Option(_) => "option",
            Self::Result(_) => "result",
            Self::Tuple(_) => "tuple",
            Self::Record(_) => "record",
            Self::Variant(_) => "variant",
            Self::Enum(_) => "enum",
            Self::Flags(_) => "flags",
            Self::Foreign(kind) => kind,
        }
    }

    /// Whether a value of the type may be left out.
    #[must_use]
    pub fn is_option(&self) -> bool {
        matches!(self, Self::Option(_))
    }

    /// The types directly within the type, each as often as it is used.
    pub fn parts(&self) -> impl Iterator<Item = &Self> {
        let parts: Box<dyn Iterator<Item = &Self>> = match self {
            Self::List(ty) | Self::Option(ty) => Box::new(std::iter::once(&**ty)),
            Self::Result(result) => Box::new(result.ok.iter().chain(&result.err)),
            Self::Tuple(types) => Box::new(types.iter()),
            Self::Record(fields) => Box::new(fields.iter().map(|(_, ty)| ty)),
            Self::Variant(cases) => Box::new(cases.iter().filter_map(|(_, ty)| ty.as_ref())),
            _ => Box::new(std::iter::empty()),
        };
        parts
    }
}

/// Writes the kind alone: a type that shares its parts may be huge when it is written out.
impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}
