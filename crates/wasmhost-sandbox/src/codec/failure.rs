//! Turns the payload of a function's outermost `err` into the message and the details of a failure.

use std::time::Duration;

use wasmhost_protocol::json::Json;
use wasmhost_protocol::outcome::Verdict;
use wasmhost_values::Type;
use wasmtime::component::Val;

use super::encode;
use super::text::BoundedText;
use crate::error_text::clip;

/// The most bytes of JSON that details may have; longer ones are left out.
const DETAIL_BYTES: usize = 8 << 10;

/// The message of an error without a payload.
pub(crate) const NO_PAYLOAD: &str = "the task returned an error";

/// The verdict that a `task-error` asks for.
pub(super) fn from_task_error(error: &Val) -> Verdict {
    let Val::Variant(case, Some(payload)) = error else { return without_payload() };
    let Val::Record(fields) = payload.as_ref() else { return without_payload() };
    let message = fields.iter().find(|(name, _)| name == "message").map(|(_, value)| text(value));
    let message = clip(message.unwrap_or_default());
    let details = optional_field(fields, "details").and_then(|value| details_from_text(text(value)));
    match case.as_str() {
        "retry" => {
            let after = optional_field(fields, "after").and_then(milliseconds);
            Verdict::RetryAsked { message, details, after }
        }
        "permanent" => Verdict::Permanent { message, details },
        _ => Verdict::Failed { message, details },
    }
}

/// The verdict on an error of any other type.
pub(super) fn from_error(ty: &Type, error: &Val) -> Verdict {
    let (message, details) = match (ty, error) {
        (_, Val::String(message)) => (clip(message), None),
        (_, Val::Enum(case)) => (clip(case), None),
        (Type::Variant(variant), Val::Variant(name, payload)) => {
            let details = match (variant.get(name), payload) {
                (Some(Some(ty)), Some(payload)) => message_and_details(ty, payload).1,
                _ => None,
            };
            (clip(name), details)
        }
        (_, Val::Record(fields)) => {
            let (json, details) = message_and_details(ty, error);
            match fields.iter().find(|(name, _)| name == "message") {
                Some((_, Val::String(message))) => (clip(message), details),
                _ => (json, details),
            }
        }
        _ => message_and_details(ty, error),
    };
    Verdict::Failed { message, details }
}

/// The verdict on an error without a payload.
pub(super) fn without_payload() -> Verdict {
    Verdict::Failed { message: NO_PAYLOAD.to_owned(), details: None }
}

/// The JSON of a value as a message, and as details where they have room for it.
fn message_and_details(ty: &Type, value: &Val) -> (String, Option<Json>) {
    let mut out = BoundedText::new(DETAIL_BYTES);
    let written = encode::write(&mut out, ty, value);
    let text = out.into_string();
    let message = clip(&text);
    (message, written.ok().and_then(|()| Json::stored(text).ok()))
}

/// Details that a guest gave as JSON text; a text that is not accepted as JSON becomes a JSON string.
fn details_from_text(text: &str) -> Option<Json> {
    // Details that are no JSON are no reason to lose the message beside them.
    let details = Json::parse(text).or_else(|_| Json::encode(text)).ok()?;
    (details.as_str().len() <= DETAIL_BYTES).then_some(details)
}

/// The payload of a field whose type is an option.
fn optional_field<'a>(fields: &'a [(String, Val)], wanted: &str) -> Option<&'a Val> {
    match fields.iter().find(|(name, _)| name == wanted) {
        Some((_, Val::Option(Some(value)))) => Some(value),
        _ => None,
    }
}

fn milliseconds(value: &Val) -> Option<Duration> {
    if let Val::U64(milliseconds) = value { Some(Duration::from_millis(*milliseconds)) } else { None }
}

fn text(value: &Val) -> &str {
    if let Val::String(text) = value { text } else { "" }
}
