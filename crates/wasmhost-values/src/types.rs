//! The types of a function, as far as JSON is concerned. Types that are used again are shared, so that a small component
//! with a huge type stays small here.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

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
    /// `list<…>`.
    List(Arc<Self>),
    /// `option<…>`.
    Option(Arc<Self>),
    /// `result<…>`.
    Result(Arc<ResultType>),
    /// `tuple<…>`.
    Tuple(Arc<Vec<Self>>),
    /// A record's fields.
    Record(Arc<Named<Self>>),
    /// A variant's cases, some with a payload.
    Variant(Arc<Named<Option<Self>>>),
    /// An enum's cases.
    Enum(Arc<Named<()>>),
    /// The names of flags.
    Flags(Arc<Named<()>>),
    /// A type that has no JSON form, by its kind: `resource`.
    Foreign(&'static str),
}

/// What stands in a `result`.
#[derive(Clone, Debug)]
pub struct ResultType {
    /// The payload of `ok`.
    pub ok: Option<Type>,
    /// The payload of `err`.
    pub err: Option<Type>,
}

/// Things with names, in order, that are found by their name in the same time however many there are.
#[derive(Clone)]
pub struct Named<T> {
    items: Vec<(String, T)>,
    places: HashMap<String, usize>,
}

impl<T> Named<T> {
    /// The thing called `name`, and its place.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(usize, &T)> {
        let place = *self.places.get(name)?;
        Some((place, &self.items[place].1))
    }

    /// The thing called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        self.find(name).map(|(_, item)| item)
    }

    /// All of them with their names, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> + DoubleEndedIterator {
        self.items.iter().map(|(name, item)| (name.as_str(), item))
    }

    /// The names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.items.iter().map(|(name, _)| name.as_str())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl<T> FromIterator<(String, T)> for Named<T> {
    /// The first of two with one name is found by it; components cannot have two.
    fn from_iter<I: IntoIterator<Item = (String, T)>>(items: I) -> Self {
        let items: Vec<_> = items.into_iter().collect();
        let mut places = HashMap::with_capacity(items.len());
        for (place, (name, _)) in items.iter().enumerate() {
            places.entry(name.clone()).or_insert(place);
        }
        Self { items, places }
    }
}

/// The parameters and the result of a function.
#[derive(Clone, Debug)]
pub struct FunctionType {
    /// Its parameters.
    pub parameters: Named<Type>,
    /// What it returns, if anything.
    pub result: Option<Type>,
}

impl FunctionType {
    /// What it returns when all goes well: the payload of `ok` where it returns a `result`.
    #[must_use]
    pub fn success(&self) -> Option<&Type> {
        match &self.result {
            Some(Type::Result(result)) => result.ok.as_ref(),
            other => other.as_ref(),
        }
    }
}

impl Type {
    /// Its kind, as WIT calls it.
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

    /// Whether a value may be left out.
    #[must_use]
    pub fn is_option(&self) -> bool {
        matches!(self, Self::Option(_))
    }

    /// The types within it, each as often as it is used.
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

/// Shallow: a shared type may be huge when it is written out.
impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

impl<T> fmt::Debug for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
