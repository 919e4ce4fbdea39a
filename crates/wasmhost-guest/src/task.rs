//! Calls a function of serde types with arguments that are JSON text.

use serde::{Serialize, de::DeserializeOwned};

use crate::bindings::wasmhost::task::types::TaskError;
use crate::failure::permanent;

/// Exports a function as the task `run` of the component. The function takes one deserialisable value and returns a
/// serialisable one, or a [`TaskError`].
///
/// ```
/// fn double(number: u32) -> Result<u32, wasmhost_guest::TaskError> {
///     Ok(2 * number)
/// }
///
/// wasmhost_guest::task!(double);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! task {
    ($function:path) => {
        struct ExportedTask;

        impl $crate::bindings::exports::wasmhost::task::handler::Guest for ExportedTask {
            fn run(args: String) -> Result<String, $crate::types::TaskError> {
                $crate::run_json(&args, $function)
            }
        }

        $crate::bindings::export!(ExportedTask with_types_in $crate::bindings);
    };
}

/// Calls a function with arguments that are read from JSON, and returns its result as JSON. [`task!`](crate::task!) does so for
/// the task `run`.
///
/// # Errors
///
/// Arguments that cannot be read are a permanent failure, because another attempt would not fix them. An error of the function
/// stays what it is.
pub fn run_json<A: DeserializeOwned, R: Serialize>(
    args: &str,
    task: impl FnOnce(A) -> Result<R, TaskError>,
) -> Result<String, TaskError> {
    let args = serde_json::from_str(args).map_err(|error| permanent(format!("wrong arguments: {error}")))?;
    let result = task(args)?;
    serde_json::to_string(&result).map_err(|error| permanent(format!("the result is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::run_json;
    use crate::bindings::wasmhost::task::types::TaskError;
    use crate::failure::failed;

    #[test]
    fn arguments_and_result_are_json() {
        assert_eq!(run_json("[1, 2]", |(a, b): (u32, u32)| Ok(a + b)).unwrap(), "3");
    }

    #[test]
    fn wrong_arguments_are_permanent() {
        let error = run_json(r#""two""#, |n: u32| Ok(n)).unwrap_err();
        assert!(
            matches!(error, TaskError::Permanent(failure) if failure.message.starts_with("wrong arguments: "))
        );
    }

    #[test]
    fn a_failure_of_the_task_stays_what_it_is() {
        let error = run_json("1", |_: u32| Err::<(), _>(failed("no"))).unwrap_err();
        assert!(matches!(error, TaskError::Failed(failure) if failure.message == "no"));
    }
}
