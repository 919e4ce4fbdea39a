//! Writes the types of a function as a table.

use std::collections::HashMap;

use serde::{Serialize, Serializer};

use super::address::address;
use super::form::{Definition, Reference, Table};
use crate::types::{FunctionType, Named, Type};

impl Serialize for FunctionType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut writer = Writer::default();
        let parameters =
            self.parameters.iter().map(|(name, ty)| (name.to_owned(), writer.refer(ty))).collect();
        let result = self.result.as_ref().map(|ty| writer.refer(ty));
        Table { types: writer.types, parameters, result }.serialize(serializer)
    }
}

#[derive(Default)]
struct Writer {
    types: Vec<Definition>,
    /// The indices of the types that are written, by their address.
    indices: HashMap<usize, usize>,
}

impl Writer {
    /// A reference to a type, which is written first if it is not yet.
    fn refer(&mut self, ty: &Type) -> Reference {
        let Some(address) = address(ty) else { return Reference::Simple(ty.kind().to_owned()) };
        if let Some(index) = self.indices.get(&address) {
            return Reference::Index(*index);
        }
        // The types within it come first, since a type refers only to those before it.
        let definition = self.define(ty);
        let index = self.types.len();
        self.types.push(definition);
        self.indices.insert(address, index);
        Reference::Index(index)
    }

    fn define(&mut self, ty: &Type) -> Definition {
        match ty {
            Type::List(element) => Definition::List(self.refer(element)),
            Type::Option(payload) => Definition::Option(self.refer(payload)),
            Type::Tuple(types) => Definition::Tuple(types.iter().map(|ty| self.refer(ty)).collect()),
            Type::Result(result) => {
                Definition::Result(self.maybe(result.ok.as_ref()), self.maybe(result.err.as_ref()))
            }
            Type::Record(fields) => {
                let fields = fields.iter().map(|(name, ty)| (name.to_owned(), self.refer(ty)));
                Definition::Record(fields.collect())
            }
            Type::Variant(cases) => {
                let cases = cases.iter().map(|(name, ty)| (name.to_owned(), self.maybe(ty.as_ref())));
                Definition::Variant(cases.collect())
            }
            Type::Enum(cases) => Definition::Enum(owned_names(cases)),
            Type::Flags(flags) => Definition::Flags(owned_names(flags)),
            _ => unreachable!("simple types have no address"),
        }
    }

    fn maybe(&mut self, ty: Option<&Type>) -> Option<Reference> {
        ty.map(|ty| self.refer(ty))
    }
}

fn owned_names(names: &Named<()>) -> Vec<String> {
    names.names().map(str::to_owned).collect()
}
