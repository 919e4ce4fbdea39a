//! Decides on which thread values are converted: small ones at once, large ones on a thread beside those of the guests,
//! since the conversion of a million values would hold up the other guests of its thread. Both are charged to the
//! attempt.

use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use wasmhost_protocol::outcome::Verdict;
use wasmhost_values::{ArgumentError, decode_arguments};
use wasmtime::component::Val;

use super::values::EngineValues;
use super::verdict::{ResultError, encode_result};
use crate::meter::Meter;
use crate::tasks::Task;

/// From how many bytes on arguments are large.
const LARGE_TEXT: usize = 16 << 10;
/// From how many values on a result is large.
const LARGE_VALUES: usize = 4_096;

/// Converts the values of one attempt.
pub(crate) struct Converter<'a> {
    pub(crate) meter: &'a Arc<Meter>,
    pub(crate) blocking: &'a Handle,
}

impl Converter<'_> {
    /// Decodes the arguments of a task.
    pub(crate) async fn decode(&self, task: &Arc<Task>, args: Bytes) -> Result<Vec<Val>, ArgumentError> {
        let is_large = args.len() > LARGE_TEXT;
        let task = task.clone();
        self.convert(is_large, move || decode_arguments::<EngineValues>(task.parameters(), &args)).await
    }

    /// Encodes what a task returned; the JSON of its result may have `max_bytes`.
    pub(crate) async fn encode(
        &self,
        task: &Arc<Task>,
        results: Vec<Val>,
        max_bytes: u64,
    ) -> Result<Verdict, ResultError> {
        let is_large = count(&results, LARGE_VALUES).is_none();
        let task = task.clone();
        self.convert(is_large, move || encode_result(&task, results, max_bytes)).await
    }

    async fn convert<T: Send + 'static>(
        &self,
        is_large: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        if !is_large {
            return self.meter.measure(work);
        }
        let meter = self.meter.clone();
        match self.blocking.spawn_blocking(move || meter.measure(work)).await {
            Ok(converted) => converted,
            // The panic goes on in the attempt, whose outcome names it.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime shuts down, and drops this future soon.
            Err(_) => std::future::pending().await,
        }
    }
}

/// Counts values, and gives up as soon as there are more than `limit`: returns what is left of it, or none.
fn count(values: &[Val], limit: usize) -> Option<usize> {
    let left = limit.checked_sub(values.len())?;
    values.iter().try_fold(left, |left, value| match value {
        Val::List(items) | Val::Tuple(items) => count(items, left),
        Val::Record(fields) => {
            let left = left.checked_sub(fields.len())?;
            fields.iter().try_fold(left, |left, (_, value)| count(std::slice::from_ref(value), left))
        }
        Val::Variant(_, Some(payload))
        | Val::Option(Some(payload))
        | Val::Result(Ok(Some(payload)) | Err(Some(payload))) => count(std::slice::from_ref(payload), left),
        // A long string takes as long as several values.
        Val::String(text) => left.checked_sub(text.len() / size_of::<Val>()),
        Val::Flags(names) => left.checked_sub(names.len()),
        _ => Some(left),
    })
}
