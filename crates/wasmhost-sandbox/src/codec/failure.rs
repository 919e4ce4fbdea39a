//! The payload of an outermost `err`, as message and details.

use std::time::Duration;

use wasmhost_protocol::json::Json;
use wasmhost_protocol::outcome::Verdict;
use wasmhost_protocol::policy::Limits;
use wasmhost_protocol::text::{cut_middle, escape_lines};
use wasmhost_values::Type;
use wasmtime::component::Val;

use super::encode;
use super::text::Text;

/// Details with a longer JSON text are left out.
const DETAIL_BYTES: usize = 8 << 10;

/// What an error without a payload says.
pub(crate) const NO_PAYLOAD: &str = "the task returned an error";

/// What a `task-error` asks for.
pub(super) fn from_task_error(error: &Val) -> Verdict {
    let Val::Variant(case, Some(payload)) = error else { return without_payload() };
    let Val::Record(fields) = payload.as_ref() else { return without_payload() };
    let message = fields.iter().find(|(name, _)| name == "message").map(|(_, value)| text(value));
    let message = cut(message.unwrap_or_default());
    let details = present(fields, "details").and_then(|value| details_of(text(value)));
    match case.as_str() {
        "retry" => {
            let after = present(fields, "after").and_then(|value| match value {
                Val::U64(milliseconds) => Some(Duration::from_millis(*milliseconds)),
                _ => None,
            });
            Verdict::RetryAsked { message, details, after }
        }
        "permanent" => Verdict::Permanent { message, details },
        _ => Verdict::Failed { message, details },
    }
}

/// A failure with an `error` of any type.
pub(super) fn failure(ty: &Type, error: &Val) -> Verdict {
    let (message, details) = match (ty, error) {
        (_, Val::String(message)) => (cut(message), None),
        (_, Val::Enum(case)) => (cut(case), None),
        (Type::Variant(variant), Val::Variant(name, payload)) => {
            let details = match (variant.get(name), payload) {
                (Some(Some(ty)), Some(payload)) => json(ty, payload).1,
                _ => None,
            };
            (cut(name), details)
        }
        (_, Val::Record(fields)) => {
            let (text, details) = json(ty, error);
            match fields.iter().find(|(name, _)| name == "message") {
                Some((_, Val::String(message))) => (cut(message), details),
                _ => (text, details),
            }
        }
        _ => json(ty, error),
    };
    Verdict::Failed { message, details }
}

/// A failure that says nothing.
pub(super) fn without_payload() -> Verdict {
    Verdict::Failed { message: NO_PAYLOAD.to_owned(), details: None }
}

/// The value's JSON, once cut to a message and once whole.
fn json(ty: &Type, value: &Val) -> (String, Option<Json>) {
    let mut out = Text::up_to(DETAIL_BYTES);
    let whole = encode::write(&mut out, ty, value);
    let text = out.into_string();
    (cut(&text), whole.ok().and_then(|()| Json::stored(text).ok()))
}

/// Details that a guest gave as JSON text; what is not taken as JSON is kept as a string.
fn details_of(text: &str) -> Option<Json> {
    let details = Json::parse(text).or_else(|_| Json::of(text)).ok()?;
    (details.as_str().len() <= DETAIL_BYTES).then_some(details)
}

fn present<'a>(fields: &'a [(String, Val)], wanted: &str) -> Option<&'a Val> {
    match fields.iter().find(|(name, _)| name == wanted) {
        Some((_, Val::Option(Some(value)))) => Some(value),
        _ => None,
    }
}

fn text(value: &Val) -> &str {
    if let Val::String(text) = value { text } else { "" }
}

fn cut(text: &str) -> String {
    cut_middle(&escape_lines(text), Limits::ERROR_TEXT_BYTES, "lines")
}
