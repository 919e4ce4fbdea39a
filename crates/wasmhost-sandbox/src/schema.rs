//! JSON Schema (2020-12) of what the codec takes and gives: whatever a schema accepts the codec accepts, and the other
//! way round. Written as text, so that fields keep their order.

mod definitions;
mod pattern;

use wasmtime::component::{Type, types::ComponentFunc};

use definitions::{Definitions, quoted};

/// What every schema starts with.
const HEAD: &str = r#""$schema":"https://json-schema.org/draft/2020-12/schema""#;

/// The schema of any JSON value, for tasks that take and return JSON as it is.
pub(crate) fn anything() -> String {
    format!("{{{HEAD}}}")
}

/// The schema of a function's arguments: by name first, by position second, none where nothing is required.
pub(crate) fn arguments(func: &ComponentFunc) -> String {
    let mut definitions = Definitions::default();
    let parameters: Vec<(&str, Type)> = func.params().collect();
    let by_name = definitions.object(&parameters);
    let items: Vec<String> = parameters.iter().map(|(_, ty)| definitions.of(ty)).collect();
    let required = parameters.iter().rposition(|(_, ty)| !is_option(ty)).map_or(0, |last| last + 1);
    let prefix =
        if items.is_empty() { String::new() } else { format!(r#","prefixItems":[{}]"#, items.join(",")) };
    let by_position = format!(r#"{{"type":"array"{prefix},"items":false,"minItems":{required}}}"#);
    let none = if required == 0 { r#",{"type":"null"}"# } else { "" };
    format!(r#"{{{HEAD},"anyOf":[{by_name},{by_position}{none}]{}}}"#, definitions.finish())
}

/// The schema of a function's result: what stands in `ok` where it returns a `result`.
pub(crate) fn result(func: &ComponentFunc) -> String {
    let ty = match func.results().next() {
        Some(Type::Result(result)) => result.ok(),
        other => other,
    };
    let mut definitions = Definitions::default();
    let schema = ty.map_or_else(|| r#"{"type":"null"}"#.to_owned(), |ty| definitions.of(&ty));
    // The schema without its opening brace: what is inside joins the head.
    format!("{{{HEAD},{}{}}}", schema[1..schema.len() - 1].trim(), definitions.finish())
}

fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Option(_))
}

/// `["a","b"]`.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(quoted).collect();
    format!("[{}]", names.join(","))
}

#[cfg(test)]
mod tests;
