//! Publishes the progress of a task.

use crate::bindings::wasmhost::task::state::{UpdateError, update_state};
use crate::bindings::wasmhost::task::types::TaskError;
use crate::failure::failed;

/// Publishes the state `PROGRESS` with the meta `progress` in percent, `current` and `total`.
///
/// # Errors
///
/// The job was revoked or is past its soft time limit, or the host did not take the state. A task that returns the error as it
/// is stops in time.
///
/// ```no_run
/// fn resize(images: Vec<String>) -> Result<(), wasmhost_guest::TaskError> {
///     let total = images.len() as u64;
///     for (done, image) in (1..).zip(&images) {
///         // … resize the image …
///         wasmhost_guest::progress(done, total)?;
///     }
///     Ok(())
/// }
/// ```
pub fn progress(current: u64, total: u64) -> Result<(), TaskError> {
    let percent = percent(current, total);
    let meta = format!(r#"{{"progress":{percent},"current":{current},"total":{total}}}"#);
    update_state("PROGRESS", &meta).map_err(|error| match error {
        UpdateError::Cancelled => failed(format!("stopped at {current} of {total}")),
        UpdateError::InvalidState(_) | UpdateError::TooLarge(_) => error.into(),
    })
}

/// The share in percent; 100 where there is nothing to do.
fn percent(current: u64, total: u64) -> u64 {
    // In 64 bits the product could overflow.
    let percent = (u128::from(current.min(total)) * 100).checked_div(u128::from(total)).unwrap_or(100);
    u64::try_from(percent).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn percent_stays_between_0_and_100() {
        for (current, total, expected) in
            [(0, 7, 0), (1, 3, 33), (7, 7, 100), (9, 7, 100), (0, 0, 100), (u64::MAX, u64::MAX, 100)]
        {
            assert_eq!(percent(current, total), expected, "{current} of {total}");
        }
    }
}
