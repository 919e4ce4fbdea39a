//! Recognises the functions and errors of `wasmhost:task` by their structure, since components keep no names of types.

use wasmhost_values::{FunctionType, Named, Type};

/// Whether a function is `func(args: string) -> result<string, task-error>`.
pub(super) fn takes_and_returns_json(function: &FunctionType) -> bool {
    let mut parameters = function.parameters.iter().map(|(_, ty)| ty);
    let takes_text = matches!((parameters.next(), parameters.next()), (Some(Type::String), None));
    let returns_text =
        matches!(&function.result, Some(Type::Result(result)) if matches!(result.ok, Some(Type::String)));
    takes_text && returns_text && returns_task_error(function)
}

/// Whether the error of a function is `wasmhost:task/types.task-error`.
pub(super) fn returns_task_error(function: &FunctionType) -> bool {
    let Some(Type::Result(result)) = &function.result else { return false };
    let Some(Type::Variant(variant)) = &result.err else { return false };
    let cases: Vec<_> = variant.iter().collect();
    match cases.as_slice() {
        [
            ("failed", Some(Type::Record(failed))),
            ("retry", Some(Type::Record(retry))),
            ("permanent", Some(Type::Record(permanent))),
        ] => is_failure(failed, None) && is_failure(retry, Some("after")) && is_failure(permanent, None),
        _ => false,
    }
}

/// Whether a record has the fields of `failure`, and after them the one that `retry` has in addition.
fn is_failure(record: &Named<Type>, last_field: Option<&str>) -> bool {
    let mut fields = vec!["message", "details"];
    fields.extend(last_field);
    record.names().eq(fields) && record.iter().all(|(name, ty)| is_failure_field(name, ty))
}

fn is_failure_field(name: &str, ty: &Type) -> bool {
    match (name, ty) {
        ("message", Type::String) => true,
        ("details", Type::Option(details)) => matches!(**details, Type::String),
        ("after", Type::Option(after)) => matches!(**after, Type::U64),
        _ => false,
    }
}
