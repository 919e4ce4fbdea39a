//! Turns what a call returned into the verdict on the attempt. Only the outermost `result` of the function decides
//! whether the attempt succeeded.

use wasmhost_protocol::json::{InvalidJson, Json};
use wasmhost_protocol::outcome::Verdict;
use wasmhost_values::Type;
use wasmtime::component::Val;

use super::text::BoundedText;
use super::{encode, failure};
use crate::tasks::Task;

/// Why what a call returned cannot be the result of a job.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ResultError {
    /// The JSON text of the result is longer than the policy of the module allows.
    #[error("the result is larger than {limit} bytes of JSON")]
    TooLarge {
        /// The longest that the policy allows, in bytes.
        limit: u64,
    },
    /// An untyped task returned a text that is not accepted as JSON.
    #[error("the handler returned a text that is {0}")]
    NotJson(InvalidJson),
    /// An untyped task returned an object with a name twice, of which readers would take different values.
    #[error("the handler returned an object with a name twice: {0}")]
    DuplicateName(InvalidJson),
}

/// The verdict on a call of `task` that returned `results`; the JSON of the job's result may have `max_bytes`.
pub(crate) fn encode_result(task: &Task, results: Vec<Val>, max_bytes: u64) -> Result<Verdict, ResultError> {
    let (Some(ty), Some(value)) = (&task.ty.result, results.into_iter().next()) else {
        return Ok(Verdict::Returned(Json::null()));
    };
    match (ty, value) {
        (Type::Result(result), Val::Result(Err(error))) => Ok(match (&result.err, error.as_deref()) {
            (Some(_), Some(error)) if task.returns_task_error => failure::from_task_error(error),
            (Some(ty), Some(error)) => failure::from_error(ty, error),
            _ => failure::without_payload(),
        }),
        (Type::Result(result), Val::Result(Ok(value))) => match (&result.ok, value.map(|value| *value)) {
            (_, Some(Val::String(text))) if task.is_untyped => returned_json(text, max_bytes),
            (Some(ty), Some(value)) => returned_value(ty, &value, max_bytes),
            _ => Ok(Verdict::Returned(Json::null())),
        },
        (ty, value) => returned_value(ty, &value, max_bytes),
    }
}

fn returned_value(ty: &Type, value: &Val, max_bytes: u64) -> Result<Verdict, ResultError> {
    let mut out = BoundedText::new(usize::try_from(max_bytes).unwrap_or(usize::MAX));
    // Only functions whose types have a JSON form are tasks, so that nothing but the limit can fail here.
    encode::write(&mut out, ty, value).map_err(|_| ResultError::TooLarge { limit: max_bytes })?;
    Json::stored(out.into_string()).map(Verdict::Returned).map_err(ResultError::NotJson)
}

/// A text that an untyped task returned is the result as it stands; it is not parsed into values and written again.
fn returned_json(text: String, max_bytes: u64) -> Result<Verdict, ResultError> {
    if text.len() as u64 > max_bytes {
        return Err(ResultError::TooLarge { limit: max_bytes });
    }
    Json::parse(text).map(Verdict::Returned).map_err(|error| match error {
        InvalidJson::Twice { .. } => ResultError::DuplicateName(error),
        other => ResultError::NotJson(other),
    })
}
