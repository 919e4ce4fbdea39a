//! The form in which a function's types travel: a table in which every type stands once and refers to those before it.
//!
//! `{"types":[{"list":"u8"},{"record":[["width","u32"],["image",0]]}],"parameters":[["size",1]],"result":"bool"}`

use std::collections::HashMap;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::admission::{MAX_NESTING, MAX_TYPES};
use crate::types::{FunctionType, Named, ResultType, Type};

/// A simple type by its name, another one by its place in the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Reference {
    Place(usize),
    Simple(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Definition {
    List(Reference),
    Option(Reference),
    Tuple(Vec<Reference>),
    Result(Option<Reference>, Option<Reference>),
    Record(Vec<(String, Reference)>),
    Variant(Vec<(String, Option<Reference>)>),
    Enum(Vec<String>),
    Flags(Vec<String>),
}

#[derive(Debug, Serialize, Deserialize)]
struct Table {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    types: Vec<Definition>,
    parameters: Vec<(String, Reference)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<Reference>,
}

impl Serialize for FunctionType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut writer = Writer::default();
        let parameters =
            self.parameters.iter().map(|(name, ty)| (name.to_owned(), writer.refer(ty))).collect();
        let result = self.result.as_ref().map(|ty| writer.refer(ty));
        Table { types: writer.types, parameters, result }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FunctionType {
    /// Refuses what no component could say of an admitted function.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = Table::deserialize(deserializer)?;
        let function = read(table).map_err(D::Error::custom)?;
        function.admit().map_err(|problem| D::Error::custom(format!("a function: {problem}")))?;
        Ok(function)
    }
}

#[derive(Default)]
struct Writer {
    types: Vec<Definition>,
    /// The places of shared types, by their address.
    places: HashMap<usize, usize>,
}

impl Writer {
    fn refer(&mut self, ty: &Type) -> Reference {
        let Some(address) = address(ty) else { return Reference::Simple(ty.kind().to_owned()) };
        if let Some(place) = self.places.get(&address) {
            return Reference::Place(*place);
        }
        let definition = self.define(ty);
        let place = self.types.len();
        self.types.push(definition);
        self.places.insert(address, place);
        Reference::Place(place)
    }

    fn define(&mut self, ty: &Type) -> Definition {
        let names = |names: &Named<()>| names.names().map(str::to_owned).collect();
        match ty {
            Type::List(element) => Definition::List(self.refer(element)),
            Type::Option(payload) => Definition::Option(self.refer(payload)),
            Type::Tuple(types) => Definition::Tuple(types.iter().map(|ty| self.refer(ty)).collect()),
            Type::Result(result) => Definition::Result(
                result.ok.as_ref().map(|ty| self.refer(ty)),
                result.err.as_ref().map(|ty| self.refer(ty)),
            ),
            Type::Variant(cases) => {
                let case = |(name, ty): (&str, &Option<Type>)| {
                    (name.to_owned(), ty.as_ref().map(|ty| self.refer(ty)))
                };
                Definition::Variant(cases.iter().map(case).collect())
            }
            Type::Enum(cases) => Definition::Enum(names(cases)),
            Type::Flags(flags) => Definition::Flags(names(flags)),
            Type::Record(fields) => {
                let field = |(name, ty): (&str, &Type)| (name.to_owned(), self.refer(ty));
                Definition::Record(fields.iter().map(field).collect())
            }
            _ => unreachable!("simple types have no address"),
        }
    }
}

/// Where a type with parts or names stands in memory: the same for all that share it.
fn address(ty: &Type) -> Option<usize> {
    Some(match ty {
        Type::List(it) | Type::Option(it) => Arc::as_ptr(it).addr(),
        Type::Result(it) => Arc::as_ptr(it).addr(),
        Type::Tuple(it) => Arc::as_ptr(it).addr(),
        Type::Record(it) => Arc::as_ptr(it).addr(),
        Type::Variant(it) => Arc::as_ptr(it).addr(),
        Type::Enum(it) | Type::Flags(it) => Arc::as_ptr(it).addr(),
        _ => return None,
    })
}

fn read(table: Table) -> Result<FunctionType, String> {
    if table.types.len() > MAX_TYPES {
        return Err(format!("more than {MAX_TYPES} types"));
    }
    let mut reader = Reader::default();
    for definition in table.types {
        let ty = reader.define(definition)?;
        let nesting = 1 + ty.parts().map(|part| reader.nesting(part)).max().unwrap_or(0);
        if nesting > MAX_NESTING {
            return Err(format!("more than {MAX_NESTING} types within each other"));
        }
        reader.push(ty, nesting);
    }
    let parameter = |(name, ty): (String, Reference)| Ok((name, reader.find(&ty)?));
    let parameters = table.parameters.into_iter().map(parameter).collect::<Result<_, String>>()?;
    Ok(FunctionType { parameters, result: table.result.map(|ty| reader.find(&ty)).transpose()? })
}

