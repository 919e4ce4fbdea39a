//! `[ceiling.limits]` and `[ceiling.retry]` of a host's configuration file: the most that policies and jobs may ask for.

use wasmhost_protocol::bounds;
use wasmhost_protocol::policy::Ceiling;

use super::flag_values::{bytes, duration, number};
use super::toml_reader::TomlReader;

/// Reads a text into its place in a ceiling. The error says what is wrong with the text.
type Put = fn(&mut Ceiling, &str) -> Result<(), String>;

/// The tables, each with its keys.
const TABLES: [(&str, &[(&str, Put)]); 2] = [("limits", &LIMITS), ("retry", &RETRY)];

const LIMITS: [(&str, Put); 10] = [
    ("memory", |to, text| put(&mut to.memory_bytes, bytes(bounds::MEMORY_BYTES)(text))),
    ("cpu", |to, text| put(&mut to.cpu, duration(bounds::ATTEMPT)(text))),
    ("timeout", |to, text| put(&mut to.timeout, duration(bounds::ATTEMPT)(text))),
    ("soft-timeout", |to, text| put(&mut to.soft_timeout, duration(bounds::ATTEMPT)(text))),
    ("table-elements", |to, text| put(&mut to.table_elements, number(bounds::TABLE_ELEMENTS)(text))),
    ("handles", |to, text| put(&mut to.handles, number(bounds::HANDLES)(text))),
    ("result", |to, text| put(&mut to.result_bytes, bytes(bounds::BLOB_BYTES)(text))),
    ("meta", |to, text| put(&mut to.meta_bytes, bytes(bounds::META_BYTES)(text))),
    ("checkpoint", |to, text| put(&mut to.checkpoint_bytes, bytes(bounds::BLOB_BYTES)(text))),
    ("updates-per-second", |to, text| {
        put(&mut to.updates_per_second, number(bounds::UPDATES_PER_SECOND)(text))
    }),
];

const RETRY: [(&str, Put); 5] = [
    ("max-attempts", |to, text| put(&mut to.max_attempts, number(bounds::MAX_ATTEMPTS)(text))),
    ("initial-delay", |to, text| put(&mut to.initial_delay, duration(bounds::RETRY_DELAY)(text))),
    ("factor", |to, text| put(&mut to.factor, number(bounds::RETRY_FACTOR)(text))),
    ("max-delay", |to, text| put(&mut to.max_delay, duration(bounds::RETRY_DELAY)(text))),
    ("max-lost", |to, text| put(&mut to.max_lost, number(bounds::MAX_LOST)(text))),
];

fn put<T>(place: &mut T, value: Result<T, String>) -> Result<(), String> {
    value.map(|value| *place = value)
}

/// The keys of a table as a help text lists them. That of memory has a flag, and is left out.
pub(crate) fn listed_keys(table: &str) -> String {
    let keys = TABLES.iter().filter(|(name, _)| *name == table).flat_map(|(_, keys)| keys.iter());
    let keys: Vec<_> = keys.map(|(key, _)| *key).filter(|key| *key != "memory").collect();
    match keys.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        keys => keys.concat(),
    }
}

/// Reads the ceilings that the file sets over the usual ones; none where it sets no ceiling.
pub(super) fn read(reader: &mut TomlReader) -> Option<Ceiling> {
    let value = reader.table.get("ceiling")?.clone();
    let tables = reader.as_table("ceiling", &value)?;
    let mut ceiling = Ceiling::default();
    reader.refuse_unknown("ceiling.", &tables, &TABLES.map(|(name, _)| name));
    for (name, settings) in TABLES {
        let path = format!("ceiling.{name}");
        let Some(table) = tables.get(name).and_then(|value| reader.as_table(&path, value)) else { continue };
        let known: Vec<_> = settings.iter().map(|(key, _)| *key).collect();
        reader.refuse_unknown(&format!("{path}."), &table, &known);
        for (key, put) in settings {
            if let Some(value) = table.get(*key) {
                reader.read(&format!("{path}.{key}"), value, |text| put(&mut ceiling, text));
            }
        }
        // Two keys of one setting would leave open which of them counts.
        if name == "limits" && table.contains_key("memory") && reader.table.contains_key("memory-limit") {
            let problem = "`ceiling.limits.memory` is `memory-limit`: leave one of them out";
            reader.problem("ceiling.limits.memory", problem);
        }
    }
    Some(ceiling)
}
