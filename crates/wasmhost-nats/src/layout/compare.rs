//! Comparing the settings of a stream or a consumer that exists with those that the protocol needs. They are compared
//! in the server's JSON, so that one list of fields is enough for all of them.

mod command;
mod settings;
#[cfg(test)]
mod tests;

use std::time::Duration;

use async_nats::jetstream::consumer;
use async_nats::jetstream::stream::Config;
use serde_json::Value;
use wasmhost_protocol::duration::format_duration;

use super::difference::Difference;
use command::{Object, command, edit_sources};
use settings::{CONSUMER, DURATIONS, Rule, STREAM, Setting};

/// The settings of a stream that are not as required.
pub(super) fn stream(found: &Config, wanted: &Config) -> Vec<Difference> {
    let name = &wanted.name;
    let edit = format!("nats stream edit {name}");
    let remove = format!("nats stream rm {name}");
    compare(&Object { name, edit, remove }, &STREAM, &fields(found), &fields(wanted))
}

/// The settings of a consumer that are not as required.
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
        let found = &found[*field];
        let wanted = &all_wanted[*field];
        if satisfies(rule.of(all_wanted), &normal(field, found), &normal(field, wanted)) {
            return None;
        }
        let wanted_text = value_text(field, wanted);
        Some(Difference {
            object: object.name.to_owned(),
            field,
            found: value_text(field, found),
            fix: match wanted.as_array().filter(|_| *field == "sources") {
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

/// One form for values that mean the same to the server.
fn normal(field: &str, value: &Value) -> Value {
    match value {
        // The server and async-nats leave a default out, or write it as false, 0, -1, empty or by its name.
        Value::Bool(false) => Value::Null,
        Value::Number(number) if number.as_i64().is_some_and(|number| number <= 0) => Value::Null,
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::String(text) if text.is_empty() => Value::Null,
        Value::String(text) if field == "persist_mode" && text == "default" => Value::Null,
        // Nothing depends on the order of subjects.
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
        // A setting without a number is `None`, which is less than any number.
        Rule::Explicit => found.as_i64() >= wanted.as_i64(),
        Rule::Limited => wanted.is_null() || !found.is_null(),
    }
}

/// A value as the difference says it.
fn value_text(field: &str, value: &Value) -> String {
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
