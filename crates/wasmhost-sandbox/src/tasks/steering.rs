//! How functions of `wasmhost:task` are known: by their structure, since components keep no names of types.

use wasmhost_values::{FunctionType, Named, Type};

/// Whether this is `func(args: string) -> result<string, task-error>`.
pub(super) fn takes_and_returns_json(function: &FunctionType) -> bool {
    let mut parameters = function.parameters.iter().map(|(_, ty)| ty);
    let takes_text = matches!((parameters.next(), parameters.next()), (Some(Type::String), None));
    let gives_text =
        matches!(&function.result, Some(Type::Result(result)) if matches!(result.ok, Some(Type::String)));
    takes_text && gives_text && returns_task_error(function)
}

/// Whether the function's error is `wasmhost:task/types.task-error`.
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

fn is_failure(record: &Named<Type>, last: Option<&str>) -> bool {
    let mut wanted = vec!["message", "details"];
    wanted.extend(last);
    record.names().eq(wanted) && record.iter().all(|(name, ty)| has_type(name, ty))
}

fn has_type(name: &str, ty: &Type) -> bool {
    match (name, ty) {
        ("message", Type::String) => true,
        ("details", Type::Option(details)) => matches!(**details, Type::String),
        ("after", Type::Option(after)) => matches!(**after, Type::U64),
        _ => false,
    }
}
