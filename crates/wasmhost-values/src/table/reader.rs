//! Reads the types of a function from a table that anybody may have written.

use std::collections::HashMap;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::address::address;
use super::form::{Definition, Reference, Table};
use crate::admission::{MAX_NESTING, MAX_TYPES};
use crate::types::{FunctionType, Named, ResultType, Type};

impl<'de> Deserialize<'de> for FunctionType {
    /// Refuses a table that no function of a component could have that is admitted as a task.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = Table::deserialize(deserializer)?;
        let function = read(table).map_err(D::Error::custom)?;
        function.admit().map_err(|problem| D::Error::custom(format!("a function: {problem}")))?;
        Ok(function)
    }
}

fn read(table: Table) -> Result<FunctionType, String> {
    // No function with more types is admitted, and reading them would take time and memory first.
    if table.types.len() > MAX_TYPES {
        return Err(format!("more than {MAX_TYPES} types"));
    }
    let mut reader = Reader::default();
    for definition in table.types {
        reader.read(definition)?;
    }
    let parameters = table.parameters.into_iter();
    let parameters =
        parameters.map(|(name, ty)| Ok((name, reader.find(&ty)?))).collect::<Result<_, String>>()?;
    Ok(FunctionType { parameters, result: reader.maybe(table.result)? })
}

/// The types that were read so far.
#[derive(Default)]
struct Reader {
    types: Vec<Type>,
    /// How many types are within each other in each of them, itself counted, by its address.
    nesting: HashMap<usize, usize>,
}

impl Reader {
    fn read(&mut self, definition: Definition) -> Result<(), String> {
        let ty = self.define(definition)?;
        let nesting = 1 + ty.parts().map(|part| self.nesting(part)).max().unwrap_or(0);
        // Types are dropped and walked by recursion, and a deeper one could use up the stack.
        if nesting > MAX_NESTING {
            return Err(format!("more than {MAX_NESTING} types within each other"));
        }
        self.nesting.extend(address(&ty).map(|address| (address, nesting)));
        self.types.push(ty);
        Ok(())
    }

    fn define(&self, definition: Definition) -> Result<Type, String> {
        Ok(match definition {
            Definition::List(ty) => Type::List(Arc::new(self.find(&ty)?)),
            Definition::Option(ty) => Type::Option(Arc::new(self.find(&ty)?)),
            Definition::Result(ok, err) => {
                Type::Result(Arc::new(ResultType { ok: self.maybe(ok)?, err: self.maybe(err)? }))
            }
            Definition::Tuple(types) => {
                Type::Tuple(Arc::new(types.iter().map(|ty| self.find(ty)).collect::<Result<_, _>>()?))
            }
            Definition::Record(fields) => {
                let fields = fields.into_iter().map(|(name, ty)| Ok((name, self.find(&ty)?)));
                Type::Record(Arc::new(fields.collect::<Result<_, String>>()?))
            }
            Definition::Variant(cases) => {
                let cases = cases.into_iter().map(|(name, ty)| Ok((name, self.maybe(ty)?)));
                Type::Variant(Arc::new(cases.collect::<Result<_, String>>()?))
            }
            Definition::Enum(cases) => Type::Enum(without_types(cases)),
            Definition::Flags(flags) => Type::Flags(without_types(flags)),
        })
    }

    fn find(&self, reference: &Reference) -> Result<Type, String> {
        match reference {
            Reference::Index(index) => {
                let ty = self.types.get(*index).cloned();
                ty.ok_or_else(|| format!("no type stands at {index} before it is used"))
            }
            Reference::Simple(name) => simple(name).ok_or_else(|| format!("no simple type `{name:.40}`")),
        }
    }

    fn maybe(&self, reference: Option<Reference>) -> Result<Option<Type>, String> {
        reference.map(|reference| self.find(&reference)).transpose()
    }

    fn nesting(&self, ty: &Type) -> usize {
        // A simple type has no address, and nothing within it.
        address(ty).and_then(|address| self.nesting.get(&address)).copied().unwrap_or(1)
    }
}

fn without_types(names: Vec<String>) -> Arc<Named<()>> {
    Arc::new(names.into_iter().map(|name| (name, ())).collect())
}

/// The simple type with a name.
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
