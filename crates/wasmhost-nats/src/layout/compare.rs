//! The settings of a stream that exists, against those that the protocol needs.

use std::fmt;
use std::time::Duration;

use async_nats::jetstream::stream::{Config, Source};
use serde_json::Value;
use wasmhost_protocol::format_duration;

/// A setting that is not as needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The stream or consumer.
    pub object: String,
    /// The setting, as the server's JSON names it.
    pub field: &'static str,
    /// What stands there.
    pub found: String,
    /// What is needed.
    pub wanted: String,
    /// What mends it.
    pub command: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, field, found, wanted, command } = self;
        write!(f, "`{object}`: `{field}` is {found}, wanted {wanted}; mend it with `{command}`")
    }
}

/// What is asked of a setting.
#[derive(Clone, Copy)]
enum Rule {
    /// Exactly the wanted value.
    Same,
    /// The wanted number, more, or no limit.
    AtLeast,
    /// Some limit, whichever, where one is wanted.
    Limited,
}

impl Rule {
    /// A limit that is not wanted of a stream of schedules would make the server drop some that were accepted.
    fn of(self, wanted: &Config) -> Self {
        match self {
            Self::Limited if wanted.allow_message_schedules => Self::Same,
            Self::Same | Self::AtLeast | Self::Limited => self,
        }
    }
}

/// Every compared setting, and the flag of `nats stream edit` that changes it; none: only making the stream anew does.
const SETTINGS: [(&str, Rule, Option<&str>); 21] = [
    ("subjects", Rule::Same, Some("subjects")),
    ("retention", Rule::Same, None),
    ("storage", Rule::Same, None),
    ("discard", Rule::Same, Some("discard")),
    ("discard_new_per_subject", Rule::Same, Some("discard-per-subject")),
    ("max_msgs_per_subject", Rule::Same, Some("max-msgs-per-subject")),
    ("max_age", Rule::Same, Some("max-age")),
    ("max_bytes", Rule::Limited, Some("max-bytes")),
    ("max_msgs", Rule::Limited, Some("max-msgs")),
    ("max_msg_size", Rule::AtLeast, Some("max-msg-size")),
    ("max_consumers", Rule::AtLeast, None),
    ("num_replicas", Rule::AtLeast, Some("replicas")),
    ("duplicate_window", Rule::AtLeast, Some("dupe-window")),
    ("allow_direct", Rule::Same, Some("allow-direct")),
    ("allow_rollup_hdrs", Rule::Same, Some("allow-rollup")),
    ("deny_delete", Rule::Same, None),
    ("allow_msg_ttl", Rule::Same, Some("allow-msg-ttl")),
    ("allow_msg_schedules", Rule::Same, Some("allow-schedules")),
    ("subject_delete_marker_ttl", Rule::Same, Some("subject-del-markers-ttl")),
    ("republish", Rule::Same, Some("republish-source")),
    ("sources", Rule::Same, Some("source")),
];

/// The settings of `found` that do not do.
pub(super) fn stream(found: &Config, wanted: &Config) -> Vec<Difference> {
    let (found, wanted_fields) = (fields(found), fields(wanted));
    let differing = SETTINGS.iter().filter_map(|(field, rule, flag)| {
        let (found, wanted_value) = (&found[*field], &wanted_fields[*field]);
        if satisfies(rule.of(wanted), &normal(field, found), &normal(field, wanted_value)) {
            return None;
        }
        let wanted_text = shown(field, wanted_value);
        Some(Difference {
            object: wanted.name.clone(),
            field,
            found: shown(field, found),
            command: match (&wanted.sources, *field) {
                (Some(sources), "sources") => edit_sources(&wanted.name, sources),
                _ => command(&wanted.name, *flag, wanted_value, &wanted_text),
            },
            wanted: wanted_text,
        })
    });
    differing.collect()
}

fn fields(config: &Config) -> Value {
    serde_json::to_value(config).expect("a stream's settings can be written as JSON")
}

/// Absent, zero, -1, false and empty say the same of a setting; of the order of subjects nothing depends.
fn normal(field: &str, value: &Value) -> Value {
    match value {
        Value::Bool(false) => Value::Null,
        Value::Number(number) if number.as_i64().is_some_and(|number| number <= 0) => Value::Null,
        Value::Array(items) if items.is_empty() => Value::Null,
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
        Rule::Limited => wanted.is_null() || !found.is_null(),
    }
}

