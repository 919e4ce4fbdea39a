//! What a call returned, as the verdict of the attempt. Only the function's outermost `result` decides success.

use wasmhost_protocol::json::{InvalidJson, Json};
use wasmhost_protocol::outcome::Verdict;
use wasmhost_values::Type;
use wasmtime::component::Val;

use super::encode;
use super::failure::{self, failure};
use super::text::Text;
use crate::tasks::Task;

/// Why what a call returned is no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ResultError {
    /// Its JSON text is longer than the module's policy lets it be.
    #[error("the result is larger than {limit} bytes of JSON")]
    TooLarge {
        /// The longest that is kept, in bytes.
        limit: u64,
    },
    /// An untyped task returned a text that is not taken as JSON.
    #[error("the handler returned a text that is {0}")]
    NotJson(InvalidJson),
    /// An untyped task returned an object with a name twice.
    #[error("the handler returned an object with a name twice: {0}")]
    DuplicateName(InvalidJson),
}

/// The verdict that the values `results` of `task` stand for; the result's JSON may take `max_bytes`.
pub(crate) fn encode_result(task: &Task, results: Vec<Val>, max_bytes: u64) -> Result<Verdict, ResultError> {
    let (Some(ty), Some(value)) = (&task.ty.result, results.into_iter().next()) else {
        return Ok(Verdict::Returned(Json::null()));
    };
    match (ty, value) {
        (Type::Result(result), Val::Result(Err(error))) => Ok(match (&result.err, error.as_deref()) {
            (Some(_), Some(error)) if task.returns_task_error => failure::from_task_error(error),
            (Some(ty), Some(error)) => failure(ty, error),
            _ => failure::without_payload(),
        }),
        (Type::Result(result), Val::Result(Ok(value))) => match (&result.ok, value.map(|value| *value)) {
            (_, Some(Val::String(text))) if task.is_untyped => returned_json(text, max_bytes),
            (Some(ty), Some(value)) => returned(ty, &value, max_bytes),
            _ => Ok(Verdict::Returned(Json::null())),
        },
        (ty, value) => returned(ty, &value, max_bytes),
    }
}

fn returned(ty: &Type, value: &Val, max_bytes: u64) -> Result<Verdict, ResultError> {
    let limit = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let mut out = Text::up_to(limit);
    // Tasks are admitted only with types that have a JSON form, so that the limit is all that can fail.
    encode::write(&mut out, ty, value).map_err(|_| ResultError::TooLarge { limit: max_bytes })?;
    // What is written here is JSON, with each name once.
    Json::stored(out.into_string()).map(Verdict::Returned).map_err(ResultError::NotJson)
}

fn returned_json(text: String, max_bytes: u64) -> Result<Verdict, ResultError> {
    if text.len() as u64 > max_bytes {
        return Err(ResultError::TooLarge { limit: max_bytes });
    }
    Json::parse(text).map(Verdict::Returned).map_err(|error| match error {
        InvalidJson::Twice { .. } => ResultError::DuplicateName(error),
        other => ResultError::NotJson(other),
    })
}
