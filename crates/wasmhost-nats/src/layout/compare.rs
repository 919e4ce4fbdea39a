//! The settings of a stream or a consumer that exists, against those that the protocol needs.

use std::fmt;
use std::time::Duration;

use async_nats::jetstream::consumer;
use async_nats::jetstream::stream::Config;
use serde_json::Value;
use wasmhost_protocol::duration::format_duration;

mod settings;

use settings::{CONSUMER, DURATIONS, Fix, Rule, STREAM, Setting};

/// A setting that is not as needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The stream or consumer; `nats-server` for one of its own.
    pub object: String,
    /// The setting, as the server's JSON names it.
    pub field: &'static str,
    /// What stands there.
    pub found: String,
    /// What is needed.
    pub wanted: String,
    /// What fixes it.
    pub command: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, field, found, wanted, command } = self;
        write!(f, "`{object}`: `{field}` is {found}, wanted {wanted}; fix it with `{command}`")
    }
}

impl Rule {
    /// A limit that is not wanted of a stream of schedules would make the server drop some that were accepted.
    fn of(self, wanted: &Value) -> Self {
        match self {
            Self::Limited if wanted["allow_msg_schedules"] == true => Self::Same,
            rule => rule,
        }
    }
}

/// What is compared, and the commands that fix it.
struct Object<'a> {
    name: &'a str,
    /// `stream edit S`.
    edit: String,
    /// `stream rm S`.
    remove: String,
}

/// The settings of a stream that do not do.
pub(super) fn stream(found: &Config, wanted: &Config) -> Vec<Difference> {
    let name = &wanted.name;
    let (edit, remove) = (format!("nats stream edit {name}"), format!("nats stream rm {name}"));
    compare(&Object { name, edit, remove }, &STREAM, &fields(found), &fields(wanted))
}

/// The settings of a consumer that do not do.
pub(super) fn consumer(
    (stream, name): (&str, &str),
    found: &consumer::Config,
    wanted: &consumer::Config,
) -> Vec<Difference> {
    let edit = format!("nats consumer edit {stream} {name}");
    let remove = format!("nats consumer rm {stream} {name}");
    compare(&Object { name, edit, remove }, &CONSUMER, &fields(found), &fields(wanted))
}

fn compare(object: &Object<'_>, settings: &[Setting], found: &Value, all_wanted: &Value) -> Vec<Difference> {
    let differing = settings.iter().filter_map(|Setting(field, rule, fix)| {
        let (found, wanted) = (&found[*field], &all_wanted[*field]);
        if satisfies(rule.of(all_wanted), &normal(field, found), &normal(field, wanted)) {
            return None;
        }
        let wanted_text = shown(field, wanted);
        Some(Difference {
            object: object.name.to_owned(),
            field,
            found: shown(field, found),
            command: match wanted.as_array().filter(|_| *field == "sources") {
                Some(sources) => edit_sources(object, sources),
                None => command(object, *fix, wanted, &wanted_text),
            },
            wanted: wanted_text,
        })
    });
    differing.collect()
}

fn fields(config: &impl serde::Serialize) -> Value {
    serde_json::to_value(config).expect("settings can be written as JSON")
}

/// Absent, zero, -1, false, empty and the default by its name say the same of a setting; of the order of subjects nothing
/// depends.
fn normal(field: &str, value: &Value) -> Value {
    match value {
        Value::Bool(false) => Value::Null,
        Value::Number(number) if number.as_i64().is_some_and(|number| number <= 0) => Value::Null,
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::String(text) if text.is_empty() => Value::Null,
        Value::String(text) if field == "persist_mode" && text == "default" => Value::Null,
        Value::Array(items) if field == "subjects" => {
            let mut items = items.clone();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        value => value.clone(),
    }
}

fn satisfies(rule: Rule, found: &Value, wanted: &Value) -> bool {
    match rule {
        Rule::Same => found == wanted,
        Rule::AtLeast => match (found.as_i64(), wanted.as_i64()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(found), Some(wanted)) => found >= wanted,
        },
        Rule::Explicit => found.as_i64() >= wanted.as_i64(),
        Rule::Limited => wanted.is_null() || !found.is_null(),
    }
}

fn shown(field: &str, value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::Number(nanos) if DURATIONS.contains(&field) => {
            format_duration(Duration::from_nanos(nanos.as_u64().unwrap_or(0)))
        }
        Value::String(text) if text.is_empty() => "not set".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn command(object: &Object<'_>, fix: Fix, wanted: &Value, wanted_text: &str) -> String {
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
fn edit_sources(object: &Object<'_>, sources: &[Value]) -> String {
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

#[cfg(test)]
mod tests;
