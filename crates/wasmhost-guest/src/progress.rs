//! Progress in one call.

use crate::bindings::wasmhost::task::state::{UpdateError, update_state};
use crate::bindings::wasmhost::task::types::TaskError;
use crate::failure::failed;

/// Publishes the state `PROGRESS` with `progress` in percent, `current` and `total`.
///
/// # Errors
///
/// Where the job was revoked or is past its soft time limit: return the error as it is, to stop now.
pub fn progress(current: u64, total: u64) -> Result<(), TaskError> {
    let percent = percent(current, total);
    let meta = format!(r#"{{"progress":{percent},"current":{current},"total":{total}}}"#);
    update_state("PROGRESS", &meta).map_err(|error| match error {
        UpdateError::Cancelled => failed(format!("stopped at {current} of {total}")),
        UpdateError::InvalidState(_) | UpdateError::TooLarge(_) => error.into(),
    })
}

/// 100 where there is nothing to do.
fn percent(current: u64, total: u64) -> u64 {
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
