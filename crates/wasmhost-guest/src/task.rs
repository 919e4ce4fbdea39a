//! From JSON text to a function of serde types, and back.

use serde::{Serialize, de::DeserializeOwned};

use crate::bindings::wasmhost::task::types::TaskError;
use crate::failure::permanent;

/// Makes a function the task `run` of the component: it takes one deserialisable value and returns a serialisable one,
/// or a [`TaskError`].
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

/// Calls the function with the arguments read from JSON, and writes its result as JSON.
///
/// # Errors
///
/// Wrong arguments are a permanent failure, since another attempt would not fix them; the function's errors stay as
/// they are.
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
