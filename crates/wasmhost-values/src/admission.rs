//! Whether a function's types have a JSON form and a bounded description.

use wasmhost_protocol::text::truncate;

use crate::types::{FunctionType, Type};

/// Types within the types of one function, each use counted: 227 bytes of component can describe 131,072.
pub const MAX_TYPES: usize = 10_000;
/// Types within each other. Deeper schemas would not pass JSON parsers' own limit, usually 128 brackets.
pub const MAX_NESTING: usize = 24;
/// Names of parameters, fields, cases and flags, in bytes.
const MAX_NAME_BYTES: usize = 128;

impl FunctionType {
    /// Checks that the function can be called with JSON, and says how many types that takes, each use counted. The text of an
    /// error completes a sentence about the function.
    pub fn admit(&self) -> Result<usize, String> {
        let mut walk = Walk { room: MAX_TYPES, nesting: 0 };
        for (name, ty) in self.parameters.iter() {
            check_name(name).map_err(|problem| format!("it {problem}"))?;
            walk.check(ty).map_err(|problem| format!("its parameter `{name}` {problem}"))?;
        }
        if let Some(ty) = &self.result {
            walk.check(ty).map_err(|problem| format!("its result {problem}"))?;
        }
        Ok(MAX_TYPES - walk.room)
    }
}

/// A walk through the types of one function.
struct Walk {
    room: usize,
    nesting: usize,
}

impl Walk {
    fn check(&mut self, ty: &Type) -> Result<(), String> {
        if let Type::Foreign(kind) = ty {
            return Err(format!("has a {kind} in it, which has no JSON form"));
        }
        self.count(1)?;
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
                self.count(cases.len())?;
                cases.names().try_for_each(check_name)
            }
            Type::Enum(names) | Type::Flags(names) => {
                self.count(names.len())?;
                names.names().try_for_each(check_name)
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, types: usize) -> Result<(), String> {
        self.room =
            self.room.checked_sub(types).ok_or_else(|| format!("brings it over {MAX_TYPES} types"))?;
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
