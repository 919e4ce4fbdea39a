//! JSON Schema (2020-12) of what the codec takes and gives: whatever a schema accepts the codec accepts, and the other
//! way round. Written as text, so that fields keep their order.

mod definitions;
mod pattern;

use crate::types::FunctionType;
use definitions::Definitions;

/// What every schema starts with.
const HEAD: &str = r#""$schema":"https://json-schema.org/draft/2020-12/schema""#;

/// The schema of any JSON value, for tasks that take and return JSON as it is.
#[must_use]
pub fn any() -> String {
    format!("{{{HEAD}}}")
}

/// The schema of a function's arguments: by name first, by position second, none where nothing is required.
#[must_use]
pub fn arguments(function: &FunctionType) -> String {
    let mut definitions = Definitions::default();
    let by_name = definitions.object(&function.parameters);
    let items: Vec<String> = function.parameters.iter().map(|(_, ty)| definitions.of(ty)).collect();
    let last_required = function.parameters.iter().rposition(|(_, ty)| !ty.is_option());
    let required = last_required.map_or(0, |last| last + 1);
    let prefix =
        if items.is_empty() { String::new() } else { format!(r#","prefixItems":[{}]"#, items.join(",")) };
    let by_position = format!(r#"{{"type":"array"{prefix},"items":false,"minItems":{required}}}"#);
    let none = if required == 0 { r#",{"type":"null"}"# } else { "" };
    format!(r#"{{{HEAD},"anyOf":[{by_name},{by_position}{none}]{}}}"#, definitions.finish())
}

/// The schema of a function's result: what stands in `ok` where it returns a `result`.
#[must_use]
pub fn result(function: &FunctionType) -> String {
    let mut definitions = Definitions::default();
    let schema = function.success().map_or_else(|| r#"{"type":"null"}"#.to_owned(), |ty| definitions.of(ty));
    // The schema without its opening brace: what is inside joins the head.
    format!("{{{HEAD},{}{}}}", schema[1..schema.len() - 1].trim(), definitions.finish())
}
