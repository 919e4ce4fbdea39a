//! Writes the JSON Schema (2020-12) of arguments and results. What a schema accepts the decoder accepts, and the other
//! way round. Schemas are written as text, so that fields keep their order.

mod definitions;
mod forms;
mod pattern;

use crate::types::FunctionType;
use definitions::Definitions;

/// The beginning of every schema.
const HEAD: &str = r#""$schema":"https://json-schema.org/draft/2020-12/schema""#;

/// The schema of any JSON value, for tasks that take and return JSON as it is.
#[must_use]
pub fn any() -> String {
    format!("{{{HEAD}}}")
}

/// The schema of the arguments of a function: an object by name, an array by position, or null if nothing is required.
#[must_use]
pub fn arguments(function: &FunctionType) -> String {
    let mut definitions = Definitions::default();
    let by_name = definitions.object(&function.parameters);
    let items: Vec<String> = function.parameters.iter().map(|(_, ty)| definitions.of(ty)).collect();
    // Options at the end of an array may be left out; those before a required parameter hold its place.
    let last_required = function.parameters.iter().rposition(|(_, ty)| !ty.is_option());
    let required = last_required.map_or(0, |last| last + 1);
    let prefix =
        if items.is_empty() { String::new() } else { format!(r#","prefixItems":[{}]"#, items.join(",")) };
    let by_position = format!(r#"{{"type":"array"{prefix},"items":false,"minItems":{required}}}"#);
    let none = if required == 0 { r#",{"type":"null"}"# } else { "" };
    format!(r#"{{{HEAD},"anyOf":[{by_name},{by_position}{none}]{}}}"#, definitions.finish())
}

/// The schema of a job's result: the payload of `ok` if the function returns a `result`, or else what it returns.
#[must_use]
pub fn result(function: &FunctionType) -> String {
    let mut definitions = Definitions::default();
    let schema = function.success().map_or_else(|| r#"{"type":"null"}"#.to_owned(), |ty| definitions.of(ty));
    // The head stands in the same object, so that the schema loses its own braces.
    let members = schema[1..schema.len() - 1].trim();
    format!("{{{HEAD},{members}{}}}", definitions.finish())
}