/// The types read so far, and how deep each of them is, by its address.
#[derive(Default)]
struct Reader {
    types: Vec<Type>,
    nesting: HashMap<usize, usize>,
}

impl Reader {
    fn push(&mut self, ty: Type, nesting: usize) {
        self.nesting.extend(address(&ty).map(|address| (address, nesting)));
        self.types.push(ty);
    }

    fn find(&self, reference: &Reference) -> Result<Type, String> {
        match reference {
            Reference::Place(place) => {
                let known = self.types.get(*place).cloned();
                known.ok_or_else(|| format!("no type stands at {place} before it is used"))
            }
            Reference::Simple(name) => simple(name).ok_or_else(|| format!("no simple type `{name:.40}`")),
        }
    }

    fn define(&self, definition: Definition) -> Result<Type, String> {
        let names = |names: Vec<String>| Arc::new(names.into_iter().map(|name| (name, ())).collect());
        let maybe = |ty: Option<Reference>| ty.map(|ty| self.find(&ty)).transpose();
        Ok(match definition {
            Definition::List(ty) => Type::List(Arc::new(self.find(&ty)?)),
            Definition::Option(ty) => Type::Option(Arc::new(self.find(&ty)?)),
            Definition::Result(ok, err) => {
                Type::Result(Arc::new(ResultType { ok: maybe(ok)?, err: maybe(err)? }))
            }
            Definition::Tuple(types) => {
                Type::Tuple(Arc::new(types.iter().map(|ty| self.find(ty)).collect::<Result<_, _>>()?))
            }
            Definition::Record(fields) => {
                let field = |(name, ty): (String, Reference)| Ok((name, self.find(&ty)?));
                Type::Record(Arc::new(fields.into_iter().map(field).collect::<Result<_, String>>()?))
            }
            Definition::Variant(cases) => {
                let case = |(name, ty): (String, Option<Reference>)| Ok((name, maybe(ty)?));
                Type::Variant(Arc::new(cases.into_iter().map(case).collect::<Result<_, String>>()?))
            }
            Definition::Enum(cases) => Type::Enum(names(cases)),
            Definition::Flags(flags) => Type::Flags(names(flags)),
        })
    }

    /// How deep a part is; a simple type has nothing in it.
    fn nesting(&self, ty: &Type) -> usize {
        address(ty).and_then(|address| self.nesting.get(&address)).copied().unwrap_or(1)
    }
}

fn simple(name: &str) -> Option<Type> {
    [
        Type::Bool,
        Type::S8,
        Type::U8,
        Type::S16,
        Type::U16,
        Type::S32,
        Type::U32,
        Type::S64,
        Type::U64,
        Type::F32,
        Type::F64,
        Type::Char,
        Type::String,
    ]
    .into_iter()
    .find(|ty| ty.kind() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> String {
        let function: FunctionType = serde_json::from_str(text).unwrap();
        serde_json::to_string(&function).unwrap()
    }

    #[test]
    fn what_was_written_is_read_and_each_type_stands_once() {
        for text in [
            r#"{"parameters":[]}"#,
            r#"{"types":[{"list":"u8"},{"record":[["a",0],["b",0]]}],"parameters":[["x",1],["y",0]],"result":"bool"}"#,
            r#"{"types":[{"result":[null,"string"]},{"variant":[["none",null],["some",0]]},{"enum":["a","b"]},{"flags":["r"]},{"option":"s64"},{"tuple":["f32","char"]}],"parameters":[["a",1],["b",2],["c",3],["d",4],["e",5]],"result":0}"#,
        ] {
            let function: FunctionType = serde_json::from_str(text).unwrap();
            let again = serde_json::to_string(&function).unwrap();
            assert_eq!(round(&again), again);
            assert_eq!(again.matches("record").count(), text.matches("record").count(), "{again}");
        }
    }

    #[test]
    fn a_table_that_no_component_has_is_refused() {
        let doubled: Vec<String> = (0..20)
            .map(|n| {
                if n == 0 {
                    r#"{"tuple":["u8","u8"]}"#.into()
                } else {
                    format!(r#"{{"tuple":[{0},{0}]}}"#, n - 1)
                }
            })
            .collect();
        let nested: Vec<String> = (0..30)
            .map(|n| if n == 0 { r#"{"list":"u8"}"#.into() } else { format!(r#"{{"list":{}}}"#, n - 1) })
            .collect();
        for (types, ty, word) in [
            (r#"{"list":1},{"list":0}"#, "0", "no type stands at 1"),
            ("", "0", "no type stands at 0"),
            ("", r#""resource""#, "no simple type"),
            (&doubled.join(","), "19", "over 10000 types"),
            (&nested.join(","), "29", "within each other"),
        ] {
            let text = format!(r#"{{"types":[{types}],"parameters":[["x",{ty}]]}}"#);
            let error = serde_json::from_str::<FunctionType>(&text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
