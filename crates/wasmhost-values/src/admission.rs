//! Decides whether the types of a function have a JSON form and a description of bounded size.

use wasmhost_protocol::text::truncate;

use crate::types::{FunctionType, Type};

/// The most types within the types of one function, each use counted. A component of 227 bytes can describe 131,072.
pub const MAX_TYPES: usize = 10_000;
/// The most types within each other. The schema of deeper ones would not pass the limit of JSON parsers, which is 128
/// brackets as a rule.
pub const MAX_NESTING: usize = 24;
/// The most bytes in the name of a parameter, field, case or flag.
const MAX_NAME_BYTES: usize = 128;

impl FunctionType {
    /// Checks that the function can be called with JSON, and returns how many types that takes, each use counted.
    ///
    /// # Errors
    ///
    /// Returns a text that completes a sentence about the function, such as ``its parameter `b` has a resource in it,
    /// which has no JSON form``.
    pub fn admit(&self) -> Result<usize, String> {
        let mut check = Check { types_left: MAX_TYPES, nesting: 0 };
        for (name, ty) in self.parameters.iter() {
            check_name(name).map_err(|problem| format!("it {problem}"))?;
            check.check(ty).map_err(|problem| format!("its parameter `{name}` {problem}"))?;
        }
        if let Some(ty) = &self.result {
            check.check(ty).map_err(|problem| format!("its result {problem}"))?;
        }
        Ok(MAX_TYPES - check.types_left)
    }
}

/// A check of all types of one function. Its errors complete a sentence about a parameter or a result.
struct Check {
    types_left: usize,
    nesting: usize,
}

impl Check {
    fn check(&mut self, ty: &Type) -> Result<(), String> {
        if let Type::Foreign(kind) = ty {
            return Err(format!("has a {kind} in it, which has no JSON form"));
        }
        // Each use is charged, although the type is shared: WIT text and values write it out at each place.
        self.charge(1)?;
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(format!("has more than {MAX_NESTING} types within each other"));
        }
        self.check_names(ty)?;
        ty.parts().try_for_each(|part| self.check(part))?;
        self.nesting -= 1;
        Ok(())
    }

    fn check_names(&mut self, ty: &Type) -> Result<(), String> {
        match ty {
            Type::Record(fields) => fields.names().try_for_each(check_name),
            Type::Variant(cases) => {
                // A case without a payload has no type of its own, and takes room in the schema all the same.
                self.charge(cases.len())?;
                cases.names().try_for_each(check_name)
            }
            Type::Enum(names) | Type::Flags(names) => {
                self.charge(names.len())?;
                names.names().try_for_each(check_name)
            }
            _ => Ok(()),
        }
    }

    fn charge(&mut self, types: usize) -> Result<(), String> {
        let types_left = self.types_left.checked_sub(types);
        self.types_left = types_left.ok_or_else(|| format!("brings it over {MAX_TYPES} types"))?;
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), String> {
    if name.len() <= MAX_NAME_BYTES {
        return Ok(());
    }
    let start = truncate(name, 20);
    Err(format!("has the name `{start}…` of more than {MAX_NAME_BYTES} bytes in it"))
}
