//! Where values are converted: small ones at once, large ones on a thread beside the guests', since a guest that hands over a million
//! values should not hold up its neighbours. Both are charged to the attempt.

use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use wasmhost_protocol::outcome::Verdict;
use wasmhost_values::{ArgumentError, decode_arguments};
use wasmtime::component::Val;

use super::build::EngineValues;
use super::verdict::{ResultError, encode_result};
use crate::meter::Meter;
use crate::tasks::Task;

/// Arguments of more bytes are large.
const LARGE_TEXT: usize = 16 << 10;
/// Results of more values are large.
const LARGE_VALUES: usize = 4_096;

/// Converts the values of one attempt.
pub(crate) struct Converter<'a> {
    pub(crate) meter: &'a Arc<Meter>,
    pub(crate) blocking: &'a Handle,
}

impl Converter<'_> {
    /// The values of the task's parameters.
    pub(crate) async fn decode(&self, task: &Arc<Task>, args: Bytes) -> Result<Vec<Val>, ArgumentError> {
        let (is_large, task) = (args.len() > LARGE_TEXT, task.clone());
        self.convert(is_large, move || decode_arguments::<EngineValues>(task.parameters(), &args)).await
    }

    /// The verdict on what the task returned.
    pub(crate) async fn encode(
        &self,
        task: &Arc<Task>,
        results: Vec<Val>,
        max_bytes: u64,
    ) -> Result<Verdict, ResultError> {
        let (is_large, task) = (count(&results, LARGE_VALUES).is_none(), task.clone());
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
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime shuts down, and this with it.
            Err(_) => std::future::pending().await,
        }
    }
}

/// What is left of `most` after so many values; none where there are more.
fn count(values: &[Val], most: usize) -> Option<usize> {
    let most = most.checked_sub(values.len())?;
    values.iter().try_fold(most, |most, value| match value {
        Val::List(items) | Val::Tuple(items) => count(items, most),
        Val::Record(fields) => {
            let most = most.checked_sub(fields.len())?;
            fields.iter().try_fold(most, |most, (_, value)| count(std::slice::from_ref(value), most))
        }
        Val::Variant(_, Some(payload))
        | Val::Option(Some(payload))
        | Val::Result(Ok(Some(payload)) | Err(Some(payload))) => count(std::slice::from_ref(payload), most),
        Val::String(text) => most.checked_sub(text.len() / size_of::<Val>()),
        Val::Flags(names) => most.checked_sub(names.len()),
        _ => Some(most),
    })
}