const DURATIONS: [&str; 3] = ["max_age", "duplicate_window", "subject_delete_marker_ttl"];

fn shown(field: &str, value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::Number(nanos) if DURATIONS.contains(&field) => {
            format_duration(Duration::from_nanos(nanos.as_u64().unwrap_or(0)))
        }
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn command(stream: &str, flag: Option<&str>, wanted: &Value, wanted_text: &str) -> String {
    let Some(flag) = flag else {
        return format!("nats stream rm {stream}");
    };
    match wanted {
        Value::Bool(true) => format!("nats stream edit {stream} --{flag}"),
        Value::Bool(false) => format!("nats stream edit {stream} --no-{flag}"),
        Value::Number(_) | Value::String(_) => format!("nats stream edit {stream} --{flag}={wanted_text}"),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            format!("nats stream edit {stream} --{flag}='{}'", items.join(","))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => {
            format!("nats stream edit {stream} --interactive")
        }
    }
}

/// Sources are edited in place, in an editor alone. What they have brought already goes first: from a start sequence on, a
/// server that is started again brings what still stands there once more.
fn edit_sources(stream: &str, sources: &[Source]) -> String {
    let purges = sources.iter().flat_map(|source| {
        let purge = |subject: &str| format!("nats stream purge {} --subject='{subject}' && ", source.name);
        source.subject_transforms.iter().map(move |transform| purge(&transform.source))
    });
    format!("{}nats stream edit {stream} --interactive", purges.collect::<String>())
}

#[cfg(test)]
mod tests {
    use async_nats::jetstream::stream::SubjectTransform;

    use super::*;

    #[test]
    fn a_foreign_setting_is_named_with_its_mend() {
        let wanted = Config { name: "S".to_owned(), max_messages_per_subject: 1, ..Config::default() };
        assert_eq!(stream(&wanted, &wanted), []);
        let found = Config { max_messages_per_subject: 5, allow_rollup: true, ..wanted.clone() };
        let texts: Vec<_> = stream(&found, &wanted).iter().map(Difference::to_string).collect();
        let mend = "`S`: `max_msgs_per_subject` is 5, wanted 1; mend it with `nats stream edit S \
                    --max-msgs-per-subject=1`";
        assert_eq!(texts.len(), 2);
        assert_eq!(texts[0], mend);
    }

    #[test]
    fn a_limit_of_the_schedules_is_named_since_it_would_drop_some() {
        let wanted = Config {
            name: "S".to_owned(),
            allow_message_schedules: true,
            max_bytes: -1,
            ..Config::default()
        };
        assert_eq!(stream(&Config { max_bytes: 0, ..wanted.clone() }, &wanted), []);
        let differences = stream(&Config { max_bytes: 10, ..wanted.clone() }, &wanted);
        assert_eq!(differences[0].command, "nats stream edit S --max-bytes=-1");
    }

    #[test]
    fn a_source_without_a_start_is_named_with_its_mend() {
        let due = SubjectTransform { source: "due.>".to_owned(), destination: "jobs.>".to_owned() };
        let source = Source { name: "S".to_owned(), subject_transforms: vec![due], ..Source::default() };
        let started = Source { start_sequence: Some(1), ..source.clone() };
        let of = |source| Config { name: "J".to_owned(), sources: Some(vec![source]), ..Config::default() };
        assert_eq!(stream(&of(started.clone()), &of(started.clone())), []);
        let differences = stream(&of(source), &of(started));
        let mend = "nats stream purge S --subject='due.>' && nats stream edit J --interactive";
        assert_eq!((differences[0].field, &*differences[0].command), ("sources", mend));
        assert!(differences[0].wanted.contains(r#""opt_start_seq":1"#), "{}", differences[0]);
    }

    #[test]
    fn a_size_of_another_number_is_fine_where_it_is_a_limit() {
        let wanted = Config { max_bytes: 10, num_replicas: 3, ..Config::default() };
        let found = Config { max_bytes: 99, num_replicas: 5, ..Config::default() };
        assert_eq!(stream(&found, &wanted), []);
        let found = Config { max_bytes: -1, num_replicas: 1, ..Config::default() };
        let fields: Vec<_> = stream(&found, &wanted).iter().map(|difference| difference.field).collect();
        assert_eq!(fields, ["max_bytes", "num_replicas"]);
    }
}
