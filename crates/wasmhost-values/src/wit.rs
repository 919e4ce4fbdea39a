//! Writes types and functions as WIT does. Components keep no names of types, so that records, variants, enums and
//! flags are written by their kind.

use crate::types::{FunctionType, Type};

impl FunctionType {
    /// Writes the function with a name: `resize: func(image: list<u8>, width: u32) -> result<list<u8>, string>`.
    #[must_use]
    pub fn signature(&self, name: &str) -> String {
        let parameters: Vec<_> =
            self.parameters.iter().map(|(name, ty)| format!("{name}: {}", ty.wit())).collect();
        let result = self.result.as_ref().map(|ty| format!(" -> {}", ty.wit()));
        format!("{name}: func({}){}", parameters.join(", "), result.unwrap_or_default())
    }
}

impl Type {
    /// Writes the type: `option<list<record>>`.
    #[must_use]
    pub fn wit(&self) -> String {
        match self {
            Self::List(ty) => format!("list<{}>", ty.wit()),
            Self::Option(ty) => format!("option<{}>", ty.wit()),
            Self::Tuple(types) => {
                let types: Vec<_> = types.iter().map(Self::wit).collect();
                format!("tuple<{}>", types.join(", "))
            }
            Self::Result(result) => match (&result.ok, &result.err) {
                (None, None) => "result".to_owned(),
                (Some(ok), None) => format!("result<{}>", ok.wit()),
                (None, Some(err)) => format!("result<_, {}>", err.wit()),
                (Some(ok), Some(err)) => format!("result<{}, {}>", ok.wit(), err.wit()),
            },
            named_by_kind => named_by_kind.kind().to_owned(),
        }
    }
}
