//! The commands that fix a difference.

use serde_json::Value;

use super::settings::Fix;

/// What is compared, and the commands that fix it.
pub(super) struct Object<'a> {
    pub(super) name: &'a str,
    /// `stream edit S`.
    pub(super) edit: String,
    /// `stream rm S`.
    pub(super) remove: String,
}

pub(super) fn command(object: &Object<'_>, fix: Fix, wanted: &Value, wanted_text: &str) -> String {
    let Object { edit, remove, .. } = object;
    let flag = match fix {
        Fix::Anew => return remove.clone(),
        Fix::Interactive => return format!("{edit} --interactive"),
        Fix::FlagOn(_) if *wanted != Value::Bool(true) => return remove.clone(),
        Fix::FlagOn(flag) | Fix::Flag(flag) => flag,
    };
    match wanted {
        Value::Bool(true) => format!("{edit} --{flag}"),
        Value::Bool(false) => format!("{edit} --no-{flag}"),
        Value::Number(_) | Value::String(_) => format!("{edit} --{flag}={wanted_text}"),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            format!("{edit} --{flag}='{}'", items.join(","))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => format!("{edit} --interactive"),
    }
}

/// Sources are edited in place, in an editor alone. What they have brought already goes first: from a start sequence on, a
/// server that is started again brings what still stands there once more.
pub(super) fn edit_sources(object: &Object<'_>, sources: &[Value]) -> String {
    let purge = |source: &Value| {
        let stream = source["name"].as_str().unwrap_or_default().to_owned();
        let transforms = source["subject_transforms"].as_array().cloned().unwrap_or_default();
        let purge = |transform: Value| {
            let subject = transform["src"].as_str().unwrap_or_default();
            format!("nats stream purge {stream} --subject='{subject}' && ")
        };
        transforms.into_iter().map(purge).collect::<String>()
    };
    format!("{}{} --interactive", sources.iter().map(purge).collect::<String>(), object.edit)
}
