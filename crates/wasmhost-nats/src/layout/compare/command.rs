//! The commands that fix a difference, for the operator to run.

use serde_json::Value;

use super::settings::Fix;

/// The stream or consumer that is compared, with the beginnings of the commands that fix it.
pub(super) struct Object<'a> {
    pub(super) name: &'a str,
    /// `nats stream edit S`, or the same for a consumer.
    pub(super) edit: String,
    /// `nats stream rm S`, or the same for a consumer.
    pub(super) remove: String,
}

/// The command that fixes a setting.
pub(super) fn command(object: &Object<'_>, fix: Fix, wanted: &Value, wanted_text: &str) -> String {
    let Object { edit, remove, .. } = object;
    let flag = match fix {
        Fix::Anew => return remove.clone(),
        Fix::Interactive => return format!("{edit} --interactive"),
        // The server lets nobody turn such a setting off.
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

/// The command that fixes sources, which `nats stream edit` changes in an editor only.
pub(super) fn edit_sources(object: &Object<'_>, sources: &[Value]) -> String {
    // What a source has brought already is purged first: with a new start sequence it would bring all of that once
    // more.
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
